/** What happened: events counted up, and history; both bounded, newest kept. */
import type { DatabaseSync } from 'node:sqlite'
import { deepFreeze } from '../model/canonical.ts'
import type { EventRecord } from '../reconcilers/status.ts'
import { parseBody } from './documents.ts'
import type { HistoryEntry } from './store.ts'
import type { Transactions } from './undo.ts'

const EVENT_LIMIT = 5_000
const HISTORY_LIMIT = 1_000

interface Numbered<T> {
  readonly seq: number
  readonly value: T
}

/** Both journals as read from the file, oldest first. */
interface JournalRows {
  /** by identity: type, reason, object and message */
  readonly events: Map<string, Numbered<EventRecord>>
  readonly history: Numbered<HistoryEntry>[]
}

export function readJournal(database: DatabaseSync): JournalRows {
  const events = database.prepare('SELECT key, seq, body FROM events ORDER BY seq').all()
  const history = database.prepare('SELECT seq, body FROM history ORDER BY seq').all()
  return {
    events: new Map(events.map((row) => [String(row.key), numbered<EventRecord>('events', row)])),
    history: history.map((row) => numbered<HistoryEntry>('history', row)),
  }
}

function numbered<T>(table: string, row: Record<string, unknown>): Numbered<T> {
  return { seq: Number(row.seq), value: parseBody<T>(`${table} ${row.seq}`, row.body) }
}

const identity = (event: EventRecord): string => JSON.stringify([event.type, event.reason, event.object, event.message])

export interface EventLog {
  add(event: EventRecord): void
  /** newest first */
  newest(limit: number): EventRecord[]
}

/** An event seen before counts up, keeps its first time, and becomes the newest. */
export function createEventLog(database: DatabaseSync, rows: JournalRows['events'], transactions: Transactions): EventLog {
  const write = database.prepare(
    'INSERT INTO events (key, seq, body) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, body = excluded.body',
  )
  const erase = database.prepare('DELETE FROM events WHERE key = ?')
  let lastSeq = [...rows.values()].at(-1)?.seq ?? 0

  /** The map's own order is the order of age, so a change is always delete, then set. */
  const place = (key: string, entry: Numbered<EventRecord>): void => {
    rows.delete(key)
    rows.set(key, entry)
  }
  const reorder = (): void => {
    const sorted = [...rows].sort(([, a], [, b]) => a.seq - b.seq)
    rows.clear()
    for (const [key, entry] of sorted) rows.set(key, entry)
  }
  const dropOldest = (): void => {
    const oldest = rows.entries().next().value
    if (oldest === undefined) return
    const [key, entry] = oldest
    erase.run(key)
    rows.delete(key)
    transactions.onUndo(() => {
      rows.set(key, entry)
      reorder()
    })
  }

  return {
    add(event) {
      const key = identity(event)
      const before = rows.get(key)
      const value = deepFreeze(before === undefined ? { ...event } : countUp(before.value, event))
      transactions.run(() => {
        lastSeq += 1
        write.run(key, lastSeq, JSON.stringify(value))
        transactions.onUndo(() => {
          if (before === undefined) rows.delete(key)
          else rows.set(key, before)
          reorder()
        })
        place(key, { seq: lastSeq, value })
        while (rows.size > EVENT_LIMIT) dropOldest()
      })
    },
    newest: (limit) => newestOf([...rows.values()], limit),
  }
}

function countUp(before: EventRecord, event: EventRecord): EventRecord {
  return { ...event, count: before.count + event.count, firstAt: before.firstAt }
}

export interface HistoryLog {
  add(entry: HistoryEntry): void
  /** newest first */
  newest(limit: number): HistoryEntry[]
}

export function createHistoryLog(database: DatabaseSync, rows: JournalRows['history'], transactions: Transactions): HistoryLog {
  const write = database.prepare('INSERT INTO history (seq, body) VALUES (?, ?)')
  const erase = database.prepare('DELETE FROM history WHERE seq <= ?')
  return {
    add(entry) {
      const seq = (rows.at(-1)?.seq ?? 0) + 1
      const value = deepFreeze({ ...entry })
      transactions.run(() => {
        write.run(seq, JSON.stringify(value))
        const dropped = rows.slice(0, Math.max(0, rows.length + 1 - HISTORY_LIMIT))
        const oldest = dropped.at(-1)
        if (oldest !== undefined) erase.run(oldest.seq)
        transactions.onUndo(() => {
          rows.pop()
          rows.unshift(...dropped)
        })
        rows.splice(0, dropped.length)
        rows.push({ seq, value })
      })
    },
    newest: (limit) => newestOf(rows, limit),
  }
}

function newestOf<T>(rows: readonly Numbered<T>[], limit: number): T[] {
  if (limit <= 0) return []
  return rows
    .slice(-limit)
    .reverse()
    .map((row) => row.value)
}
