/** The files of a volume as a tar, and back; the tar that comes back is not trusted. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import { ownOf } from '../model/raw.ts'
import type { ResolvedFile } from './resolve.ts'

const DIRECTORY_MODE = 0o755
const END_BYTES = 1024
/** More entries than a volume of ours can ever have. */
const MAX_ENTRIES = 10_000

/** A tar that is cut, too large, or names a path outside itself. */
export class ArchiveError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ArchiveError'
  }
}

/** A symbolic link in an archive; `target` is what it says, whatever that is. */
export interface Link {
  readonly path: string
  readonly target: string
}

export interface PackOptions {
  readonly gid: number
  /** when the files say that they were changed, ms since the epoch; 0 unless given */
  readonly changedAt?: number
}

/**
 * An uncompressed tar of `files`, owned by root, unless they say otherwise, and group `gid`; folders are 0755 unless `modes` says otherwise.
 *
 * Equal files give equal bytes: paths are sorted, and all times are the same.
 *
 * @throws ArchiveError on an absolute path or one with `..`
 */
export async function packFiles(
  files: readonly ResolvedFile[],
  options: PackOptions & { readonly modes?: Readonly<Record<string, number>> },
): Promise<Uint8Array> {
  const pack = tar.pack()
  const owner = { uid: 0, gid: options.gid, mtime: new Date(options.changedAt ?? 0) }
  const sorted = files.map((file) => ({ ...file, path: relativePath(file.path) })).sort(byPath)
  const modes = options.modes ?? {}
  const folders = new Set([...parentsOf(sorted), ...Object.keys(modes)])
  for (const name of [...folders].sort())
    pack.entry({ ...owner, name, type: 'directory', mode: ownOf(modes, name) ?? DIRECTORY_MODE })
  for (const { path, mode, uid = 0, bytes } of sorted)
    pack.entry({ ...owner, uid, name: path, mode, size: bytes.length }, Buffer.from(bytes))
  pack.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of pack) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/**
 * The same below one folder, whose own mode and group are set too: how a volume's content and the folder it
 * is mounted on are put in with one archive.
 *
 * @param options.folders below it, which are there whether files are in them or not
 */
export async function packFolder(
  folder: { readonly name: string; readonly mode: number },
  files: readonly ResolvedFile[],
  options: PackOptions & { readonly folders?: readonly string[] },
): Promise<Uint8Array> {
  const { folders = [], ...rest } = options
  const inside = files.map((file) => ({ ...file, path: `${folder.name}/${relativePath(file.path)}` }))
  const below = Object.fromEntries(folders.map((name) => [`${folder.name}/${relativePath(name)}`, DIRECTORY_MODE]))
  return packFiles(inside, { ...rest, modes: { ...below, [folder.name]: folder.mode } })
}

const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0

/** Every folder above a file, parents first. */
function parentsOf(files: readonly { readonly path: string }[]): string[] {
  const parents = new Set<string>()
  for (const { path } of files) {
    const parts = path.split('/')
    for (let depth = 1; depth < parts.length; depth += 1) parents.add(parts.slice(0, depth).join('/'))
  }
  return [...parents].sort()
}

/**
 * The regular files of `archive`, in its order; folders, links and devices are left out.
 *
 * @param options.maxBytes of all files together
 * @throws ArchiveError when it is cut or damaged, holds more, or names a path outside itself
 */
export async function unpackFiles(archive: Uint8Array, options: { readonly maxBytes: number }): Promise<ResolvedFile[]> {
  return (await unpack(archive, options)).files
}

/** The same with its symbolic links. */
export async function unpack(
  archive: Uint8Array,
  options: { readonly maxBytes: number },
): Promise<{ readonly files: ResolvedFile[]; readonly links: Link[] }> {
  if (!hasEnd(archive)) throw new ArchiveError(`archive is cut: its end is missing after ${archive.length} bytes`)
  const files: ResolvedFile[] = []
  const links: Link[] = []
  const extract = tar.extract()
  let total = 0
  let entries = 0
  const read = async (): Promise<void> => {
    for await (const entry of extract) {
      const { name, type, linkname, size = 0, mode = 0 } = entry.header
      entries += 1
      if (entries > MAX_ENTRIES) throw new ArchiveError(`archive holds more than ${MAX_ENTRIES} entries`)
      if (type !== 'file' && type !== 'contiguous-file') {
        if (type === 'symlink') links.push({ path: relativePath(name), target: linkname ?? '' })
        entry.resume()
        continue
      }
      const path = relativePath(name)
      total += size
      if (total > options.maxBytes) throw new ArchiveError(`archive holds more than ${options.maxBytes} bytes`)
      files.push({ path, mode: mode & 0o7777, bytes: await bytesOf(entry as unknown as AsyncIterable<Uint8Array>, size, path) })
    }
  }
  try {
    await Promise.all([pipeline(Readable.from([Buffer.from(archive)], { objectMode: false }), extract), read()])
  } catch (error) {
    if (error instanceof ArchiveError) throw error
    throw new ArchiveError(`archive cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return { files, links }
}

/** A tar ends with two blocks of zeros; the reader alone would take a cut between two files for the end. */
function hasEnd(archive: Uint8Array): boolean {
  return archive.length >= END_BYTES && archive.subarray(-END_BYTES).every((byte) => byte === 0)
}

async function bytesOf(entry: AsyncIterable<Uint8Array>, size: number, path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of entry) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (bytes.length !== size) throw new ArchiveError(`archive is cut within ${path}: ${bytes.length} of ${size} bytes`)
  return bytes
}

/** `path` without `./` and doubled slashes. @throws ArchiveError when it is empty or leads out of the archive */
function relativePath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const outside = path.startsWith('/') || parts.includes('..') || path.includes('\0')
  if (outside || parts.length === 0) throw new ArchiveError(`path ${JSON.stringify(path)} leads out of the volume`)
  return parts.join('/')
}
