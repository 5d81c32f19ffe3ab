/** The port to durable memory: small, synchronous, transactional. */
import type { LoadedObject } from '../model/types/loaded.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import type { ServiceMemory, WorkloadMemory } from '../reconcilers/memory.ts'
import type { EventRecord } from '../reconcilers/status.ts'

/** Revisions of one source, kept apart on purpose; `''` for none. */
export interface SourceRecord {
  readonly name: string
  readonly attempted: string
  readonly applied: string
  readonly healthy: string
  /** ms since the epoch */
  readonly lastFetch: number
}

/** A finished rollout or sync, for history. */
export interface HistoryEntry {
  readonly at: number
  readonly source: string
  readonly revision: string
  readonly result: 'attempted' | 'applied' | 'healthy' | 'failed' | 'superseded'
  readonly message: string
}

export interface Store {
  /** Runs `work` in one durable transaction; an error rolls it back and is thrown on. */
  transaction<T>(work: () => T): T

  lastApplied(): ReadonlyMap<ObjectKey, LoadedObject>
  setLastApplied(key: ObjectKey, object: LoadedObject): void
  deleteLastApplied(key: ObjectKey): void

  workloads(): ReadonlyMap<ObjectKey, WorkloadMemory>
  setWorkload(key: ObjectKey, memory: WorkloadMemory): void
  deleteWorkload(key: ObjectKey): void

  services(): ReadonlyMap<ObjectKey, ServiceMemory>
  setService(key: ObjectKey, memory: ServiceMemory): void
  deleteService(key: ObjectKey): void

  source(name: string): SourceRecord | undefined
  setSource(record: SourceRecord): void

  addHistory(entry: HistoryEntry): void
  history(limit: number): readonly HistoryEntry[]

  /** Adds or counts up an event (same type, reason, object, message); keeps the newest `limit` of 5 000. */
  addEvent(event: EventRecord): void
  events(limit: number): readonly EventRecord[]

  /** The key of the keyed digests of secrets, 32 bytes, made once and kept beside the database. */
  digestKey(): Uint8Array

  close(): void
}
