/** Reading documents of unknown shape without ever throwing: what is not there, or is something else, reads as empty. */

export type Raw = Readonly<Record<string, unknown>>

const nothing: Raw = Object.freeze({})

export function isMap(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of an own key; `null` reads as absent, as the API server reads it. */
export function field(map: Raw, key: string): unknown {
  return Object.hasOwn(map, key) ? (map[key] ?? undefined) : undefined
}

/** The same of a map whose values have a type: a key such as `constructor` never finds what every object inherits. */
export function ownOf<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined
}

export function has(map: Raw, key: string): boolean {
  return field(map, key) !== undefined
}

export function mapAt(map: Raw, ...keys: readonly string[]): Raw {
  let at: Raw = map
  for (const key of keys) {
    const next = field(at, key)
    at = isMap(next) ? next : nothing
  }
  return at
}

export function listAt(map: Raw, key: string): readonly unknown[] {
  const value = field(map, key)
  return Array.isArray(value) ? value : []
}

export function mapsAt(map: Raw, key: string): readonly Raw[] {
  return listAt(map, key).map((item) => (isMap(item) ? item : nothing))
}

export function textAt(map: Raw, key: string): string | undefined {
  const value = field(map, key)
  return typeof value === 'string' ? value : undefined
}

export function numberAt(map: Raw, key: string): number | undefined {
  const value = field(map, key)
  return typeof value === 'number' ? value : undefined
}

export function flagAt(map: Raw, key: string): boolean | undefined {
  const value = field(map, key)
  return typeof value === 'boolean' ? value : undefined
}

export function textsAt(map: Raw, key: string): readonly string[] {
  return listAt(map, key).filter((item) => typeof item === 'string')
}

/** A map of texts; a null value reads as the empty text, as Go's JSON decoder reads it. */
export function textMapAt(map: Raw, key: string): Readonly<Record<string, string>> {
  const texts: [string, string][] = []
  for (const [name, value] of Object.entries(mapAt(map, key))) {
    if (typeof value === 'string') texts.push([name, value])
    else if (value === null) texts.push([name, ''])
  }
  return Object.fromEntries(texts)
}
