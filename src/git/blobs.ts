import type { Git } from './command.ts'
import { entryRefusal } from './names.ts'
import { SourceError, type Tree, type TreeFile } from './source.ts'
import { sortedFiles } from './treehash.ts'

export interface TreeLimits {
  /** bytes of one file; a larger one is refused by name */
  readonly maxFileBytes: number
  /** bytes of all files together; a larger tree is refused as a whole, for half a tree would prune the other half */
  readonly maxTotalBytes: number
  readonly maxFiles: number
}

interface TreeContent {
  readonly files: readonly TreeFile[]
  readonly refused: Tree['refused']
}

interface Entry {
  readonly mode: string
  readonly kind: string
  readonly oid: string
  readonly size: number
  readonly path: string
}

type Refusal = Tree['refused'][number]

/**
 * The files of a tree object, straight from Git's object store: no checkout, hence no filter, hook or attribute runs.
 *
 * Errors: `SourceError` of kind `refused` when the tree is over `maxFiles` or `maxTotalBytes`; what Git throws.
 */
export async function readBlobs(git: Git, tree: string, limits: TreeLimits): Promise<TreeContent> {
  const entries = parseEntries(await git.text(['ls-tree', '-r', '-z', '--long', '--full-tree', tree]))
  const { wanted, refused } = classifyEntries(entries, limits)
  const bytes = await readObjects(git, [...new Set(wanted.map((entry) => entry.oid))])
  const files: TreeFile[] = []
  for (const { path, oid } of wanted) {
    const content = bytes.get(oid)!
    if (isLfsPointer(content)) refused.push({ path, reason: 'a Git LFS pointer: LFS content is not fetched' })
    else files.push({ path, bytes: content })
  }
  return { files: sortedFiles(files), refused: sortedFiles(refused) }
}

/** The tree object at `path` of a commit. Errors: `pathNotFound` naming path, branch and sha; `refused` for a symbolic link. */
export async function findTree(git: Git, sha: string, path: string, branch: string): Promise<string> {
  if (path === '') return `${sha}^{tree}`
  const [entry] = parseEntries(await git.text(['ls-tree', '-z', '--long', '--full-tree', sha, '--', path]))
  const where = `in revision ${sha.slice(0, 12)} of branch ${branch}`
  if (entry?.kind === 'tree') return entry.oid
  if (entry?.mode === '120000') throw new SourceError('refused', `path ${path} is a symbolic link ${where}; name its target`)
  if (entry?.kind === 'commit') throw new SourceError('refused', `path ${path} is a submodule ${where}; name its own repository`)
  if (entry !== undefined) throw new SourceError('pathNotFound', `path ${path} is a file ${where}; name the folder that holds it`)
  throw new SourceError('pathNotFound', `path ${path} does not exist ${where}; check --path, or commit the folder`)
}

function parseEntries(listing: string): Entry[] {
  return listing
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t')
      const [mode = '', kind = '', oid = '', size = '-'] = line.slice(0, tab).split(/ +/)
      return { mode, kind, oid, size: size === '-' ? 0 : Number(size), path: line.slice(tab + 1) }
    })
}

function classifyEntries(entries: readonly Entry[], limits: TreeLimits): { wanted: Entry[]; refused: Refusal[] } {
  const wanted: Entry[] = []
  const refused: Refusal[] = []
  for (const entry of entries) {
    const reason = refusalOf(entry, limits)
    if (reason === undefined) wanted.push(entry)
    else refused.push({ path: entry.path, reason })
  }
  checkTotals(
    wanted.length,
    wanted.reduce((sum, { size }) => sum + size, 0),
    limits,
  )
  return { wanted, refused }
}

function refusalOf({ mode, kind, size, path }: Entry, limits: TreeLimits): string | undefined {
  if (mode === '120000') return 'a symbolic link: links are not followed'
  if (mode === '160000') return 'a submodule: submodules are not fetched'
  if (kind !== 'blob') return `not a file (mode ${mode})`
  return entryRefusal(path) ?? sizeRefusal(size, limits)
}

/** Why a file of this many bytes is left out; `undefined` when it is not. */
export function sizeRefusal(size: number, { maxFileBytes }: TreeLimits): string | undefined {
  return size > maxFileBytes ? `${size} bytes: over the limit of ${maxFileBytes} bytes a file` : undefined
}

/** Errors: `SourceError` of kind `refused` when a tree is over what a source may hold. */
export function checkTotals(files: number, bytes: number, limits: TreeLimits): void {
  const over = (what: string) => new SourceError('refused', `the tree ${what}; give a narrower --path`)
  if (files > limits.maxFiles) throw over(`has ${files} files, over the limit of ${limits.maxFiles}`)
  if (bytes > limits.maxTotalBytes) throw over(`holds ${bytes} bytes, over the limit of ${limits.maxTotalBytes}`)
}

/** `cat-file --batch` answers each id with `<oid> blob <size>\n<bytes>\n`. */
async function readObjects(git: Git, oids: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>()
  if (oids.length === 0) return found
  const answer = await git.bytes(['cat-file', '--batch'], `${oids.join('\n')}\n`)
  let at = 0
  for (const oid of oids) {
    const end = answer.indexOf(10, at)
    const [name, kind, size] = answer.toString('latin1', at, end).split(' ')
    const start = end + 1
    const stop = start + Number(size)
    if (end < 0 || name !== oid || kind !== 'blob' || !(stop < answer.length)) {
      throw new SourceError('failed', `object ${oid} cannot be read from the mirror; it is fetched again with the next revision`)
    }
    // A copy: a view would keep the whole answer in memory for as long as one file is.
    found.set(oid, new Uint8Array(answer.subarray(start, stop)))
    at = stop + 1
  }
  return found
}

const lfsMark = Buffer.from('version https://git-lfs.github.com/spec/v1\n')
/** @see git-lfs docs/spec.md: a pointer is under 1024 bytes and begins with its version line. */
const isLfsPointer = (bytes: Uint8Array) => bytes.length < 1024 && lfsMark.equals(bytes.subarray(0, lfsMark.length))
