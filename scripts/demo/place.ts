/**
 * Where one demo lives: a cluster id of its own, and a folder that it holds a lock on. What an earlier demo
 * left there because it was killed is removed first; what is not a demo's is left alone.
 */
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from '../../src/runtime/engine.ts'
import { StoreError } from '../../src/store/error.ts'
import { type Lock, takeLock } from '../../src/store/lock.ts'
import { leftOf, removeCluster } from './leftovers.ts'

const NAMES = ['demo', ...Array.from({ length: 8 }, (_, index) => `demo-${index + 2}`)]
/** How long the daemon of a demo that was killed may take to notice that: ms. */
const ORPHAN_MS = 15_000
const LOCK_FILES = ['trireme.lock', 'trireme.lock.json']

export interface Place {
  readonly cluster: string
  /** from 0; no two demos have the same at a time */
  readonly slot: number
  readonly dir: string
  readonly dataDir: string
  /** what was found on the way here, for the user */
  readonly notices: readonly string[]
  /** Removes the folder and gives up the lock. */
  leave(): void
}

/**
 * Takes the first place that is free. Errors: when none of them is.
 *
 * @param names cluster ids to choose from
 */
export async function takePlace(engine: Engine, names: readonly string[] = NAMES): Promise<Place> {
  const notices: string[] = []
  for (const [slot, cluster] of names.entries()) {
    const dir = join(tmpdir(), `trireme-${cluster}`)
    const known = isOwnFolder(dir)
    const lock = known === undefined ? undefined : lockFolder(dir)
    if (known === undefined) notices.push(`${dir} belongs to somebody else`)
    else if (lock === undefined) notices.push(`another demo runs as cluster ${cluster}`)
    else if (!known && (await leftOf(engine, cluster)).length > 0) {
      leaveFolder(dir, lock)
      notices.push(`a cluster ${cluster} that is not a demo's is on this engine: it is left alone`)
    } else {
      await removeLeftovers(engine, cluster, dir, notices)
      return { cluster, slot, dir, dataDir: join(dir, 'data'), notices, leave: () => leaveFolder(dir, lock) }
    }
  }
  throw new Error(`no room for one more demo:\n  ${notices.join('\n  ')}`)
}

/** Makes the folder; `true` when it was there and is ours, `undefined` when it is somebody else's. */
function isOwnFolder(dir: string): boolean | undefined {
  try {
    mkdirSync(dir, { mode: 0o700 })
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const found = lstatSync(dir)
    return found.isDirectory() && found.uid === process.getuid?.() ? true : undefined
  }
}

function lockFolder(dir: string): Lock | undefined {
  try {
    return takeLock(dir, Date.now)
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'locked') return undefined
    throw error
  }
}

function leaveFolder(dir: string, lock: Lock): void {
  rmSync(dir, { recursive: true, force: true })
  lock.release()
}

async function removeLeftovers(engine: Engine, cluster: string, dir: string, notices: string[]): Promise<void> {
  const files = readdirSync(dir).filter((name) => !LOCK_FILES.includes(name))
  if (files.includes('data')) await daemonGone(join(dir, 'data'))
  const left = await leftOf(engine, cluster)
  if (left.length > 0) {
    notices.push(`an earlier demo was killed: removing the ${left.length} objects it left on the engine`)
    await removeCluster(engine, cluster)
  }
  for (const name of files) rmSync(join(dir, name), { recursive: true, force: true })
}

/** The daemon of a demo that was killed ends by itself; its data directory is free once it has. */
async function daemonGone(dataDir: string): Promise<void> {
  const deadline = performance.now() + ORPHAN_MS
  for (;;) {
    try {
      return takeLock(dataDir, Date.now).release()
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'locked' || performance.now() > deadline) throw error
      await delay(50)
    }
  }
}
