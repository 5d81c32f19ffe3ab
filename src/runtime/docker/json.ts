/**
 * Readers of untrusted JSON: whatever the engine answers becomes a value of the expected type.
 * A field that is missing or of another type is the type's zero value, never an exception.
 */

export type Json = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function record(value: unknown): Json {
  return isRecord(value) ? value : {}
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

export function flag(value: unknown): boolean {
  return value === true
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function texts(value: unknown): readonly string[] {
  return list(value).filter((item) => typeof item === 'string')
}

/** A map of strings; values of other types are left out. Keys come sorted, so equal maps print alike. */
export function textMap(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(record(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

/** RFC 3339 to ms since the epoch; 0 for Go's zero time and for anything unreadable. */
export function instant(value: unknown): number {
  const ms = Date.parse(text(value))
  return Number.isFinite(ms) && ms > 0 ? ms : 0
}
