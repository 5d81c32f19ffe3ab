/** One text for one value, whatever order its maps were written in. */
import { createHash } from 'node:crypto'

/**
 * JSON with sorted keys and no white space; equal values give equal texts.
 *
 * As JSON does: keys whose value is `undefined` are left out, `undefined` inside an array is `null`,
 * and a number that is not finite is `null`. Keys sort by UTF-16 code unit, on any machine.
 */
export function canonicalText(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  const map = value as Readonly<Record<string, unknown>>
  const entries: string[] = []
  for (const key of Object.keys(map).sort()) {
    const item = map[key]
    if (item !== undefined) entries.push(`${JSON.stringify(key)}:${canonicalText(item)}`)
  }
  return `{${entries.join(',')}}`
}

/** SHA-256 of the text's UTF-8 bytes, 64 lower-case hex digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** Freezes a JSON value and everything in it; returns the same value. */
export function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}
