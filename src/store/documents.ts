/** One table of JSON documents, held in memory for reading and written through. */
import type { DatabaseSync } from 'node:sqlite'
import { deepFreeze } from '../model/canonical.ts'
import { Damage, type DocumentTable } from './database.ts'
import type { Transactions } from './undo.ts'

export interface Documents<T> {
  /** live: shows every later change */
  readonly map: ReadonlyMap<string, T>
  set(key: string, value: T): void
  delete(key: string): void
}

/** All rows of a table, frozen, sorted by key. @throws Damage on a row that is no JSON object */
export function readDocuments<T>(database: DatabaseSync, table: DocumentTable): Map<string, T> {
  const rows = database.prepare(`SELECT key, body FROM ${table} ORDER BY key`).all()
  return new Map(rows.map((row) => [String(row.key), parseBody<T>(`${table} ${row.key}`, row.body)]))
}

/** The frozen value of one row's JSON text; `where` names the row in the message. @throws Damage */
export function parseBody<T>(where: string, body: unknown): T {
  try {
    const value: unknown = JSON.parse(String(body))
    if (value !== null && typeof value === 'object') return deepFreeze(value) as T
  } catch {
    // Told below: the text itself is not repeated.
  }
  throw new Damage(`the row ${where} is malformed`)
}

export function createDocuments<T>(
  database: DatabaseSync,
  table: DocumentTable,
  map: Map<string, T>,
  transactions: Transactions,
): Documents<T> {
  const write = database.prepare(
    `INSERT INTO ${table} (key, body) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body`,
  )
  const erase = database.prepare(`DELETE FROM ${table} WHERE key = ?`)

  const restore = (key: string, before: T | undefined) => (): void => {
    if (before === undefined) map.delete(key)
    else map.set(key, before)
  }

  return {
    map,
    set(key, value) {
      const before = map.get(key)
      if (before === value) return
      const text = JSON.stringify(value)
      // Making the text is cheap, a flush to disk is not.
      if (before !== undefined && JSON.stringify(before) === text) return
      transactions.run(() => {
        write.run(key, text)
        transactions.onUndo(restore(key, before))
        map.set(key, deepFreeze(value))
      })
    },
    delete(key) {
      const before = map.get(key)
      if (before === undefined) return
      transactions.run(() => {
        erase.run(key)
        transactions.onUndo(restore(key, before))
        map.delete(key)
      })
    },
  }
}
