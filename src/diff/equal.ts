/** Equality of JSON values. */

/**
 * Whether two JSON values say the same: order of map keys does not matter, order of lists does, and a key
 * that is `undefined` is a key that is not there. Cheap where both share parts, and on frozen values.
 */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => same(item, b[index]))
  if (Array.isArray(b)) return false
  return sameMaps(a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>)
}

function sameMaps(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  let present = 0
  for (const key of Object.keys(a)) {
    const item = a[key]
    if (item === undefined) continue
    if (!Object.hasOwn(b, key) || !same(item, b[key])) return false
    present += 1
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) present -= 1
  return present === 0
}
