/** Rewriting documents of unknown shape without ever throwing: what is of another shape stays, for the checks to find. */
import { field, has, isMap, type Raw } from './raw.ts'

export type Rewrite = (map: Raw) => Raw

/** The map at `key` rewritten. */
export function within(map: Raw, key: string, rewrite: Rewrite): Raw {
  const inner = field(map, key)
  return isMap(inner) ? { ...map, [key]: rewrite(inner) } : map
}

/** Every map in the list at `key` rewritten. */
export function each(map: Raw, key: string, rewrite: Rewrite): Raw {
  const list = field(map, key)
  return Array.isArray(list) ? { ...map, [key]: list.map((item) => (isMap(item) ? rewrite(item) : item)) } : map
}

export function renamed(map: Raw, from: string, to: string): Raw {
  return has(map, from) ? { ...without(map, from), [to]: field(map, from) } : without(map, from)
}

export function withDefaults(map: Raw, defaults: Raw): Raw {
  const missing = Object.entries(defaults).filter(([key]) => !has(map, key))
  return missing.length === 0 ? map : { ...map, ...Object.fromEntries(missing) }
}

export function without(map: Raw, ...keys: readonly string[]): Raw {
  return keys.some((key) => Object.hasOwn(map, key))
    ? Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)))
    : map
}

/** Only what has a value: `null` and `undefined` are left out. */
export function said(map: Raw): Raw {
  return Object.fromEntries(Object.entries(map).filter(([key]) => has(map, key)))
}
