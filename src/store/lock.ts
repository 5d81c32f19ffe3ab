/** One daemon per data directory: a lock that dies with its process. */
import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isLocked, StoreError, storeError } from './error.ts'

export interface Lock {
  release(): void
}

interface Holder {
  readonly pid: number
  readonly host: string
  /** ISO 8601 */
  readonly since: string
}

/** Keeps the garbage collector from closing a database, and so giving up a lock, that nobody else refers to. */
const held = new Set<DatabaseSync>()

/**
 * Takes the data directory for this process until `release` or its death, whichever comes first.
 *
 * The lock is an open exclusive transaction on an empty database: the kernel drops it with the process, so
 * `kill -9` leaves nothing to clean up. Who holds it is written beside it, for the message alone.
 *
 * @throws StoreError `locked` with pid, host and time of the holder
 */
export function takeLock(dir: string, now: () => number): Lock {
  const path = join(dir, 'trireme.lock')
  const notePath = join(dir, 'trireme.lock.json')
  const database = openLock(path)
  try {
    database.exec('BEGIN EXCLUSIVE')
    const holder: Holder = { pid: process.pid, host: hostname(), since: new Date(now()).toISOString() }
    writeFileSync(notePath, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
  } catch (error) {
    database.close()
    if (isLocked(error)) throw new StoreError('locked', heldMessage(dir, readHolder(notePath)), { cause: error })
    throw storeError(error, path, 'lock')
  }
  held.add(database)
  return {
    release() {
      held.delete(database)
      database.close()
    },
  }
}

function openLock(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path)
  } catch (error) {
    throw storeError(error, path, 'lock')
  }
}

function heldMessage(dir: string, holder: Holder | undefined): string {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host} since ${holder.since}`
  return `data directory ${dir} is in use by ${who}; stop that daemon, or give this one another --data-dir`
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch {
    // Between taking the lock and writing the note there is none; the lock itself is what counts.
    return undefined
  }
}
