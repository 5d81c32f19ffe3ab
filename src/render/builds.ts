/** What kustomize and helm have built, kept by content; failures are never kept. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalText, sha256 } from '../model/canonical.ts'

/** The output kept in `cacheDir` for `key`, or that of `build`, kept from now on. A cache that cannot be used is not used. */
export async function keptBuild(cacheDir: string | undefined, key: unknown, build: () => Promise<string>): Promise<string> {
  if (cacheDir === undefined) return build()
  const file = join(cacheDir, `${sha256(canonicalText(key))}.yaml`)
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept !== undefined) return kept
  const output = await build()
  await keep(cacheDir, file, output).catch(() => undefined)
  return output
}

/** Renders may hold Secrets, so that only the owner reads them; beside and renamed, so that no half file is ever read. */
async function keep(cacheDir: string, file: string, output: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true, mode: 0o700 })
  const beside = `${file}.${process.pid}`
  await writeFile(beside, output, { mode: 0o600 })
  await rename(beside, file)
}
