/** Durable memory in one SQLite file: reads come from memory, every change is on disk before it returns. */
import { chmodSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { LoadedObject } from '../model/types/loaded.ts'
import type { ServiceMemory, WorkloadMemory } from '../reconcilers/memory.ts'
import { openDatabase } from './database.ts'
import { loadDigestKey } from './digestkey.ts'
import { createDocuments, readDocuments } from './documents.ts'
import { storeError } from './error.ts'
import { makePrivateFolder } from './folder.ts'
import { createEventLog, createHistoryLog, readJournal } from './journal.ts'
import { stampOf } from './keyfile.ts'
import { takeLock } from './lock.ts'
import type { SourceRecord, Store } from './store.ts'
import { createTransactions } from './undo.ts'

export interface StoreOptions {
  /** made, 0700, when there is none */
  readonly dir: string
  /** ms since the epoch */
  readonly now: () => number
  /** bytes fit for a key */
  readonly random: (bytes: number) => Uint8Array
  /** told what the operator should know, such as a damaged file moved aside */
  readonly onNotice: (message: string) => void
  /** the database grows no larger, bytes; default 1 GiB */
  readonly maxBytes?: number
}

/**
 * Opens `<dir>/trireme.db` and holds `dir` for this process until `close`.
 *
 * A damaged file is moved aside as `trireme.db.corrupt-<time>`, told, and begun anew. Changes outside a
 * transaction are transactions of their own; values are frozen when stored; `events` and `history` give the
 * newest first.
 *
 * @throws StoreError `locked` when another daemon holds `dir`, `full`, or `failed`
 */
export function openStore(options: StoreOptions): Store {
  const { dir, now } = options
  makePrivate(dir)
  const lock = takeLock(dir, now)
  try {
    const stamp = (): string => stampOf(now())
    const key = loadKey(options, stamp)
    const path = join(dir, 'trireme.db')
    const { database, loaded } = openDatabase(path, options.maxBytes ?? 2 ** 30, stamp, options.onNotice, readAll)
    return assemble(path, database, loaded, key, () => lock.release())
  } catch (error) {
    lock.release()
    throw error
  }
}

function makePrivate(dir: string): void {
  try {
    makePrivateFolder(dir)
    if ((statSync(dir).mode & 0o077) !== 0) chmodSync(dir, 0o700)
  } catch (error) {
    throw storeError(error, dir, 'use data directory')
  }
}

function loadKey(options: StoreOptions, stamp: () => string): Uint8Array {
  try {
    return loadDigestKey(options.dir, options.random, stamp, options.onNotice)
  } catch (error) {
    throw storeError(error, join(options.dir, 'digest.key'), 'use')
  }
}

type Loaded = ReturnType<typeof readAll>

function readAll(database: DatabaseSync) {
  return {
    lastApplied: readDocuments<LoadedObject>(database, 'last_applied'),
    workloads: readDocuments<WorkloadMemory>(database, 'workloads'),
    services: readDocuments<ServiceMemory>(database, 'services'),
    sources: readDocuments<SourceRecord>(database, 'sources'),
    journal: readJournal(database),
  }
}

function assemble(path: string, database: DatabaseSync, loaded: Loaded, key: Uint8Array, release: () => void): Store {
  const transactions = createTransactions(database, path)
  const lastApplied = createDocuments(database, 'last_applied', loaded.lastApplied, transactions)
  const workloads = createDocuments(database, 'workloads', loaded.workloads, transactions)
  const services = createDocuments(database, 'services', loaded.services, transactions)
  const sources = createDocuments(database, 'sources', loaded.sources, transactions)
  const events = createEventLog(database, loaded.journal.events, transactions)
  const history = createHistoryLog(database, loaded.journal.history, transactions)
  let open = true
  return {
    transaction: (work) => transactions.run(work),
    lastApplied: () => lastApplied.map,
    setLastApplied: lastApplied.set,
    deleteLastApplied: lastApplied.delete,
    workloads: () => workloads.map,
    setWorkload: workloads.set,
    deleteWorkload: workloads.delete,
    services: () => services.map,
    setService: services.set,
    deleteService: services.delete,
    source: (name) => sources.map.get(name),
    setSource: (record) => sources.set(record.name, record),
    addHistory: history.add,
    history: history.newest,
    addEvent: events.add,
    events: events.newest,
    digestKey: () => key.slice(),
    close() {
      if (!open) return
      open = false
      database.close()
      release()
    },
  }
}
