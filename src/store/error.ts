/** Failures of durable memory, by what happens next. */

/**
 * - `full`: no space left; the transaction is undone, free space and try again.
 * - `locked`: another daemon holds the data directory, or another program the database.
 * - `failed`: everything else; the message says what SQLite or the file system said.
 */
export type StoreErrorKind = 'full' | 'locked' | 'failed'

export class StoreError extends Error {
  readonly kind: StoreErrorKind
  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.kind = kind
  }
}

/** SQLite's primary result codes, https://sqlite.org/rescode.html */
const ERROR = 1
const BUSY = 5
const LOCKED = 6
const CORRUPT = 11
const FULL = 13
const NOTADB = 26

const primaryCode = (error: unknown): number => {
  const code = (error as { errcode?: unknown } | null)?.errcode
  // The low byte is the primary code; the rest refines it.
  return typeof code === 'number' ? code & 0xff : 0
}

const systemCode = (error: unknown): unknown => (error as { code?: unknown } | null)?.code

/** True when SQLite says that the file is damaged, is no database at all, or lacks a table or column. */
export function isCorruption(error: unknown): boolean {
  const code = primaryCode(error)
  return code === CORRUPT || code === NOTADB || code === ERROR
}

export function isLocked(error: unknown): boolean {
  const code = primaryCode(error)
  return code === BUSY || code === LOCKED
}

/** True for what SQLite itself says. */
export function isSqliteFailure(error: unknown): boolean {
  return systemCode(error) === 'ERR_SQLITE_ERROR'
}

/**
 * The same failure as a `StoreError` that names `path` and a remedy.
 *
 * @param doing what was attempted, such as `write`
 */
export function storeError(error: unknown, path: string, doing: string): StoreError {
  if (error instanceof StoreError) return error
  const said = error instanceof Error ? error.message : String(error)
  const options = { cause: error }
  const system = systemCode(error)
  if (primaryCode(error) === FULL || system === 'ENOSPC' || system === 'EDQUOT') {
    return new StoreError('full', `cannot ${doing} ${path}: no space left (${said}); free space on its file system`, options)
  }
  if (isLocked(error)) {
    return new StoreError('locked', `cannot ${doing} ${path}: another program holds it (${said})`, options)
  }
  const remedy = system === 'EACCES' || system === 'EPERM' || system === 'EROFS' ? '; make it writable for this user' : ''
  return new StoreError('failed', `cannot ${doing} ${path}: ${said}${remedy}`, options)
}
