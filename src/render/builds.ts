/** What kustomize and helm have built, kept by content; failures are never kept. */
import { readdirSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { canonicalText, sha256 } from '../model/canonical.ts'
import { unfinishedIn } from './unfinished.ts'

/** The output kept in `cacheDir` for `key`, or that of `build`, kept from now on. A cache that cannot be used is not used. */
export async function keptBuild(cacheDir: string | undefined, key: unknown, build: () => Promise<string>): Promise<string> {
  if (cacheDir === undefined) return build()
  const file = join(cacheDir, `${sha256(canonicalText(key))}.yaml`)
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept !== undefined) {
    const now = new Date()
    await utimes(file, now, now).catch(() => undefined)
    return kept
  }
  const output = await build()
  await keep(cacheDir, file, output).catch(() => undefined)
  return output
}

/** Leaves the `count` builds that were used last. A folder that cannot be tidied is left as it is. */
export async function tidyBuilds(cacheDir: string, count: number): Promise<void> {
  const builds = keptIn(cacheDir).map((name) => join(cacheDir, name))
  if (builds.length <= count) return
  const used = await Promise.all(
    builds.map(async (path) => ({ path, at: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })),
  )
  const oldest = used.sort((a, b) => b.at - a.at).slice(count)
  await Promise.all(oldest.map(({ path }) => rm(path, { force: true }).catch(() => undefined)))
}

/** Asked after every render, of few names: at once, for a render without builds is to wait for nothing. */
function keptIn(cacheDir: string): string[] {
  try {
    return readdirSync(cacheDir).filter((name) => name.endsWith('.yaml'))
  } catch {
    return []
  }
}

/** Renders may hold Secrets, so that only the owner reads them; beside and renamed, so that no half file is ever read. */
async function keep(cacheDir: string, file: string, output: string): Promise<void> {
  await mkdir(unfinishedIn(cacheDir), { recursive: true, mode: 0o700 })
  const beside = join(unfinishedIn(cacheDir), `${basename(file)}.${process.pid}`)
  await writeFile(beside, output, { mode: 0o600 })
  await rename(beside, file)
}
