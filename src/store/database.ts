/** The SQLite file: opened, checked, and moved aside when it is damaged. */
import { existsSync, renameSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isCorruption, StoreError, storeError } from './error.ts'

/** Version of the tables below, kept in the file's `user_version`. */
const SCHEMA_VERSION = 1

/** Tables of one JSON document a row. */
const DOCUMENT_TABLES = ['last_applied', 'workloads', 'services', 'sources'] as const
export type DocumentTable = (typeof DOCUMENT_TABLES)[number]

const SCHEMA = `
${DOCUMENT_TABLES.map((table) => `CREATE TABLE ${table} (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;`).join('\n')}
CREATE TABLE events (key TEXT PRIMARY KEY, seq INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE history (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
PRAGMA user_version = ${SCHEMA_VERSION};
`

/** A row or a file that cannot be what Trireme has written. */
export class Damage extends Error {}

/**
 * Opens the database at `path` and reads it with `load`; a damaged file is moved aside and a new one read instead.
 *
 * @param maxBytes the file grows no larger; writes beyond it fail as `full`
 * @param load reads every row, throws `Damage` on one that is malformed
 * @throws StoreError when the file is locked, unreadable, or of a newer Trireme
 */
export function openDatabase<T>(
  path: string,
  maxBytes: number,
  stamp: () => string,
  onNotice: (message: string) => void,
  load: (database: DatabaseSync) => T,
): { readonly database: DatabaseSync; readonly loaded: T } {
  try {
    return openChecked(path, maxBytes, load)
  } catch (error) {
    if (!(error instanceof Damage) && !isCorruption(error)) throw storeError(error, path, 'open')
    const aside = `${path}.corrupt-${stamp()}`
    moveAside(path, aside)
    const why = error instanceof Error ? error.message : String(error)
    onNotice(
      `${path} is damaged (${why}): moved to ${aside} and begun anew; history is lost, running workloads are adopted by their labels`,
    )
  }
  try {
    return openChecked(path, maxBytes, load)
  } catch (error) {
    throw storeError(error, path, 'open')
  }
}

function openChecked<T>(path: string, maxBytes: number, load: (database: DatabaseSync) => T) {
  const database = new DatabaseSync(path, { timeout: 1_000 })
  try {
    configure(database, maxBytes)
    check(database)
    migrate(database, path)
    return { database, loaded: load(database) }
  } catch (error) {
    database.close()
    throw error
  }
}

function configure(database: DatabaseSync, maxBytes: number): void {
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  // The write-ahead log shrinks back after a burst.
  database.exec(`PRAGMA journal_size_limit = ${8 * 1024 * 1024}`)
  const pageBytes = Number(Object.values(database.prepare('PRAGMA page_size').get() ?? {})[0])
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`)
}

function check(database: DatabaseSync): void {
  const rows = database.prepare('PRAGMA quick_check(1)').all()
  const said = String(Object.values(rows[0] ?? {})[0])
  if (said !== 'ok') throw new Damage(said)
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  if (version === SCHEMA_VERSION) return
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      'failed',
      `${path} was written by a newer Trireme (schema ${version}, this one knows ${SCHEMA_VERSION}); run that version, or move the file away`,
    )
  }
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table'").get()
  if (Number(tables?.count) > 0) throw new Damage('its tables are not those of Trireme')
  database.exec(`BEGIN; ${SCHEMA} COMMIT`)
}

/** The log and the index go with their file: with them it can still be opened and looked into. */
function moveAside(path: string, aside: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  }
}
