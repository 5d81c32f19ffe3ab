/**
 * Whether places of the node are what pods say they are. The daemon may run elsewhere, so the engine is asked, through a container
 * with nothing but such a place mounted: the engine follows links as its node sees them, and none of the container's.
 * @see Kubernetes pkg/volume/hostpath/host_path.go checkTypeInternal, whose words these are
 */
import { posix } from 'node:path'
import type { PathCheck, PathChecks } from '../reconcilers/plan.ts'
import { type ContainerConfig, type Engine, EngineError, type FileType, type Mount } from './engine.ts'

/** What a pod mounts is not what it has to be; trying again helps once somebody has put that right on the node. */
export class MountError extends Error {
  readonly kind = 'mount'
  constructor({ volume }: PathCheck, why: string, options?: ErrorOptions) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${why}`, options)
    this.name = 'MountError'
  }
}

const wanted: Readonly<Record<PathCheck['type'], { readonly is: FileType; readonly called: string }>> = {
  Directory: { is: 'directory', called: 'a directory' },
  DirectoryOrCreate: { is: 'directory', called: 'a directory' },
  File: { is: 'file', called: 'a file' },
  FileOrCreate: { is: 'file', called: 'a file' },
  Socket: { is: 'socket', called: 'a socket file' },
  CharDevice: { is: 'characterDevice', called: 'a character device' },
  BlockDevice: { is: 'blockDevice', called: 'a block device' },
}

export interface LookSite {
  readonly engine: Engine
  /** Looks at one container again. */
  refresh(container: string): Promise<void>
}

/** @throws MountError for a place that is not there, is something else or cannot be made; EngineError */
export async function checkPaths(site: LookSite, { container, paths }: PathChecks): Promise<void> {
  for (const path of paths) {
    const { is, called } = wanted[path.type]
    const found = (await typeOf(site, container, path)) ?? (await typeMade(site, container, path))
    if (found !== is) throw new MountError(path, `hostPath type check failed: ${path.path} is not ${called}`)
  }
}

const PLACE = '/place'

/** `undefined` when nothing is there. A folder that may be made is, with all above it, as the engine makes the source of a bind. */
async function typeOf(site: LookSite, container: ContainerConfig, path: PathCheck): Promise<FileType | undefined> {
  const makes = path.type === 'DirectoryOrCreate'
  const mount: Mount = { type: 'bind', source: path.path, target: PLACE, readOnly: true, ...(makes ? { create: true } : {}) }
  try {
    return await withContainer(site, { ...container, mounts: [mount] }, (id) => site.engine.fileType(id, PLACE))
  } catch (cause) {
    if (isMissing(cause)) return undefined
    if (!makes || !(cause instanceof EngineError) || cause.kind !== 'failed') throw cause
    throw new MountError(path, `the folder ${path.path} cannot be made: ${cause.message}`, { cause })
  }
}

/** What is there once a file that may be made was. */
async function typeMade(site: LookSite, container: ContainerConfig, path: PathCheck): Promise<FileType | undefined> {
  if (path.type !== 'FileOrCreate') return undefined
  await makeFile(site, container, path)
  return typeOf(site, container, path)
}

/** What has come there meanwhile is left as it is, whatever it is: no link is followed, and nothing is opened that could hang. */
const MAKE_FILE = `umask 022
cd -P "$1" && { [ -e "./$2" ] || [ -L "./$2" ] || touch "./$2"; }`
const MAKE_MS = 30_000
const MOST_OUTPUT_BYTES = 1024

/** An empty file of mode 0644; the folder that it is in has to be there. */
async function makeFile(site: LookSite, container: ContainerConfig, path: PathCheck): Promise<void> {
  const { dir, base } = posix.parse(path.path)
  const mounts: Mount[] = [{ type: 'bind', source: dir, target: PLACE, readOnly: false }]
  const command = ['sh', '-c', MAKE_FILE, 'sh', PLACE, base]
  try {
    const { exitCode, output } = await withContainer(site, { ...container, mounts }, async (id) => {
      await site.engine.startContainer(id)
      return site.engine.exec(id, command, { timeoutMs: MAKE_MS, maxBytes: MOST_OUTPUT_BYTES })
    })
    if (exitCode !== 0) throw new MountError(path, `the file ${path.path} cannot be made: ${output.trim() || `code ${exitCode}`}`)
  } catch (cause) {
    if (isMissing(cause)) throw new MountError(path, `open ${path.path}: no such file or directory`, { cause })
    throw cause
  }
}

/** Of a container that has nothing else, the engine says it of the source of its mount. */
function isMissing(error: unknown): boolean {
  return error instanceof EngineError && error.kind === 'invalid' && /does not exist/.test(error.message)
}

/** A daemon that has ended in the middle has left one of the same name behind. */
async function withContainer<T>(
  { engine, refresh }: LookSite,
  config: ContainerConfig,
  use: (id: string) => Promise<T>,
): Promise<T> {
  await engine.removeContainer(config.name)
  const id = await engine.createContainer(config)
  try {
    return await use(id)
  } finally {
    await engine.removeContainer(id)
    // Seen any later, it would pass for one that nobody looks after.
    await refresh(id)
  }
}
