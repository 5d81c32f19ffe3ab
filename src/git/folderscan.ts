import type { Stats } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { checkTotals, sizeRefusal, type TreeLimits } from './blobs.ts'
import { entryRefusal } from './names.ts'
import { SourceError, type Tree, type TreeFile } from './source.ts'
import { sortedFiles } from './treehash.ts'

/** A file of a folder before it is read. `real` is where it is once links are followed; always below the root. */
interface FoundFile {
  readonly path: string
  readonly real: string
  readonly stats: Stats
}

interface FolderScan {
  readonly files: readonly FoundFile[]
  readonly refused: Tree['refused']
}

/** Deeper folders are a loop of mounts or a mistake. */
const maxDepth = 64
/** Folders and links beside each file; a few dozen folders that link to each other twice have more paths than anybody can visit. */
const entriesPerFile = 5
const editorFile = /~$|^\.#|^#.*#$|\.sw[a-z]$|\.tmp$|^4913$|^\.subl|^___jb_(tmp|old)___$|^\.goutputstream-|^\.DS_Store$/

/**
 * Whether an entry is never part of a source: Git's own folder, packages, what editors leave while saving, and the `..data`
 * machinery of a mounted ConfigMap, whose files are reached through their links.
 */
export function isIgnored(name: string): boolean {
  return name === '.git' || name === 'node_modules' || name.startsWith('..') || editorFile.test(name)
}

/**
 * Lists a folder. Links are followed when they stay inside it, and refused by name when they leave, dangle or loop.
 *
 * Errors: `SourceError` of kind `pathNotFound` when the folder is not there, `refused` over the limits, `denied` without permission.
 */
export async function scanFolder(dir: string, limits: TreeLimits): Promise<FolderScan> {
  const root = await rootOf(dir)
  const files: FoundFile[] = []
  const refused: { path: string; reason: string }[] = []
  let looked = 0

  async function visit(real: string, below: string, ancestors: readonly string[]): Promise<void> {
    for (const entry of await readdir(real, { withFileTypes: true })) {
      if (isIgnored(entry.name)) continue
      looked += 1
      if (looked > limits.maxFiles * entriesPerFile) throw tooManyEntries(dir, looked)
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      const found = await locate(join(real, entry.name), entry.isSymbolicLink(), root)
      if (found.kind === 'gone') continue
      const reason = found.kind === 'refused' ? found.reason : refusalOf(found, path, ancestors, limits)
      if (reason !== undefined) refused.push({ path, reason })
      else if (found.kind === 'found' && found.stats.isDirectory()) await visit(found.real, path, [...ancestors, found.real])
      else if (found.kind === 'found') files.push({ path, real: found.real, stats: found.stats })
      if (files.length > limits.maxFiles) checkTotals(files.length, 0, limits)
    }
  }

  await visit(root, '', [root])
  checkTotals(
    files.length,
    files.reduce((sum, { stats }) => sum + stats.size, 0),
    limits,
  )
  return { files: sortedFiles(files), refused: sortedFiles(refused) }
}

function tooManyEntries(dir: string, looked: number): SourceError {
  const remedy = 'name a narrower folder, or remove links between folders'
  return new SourceError('refused', `folder ${dir} has more than ${looked - 1} entries once links are followed; ${remedy}`)
}

async function rootOf(dir: string): Promise<string> {
  try {
    const root = await realpath(dir)
    if ((await stat(root)).isDirectory()) return root
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EACCES') throw new SourceError('denied', `folder ${dir} may not be read by the user Trireme runs as`)
    throw new SourceError('pathNotFound', `folder ${dir} does not exist; check --dir`)
  }
  throw new SourceError('pathNotFound', `${dir} is a file; name the folder that holds it`)
}

type Located =
  | { readonly kind: 'found'; readonly real: string; readonly stats: Stats }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'gone' }

/** Where an entry really is once links are followed. One that vanished while looking is gone. */
async function locate(entry: string, isLink: boolean, root: string): Promise<Located> {
  try {
    const real = isLink ? await realpath(entry) : entry
    if (!real.startsWith(root + sep)) return { kind: 'refused', reason: 'a symbolic link that leads out of the folder' }
    return { kind: 'found', real, stats: await stat(real) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return isLink ? { kind: 'refused', reason: 'a symbolic link to nothing' } : { kind: 'gone' }
    if (code === 'ELOOP') return { kind: 'refused', reason: 'a symbolic link that leads to itself' }
    return { kind: 'refused', reason: `it cannot be read (${code ?? 'unknown error'})` }
  }
}

function refusalOf(
  { real, stats }: { real: string; stats: Stats },
  path: string,
  ancestors: readonly string[],
  limits: TreeLimits,
): string | undefined {
  if (stats.isDirectory()) {
    return ancestors.includes(real) || ancestors.length > maxDepth
      ? 'a symbolic link that leads back to its own folder'
      : undefined
  }
  if (!stats.isFile()) return 'not a regular file'
  return entryRefusal(path) ?? sizeRefusal(stats.size, limits)
}

/** The bytes of what a scan found. A file that vanished or may not be read meanwhile is refused by name. */
export async function readScan(scan: FolderScan): Promise<{ files: TreeFile[]; refused: Tree['refused'] }> {
  const files: TreeFile[] = []
  const refused = [...scan.refused]
  for (const { path, real } of scan.files) {
    try {
      files.push({ path, bytes: new Uint8Array(await readFile(real)) })
    } catch (error) {
      refused.push({ path, reason: `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` })
    }
  }
  return { files, refused: sortedFiles(refused) }
}

/** Changes when a file was saved, replaced, added or removed; costs no reading. */
export function scanMark({ files, refused }: FolderScan): string {
  const marks = files.map(({ path, stats }) => `${path}:${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`)
  return [...marks, ...refused.map(({ path }) => `!${path}`)].join('\n')
}
