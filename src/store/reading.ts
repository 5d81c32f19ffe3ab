/** Durable memory read beside a running daemon: for showing plans, never for acting. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { LoadedObject } from '../model/types/loaded.ts'
import type { ServiceMemory, WorkloadMemory } from '../reconcilers/memory.ts'
import { readDocuments } from './documents.ts'
import { storeError } from './error.ts'
import type { Store } from './store.ts'

export type StoreReading = Pick<Store, 'lastApplied' | 'workloads' | 'services' | 'digestKey'>

/** What `dir` remembers now; empty, with a key of zeros, where there is nothing yet. Errors: `StoreError`. */
export function readStore(dir: string): StoreReading {
  const path = join(dir, 'trireme.db')
  if (!existsSync(path)) return reading(new Map(), new Map(), new Map(), new Uint8Array(32))
  try {
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      return reading(
        new Map(readDocuments<LoadedObject>(database, 'last_applied')),
        new Map(readDocuments<WorkloadMemory>(database, 'workloads')),
        new Map(readDocuments<ServiceMemory>(database, 'services')),
        readFileSync(join(dir, 'digest.key')),
      )
    } finally {
      database.close()
    }
  } catch (error) {
    throw storeError(error, path, 'read')
  }
}

function reading(
  lastApplied: ReadonlyMap<string, LoadedObject>,
  workloads: ReadonlyMap<string, WorkloadMemory>,
  services: ReadonlyMap<string, ServiceMemory>,
  key: Uint8Array,
): StoreReading {
  return { lastApplied: () => lastApplied, workloads: () => workloads, services: () => services, digestKey: () => key }
}
