/** Files of containers, as archives: what is in volumes is found there by every container that mounts them. */
import { type Link, unpack } from '../../../src/runtime/archive.ts'
import type { FileType } from '../../../src/runtime/engine.ts'
import { tarOf } from '../../support/tars.ts'
import { failed, noSuchContainer, notFound } from './errors.ts'
import type { Machine } from './machine.ts'
import type { Files, RawContainer } from './state.ts'
import { hostType, visitVolumes, volumeAt } from './volumes.ts'

const MOST_BYTES = 1024 * 1024 * 1024
const FOLDER_MODE = 0o755
const LINK_MODE = 0o777
const IMAGE_FILE_MODE = 0o755

/** A place where files are: a filesystem, and a folder in it (`''` for its root). */
interface Place {
  readonly files: Files
  readonly folder: string
  readonly readOnly: boolean
}

const trimmed = (path: string): string =>
  path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
const below = (folder: string, path: string): boolean => folder === '' || path === folder || path.startsWith(`${folder}/`)
const inside = (folder: string, path: string): string => (folder === '' ? path : path.slice(folder.length + 1))
const joined = (folder: string, path: string): string => (folder === '' ? path : `${folder}/${path}`)

const UNDATED = { mtime: new Date(0) }
const linkFile = ({ path, target }: Link) => ({ path, mode: LINK_MODE, bytes: new Uint8Array(), link: target })

/** Errors: notFound (container or folder), failed (read-only). */
export async function putArchive(machine: Machine, id: string, path: string, tar: Uint8Array): Promise<void> {
  const { files, links } = await unpack(tar, { maxBytes: MOST_BYTES })
  const container = machine.findContainer(id)
  if (container === undefined) throw noSuchContainer(id)
  visitVolumes(machine, container)
  const target = trimmed(path)
  if (!isFolder(machine, container, target)) throw notFound(`Could not find the file ${path} in container ${id}`)
  const root = placeOf(machine, container, target)
  if (root.readOnly)
    throw failed(root.files === container.files ? 'container rootfs is marked read-only' : 'mounted volume is marked read-only')
  for (const { path: rest, ...file } of [...files, ...links.map(linkFile)]) {
    const place = placeOf(machine, container, joined(target, rest))
    place.files.set(place.folder, file)
  }
  machine.emitContainer(container, 'extract-to-dir', { path })
  // Nothing keeps what is put into memory while nobody has it mounted.
  for (const volume of machine.volumes.values()) if (volume.inMemory && volume.mountedBy.size === 0) volume.files = new Map()
}

/** Errors: notFound (container or path), failed (over `maxBytes`). */
export async function getArchive(machine: Machine, id: string, path: string, maxBytes: number): Promise<Uint8Array> {
  const container = machine.findContainer(id)
  if (container === undefined) throw noSuchContainer(id)
  visitVolumes(machine, container)
  const target = trimmed(path)
  const found = filesBelow(machine, container, target)
  if (found.length === 0 && !isFolder(machine, container, target))
    throw notFound(`Could not find the file ${path} in container ${id}`)
  machine.emitContainer(container, 'archive-path', { path })
  const top = path.endsWith('/.') ? '' : (target.split('/').at(-1) ?? '')
  const isFile = found.some(({ rest }) => rest === '')
  const folders = isFile || top === '' ? [] : [{ ...UNDATED, name: top, type: 'directory' as const, mode: FOLDER_MODE }]
  const entries = found.map(({ rest, mode, bytes, link }) => {
    const entry = { ...UNDATED, name: rest === '' ? top : joined(top, rest), mode }
    return link === undefined ? { ...entry, body: bytes } : { ...entry, type: 'symlink' as const, linkname: link }
  })
  const tar = await tarOf(...folders, ...entries.sort((a, b) => (a.name < b.name ? -1 : 1)))
  if (tar.length > maxBytes) throw failed(`the answer is over ${maxBytes} bytes`)
  return tar
}

/** Errors: notFound (container or path). */
export function fileType(machine: Machine, id: string, path: string): FileType {
  const container = machine.findContainer(id)
  if (container === undefined) throw noSuchContainer(id)
  visitVolumes(machine, container)
  const target = trimmed(path)
  const bound = container.mounts.find(({ type, destination }) => type === 'bind' && trimmed(destination) === target)
  // What was not there is made, or the container could not have been.
  if (bound !== undefined) return hostType(machine, bound.source) ?? 'directory'
  const [found] = filesBelow(machine, container, target).filter(({ rest }) => rest === '')
  if (found !== undefined) return found.link === undefined ? 'file' : 'link'
  if (isFolder(machine, container, target)) return 'directory'
  throw notFound(`Could not find the file ${path} in container ${id}`)
}

/** The filesystem that `path` is in, and where: that of the innermost mount above it. */
function placeOf(machine: Machine, container: RawContainer, path: string): Place {
  const mounts = container.mounts.filter(({ destination }) => below(trimmed(destination), path))
  const mount = mounts.sort((a, b) => b.destination.length - a.destination.length)[0]
  if (mount === undefined) return { files: container.files, folder: path, readOnly: container.config.readonlyRootfs }
  const rest = inside(trimmed(mount.destination), path)
  const at = mount.type === 'tmpfs' ? undefined : volumeAt(machine, mount.source)
  if (at === undefined) return { files: new Map(), folder: rest, readOnly: mount.readOnly }
  return { files: at.volume.files, folder: [at.rest, rest].filter((part) => part !== '').join('/'), readOnly: mount.readOnly }
}

function filesBelow(machine: Machine, container: RawContainer, target: string) {
  const roots = [
    target,
    ...container.mounts.map(({ destination }) => trimmed(destination)).filter((at) => at !== target && below(target, at)),
  ]
  const encoder = new TextEncoder()
  const image = machine.images.get(container.imageId)?.files ?? {}
  const original: Files = new Map(
    Object.entries(image).map(([path, text]) => [trimmed(path), { mode: IMAGE_FILE_MODE, bytes: encoder.encode(text) }]),
  )
  return roots.flatMap((root) => {
    const { files, folder } = placeOf(machine, container, root)
    const all = files === container.files ? new Map([...original, ...files]) : files
    return [...all]
      .filter(([path]) => below(folder, path))
      .map(([path, file]) => ({ rest: inside(target, joined(root, inside(folder, path))).replace(/\/$/, ''), ...file }))
  })
}

function isFolder(machine: Machine, container: RawContainer, target: string): boolean {
  if (target === '' || target === 'tmp') return true
  if (container.mounts.some(({ destination }) => below(target, trimmed(destination)))) return true
  const { files, folder } = placeOf(machine, container, target)
  if (files !== container.files && folder === '') return true
  return filesBelow(machine, container, target).some(({ rest }) => rest !== '')
}
