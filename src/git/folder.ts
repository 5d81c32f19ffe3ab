import { basename, resolve } from 'node:path'
import { watch as watchPaths } from 'chokidar'
import type { TreeLimits } from './blobs.ts'
import { isIgnored, readScan, scanFolder, scanMark } from './folderscan.ts'
import { type Source, SourceError, type Tree } from './source.ts'
import { treeHash } from './treehash.ts'

export interface FolderSourceOptions extends Partial<TreeLimits> {
  readonly name: string
  readonly dir: string
  /** quiet time after the last save before a change is told, ms */
  readonly debounceMs?: number
  /** how often the folder is looked through for what no file event tells (replaced links, network mounts), ms */
  readonly rescanMs?: number
  readonly now: () => number
  /** told once when the system cannot watch files; the rescan goes on */
  readonly onWatchFailure?: (error: Error) => void
}

const defaultLimits: TreeLimits = { maxFileBytes: 10 << 20, maxTotalBytes: 64 << 20, maxFiles: 20_000 }
/** Content that a poll returned, kept so that its tree can be read although the folder has moved on. */
const treesKept = 5
/** Times `debounceMs` after which a burst of saves is told although it goes on. */
const longestBurst = 5

/**
 * A local folder as a source. Its revision is named after its content, so saving the same bytes again changes nothing.
 *
 * A revision that was replaced more than a few saves ago, or before a restart, can only be read while the folder still holds it.
 */
export function folderSource(options: FolderSourceOptions): Source {
  const dir = resolve(options.dir)
  const limits: TreeLimits = {
    maxFileBytes: options.maxFileBytes ?? defaultLimits.maxFileBytes,
    maxTotalBytes: options.maxTotalBytes ?? defaultLimits.maxTotalBytes,
    maxFiles: options.maxFiles ?? defaultLimits.maxFiles,
  }
  const trees = new Map<string, Tree>()
  const stops = new Set<() => Promise<void>>()

  async function read(signal: AbortSignal): Promise<Tree> {
    if (signal.aborted) throw new SourceError('failed', `reading folder ${dir}: stopped`)
    const { files, refused } = await readFolder(dir, limits)
    const hash = treeHash(files)
    const sha = `folder-${hash.slice(0, 12)}`
    const known = trees.get(sha)
    const revision = known?.revision ?? { sha, author: '', message: `working tree of ${dir}`, committedAt: options.now() }
    const tree = { revision, hash, files, refused }
    trees.delete(sha)
    trees.set(sha, tree)
    for (const old of [...trees.keys()].slice(0, -treesKept)) trees.delete(old)
    return tree
  }

  return {
    name: options.name,
    // A folder has no history that could be rewritten.
    poll: async (signal) => ({ revision: (await read(signal)).revision, forced: false }),
    async tree(sha, signal) {
      const tree = trees.get(sha) ?? (await read(signal))
      if (tree.revision.sha === sha) return tree
      throw new SourceError('failed', `folder ${dir} no longer holds revision ${sha}; it is at ${tree.revision.sha}`)
    },
    watch(changed) {
      const { debounceMs = 100, rescanMs = 1000, now, onWatchFailure = () => {} } = options
      const stop = watchFolder({ dir, limits, debounceMs, rescanMs, now, onWatchFailure }, changed)
      stops.add(stop)
      return () => {
        stops.delete(stop)
        void stop()
      }
    },
    async close() {
      await Promise.all([...stops].map((stop) => stop()))
      stops.clear()
    },
  }
}

async function readFolder(dir: string, limits: TreeLimits) {
  try {
    return await readScan(await scanFolder(dir, limits))
  } catch (error) {
    if (error instanceof SourceError) throw error
    throw new SourceError('failed', `folder ${dir} cannot be read: ${(error as Error).message}`)
  }
}

interface Watching {
  readonly dir: string
  readonly limits: TreeLimits
  readonly debounceMs: number
  readonly rescanMs: number
  readonly now: () => number
  readonly onWatchFailure: (error: Error) => void
}

/** Calls back once after a burst of saves, and when a rescan finds what the watcher was not told. */
function watchFolder(watching: Watching, changed: () => void): () => Promise<void> {
  const { dir, limits, debounceMs, rescanMs, now, onWatchFailure } = watching
  let pending: NodeJS.Timeout | undefined
  let burstStartedAt: number | undefined
  let mark: string | undefined
  let failed = false
  let stopped = false
  // A folder that cannot be listed is the poll's to report; here it only counts as different.
  const currentMark = () => scanFolder(dir, limits).then(scanMark, (error: Error) => error.message)
  const fire = async () => {
    // What is told now is known to the next rescan.
    mark = await currentMark()
    if (!stopped) changed()
  }
  const tell = () => {
    clearTimeout(pending)
    if (stopped) return
    burstStartedAt ??= now()
    // Something that saves without end must not keep its changes from being told.
    const leftMs = burstStartedAt + longestBurst * debounceMs - now()
    pending = setTimeout(
      () => {
        burstStartedAt = undefined
        void fire()
      },
      Math.max(0, Math.min(debounceMs, leftMs)),
    )
  }
  const watcher = watchPaths(dir, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path) => path !== dir && isIgnored(basename(path)),
  })
  watcher.on('all', tell)
  watcher.on('error', (error) => {
    if (!failed) onWatchFailure(error instanceof Error ? error : new Error(String(error)))
    failed = true
  })
  let rescan: NodeJS.Timeout | undefined
  const look = async () => {
    const startedAt = now()
    const next = await currentMark()
    if (mark !== undefined && next !== mark) tell()
    mark = next
    // Looking takes a twentieth of the time at most, however many files there are.
    const pauseMs = Math.max(rescanMs, 20 * (now() - startedAt))
    if (!stopped) rescan = setTimeout(() => void look(), pauseMs)
  }
  const first = look()
  return async () => {
    stopped = true
    clearTimeout(pending)
    await Promise.all([first, watcher.close()])
    clearTimeout(rescan)
  }
}
