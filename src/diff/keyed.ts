/**
 * Keyed form: JSON in which lists of identifiable items have become maps, so that a comparison by path
 * compares like with like wherever an item stands.
 *
 * A map becomes `{'.field': …}`, a keyed list `{'[name=app]': …, '[order]': …}`; any other list stays a list
 * and is compared as a whole. Since every key carries its mark, a key of hostile YAML such as `__proto__` or
 * `constructor` never is the name of anything an object inherits.
 */
import type { MergeKeys } from './keys.ts'
import { itemSegment, type Segment } from './path.ts'

export type Keyed = string | number | boolean | null | KeyedMap | readonly Keyed[]
export interface KeyedMap {
  readonly [segment: Segment]: Keyed
}

/** The three values of one place; `undefined` where it does not exist. */
export interface Sides<T> {
  readonly lastApplied: T | undefined
  readonly desired: T | undefined
  readonly observed: T | undefined
}

/** Holds the items' segments in order, or `false` where their order means nothing. */
export const orderSegment: Segment = '[order]'

/**
 * All three sides in keyed form; each for itself, for the shape of one must not change what another says.
 * Keys whose value is `undefined` are not there; `null` is kept on the sides that ask for things and dropped
 * from what is observed, where it says no more than absence. Never changes its arguments.
 */
export function keySides({ lastApplied, desired, observed }: Sides<unknown>, keys: MergeKeys): Sides<Keyed> {
  const asked = (side: unknown) => (side === undefined ? undefined : key(side, { keys, keepNulls: true }, ''))
  return {
    lastApplied: asked(lastApplied),
    desired: asked(desired),
    observed: observed === undefined || observed === null ? undefined : key(observed, { keys, keepNulls: false }, ''),
  }
}

export type PlainMap = Readonly<Record<string, unknown>>

interface Keying {
  readonly keys: MergeKeys
  readonly keepNulls: boolean
}

export function isMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function key(value: unknown, keying: Keying, path: string): Keyed {
  if (Array.isArray(value)) return keyList(value, keying, path) ?? value.map(mark)
  if (!isMap(value)) return plain(value)
  const keyed: Record<Segment, Keyed> = {}
  for (const field of Object.keys(value)) {
    const inner = value[field]
    if (inner === undefined || (inner === null && !keying.keepNulls)) continue
    keyed[`.${field}`] = key(inner, keying, path === '' ? field : `${path}.${field}`)
  }
  return keyed
}

/** `undefined` when the list has no keys, or not every item has its own. */
function keyList(list: readonly unknown[], keying: Keying, path: string): Keyed | undefined {
  const by = keying.keys(path)
  const items = by === undefined ? undefined : itemsBySegment(list, by.fields)
  if (by === undefined || items === undefined) return undefined
  const keyed: Record<Segment, Keyed> = {}
  for (const [segment, item] of items) keyed[segment] = key(item, keying, path)
  keyed[orderSegment] = by.ordered ? [...items.keys()] : false
  return keyed
}

/** The items of a list by their segment, in order; `undefined` when it is no list of which each item has its own. */
export function itemsBySegment(list: unknown, fields: readonly string[]): ReadonlyMap<Segment, PlainMap> | undefined {
  if (!Array.isArray(list)) return undefined
  const items = new Map<Segment, PlainMap>()
  for (const item of list) {
    const segment = isMap(item) ? segmentOf(item, fields) : undefined
    if (segment === undefined || items.has(segment)) return undefined
    items.set(segment, item)
  }
  return items
}

/** `undefined` when the item lacks every identifying field, or one of them is no plain value. */
function segmentOf(item: PlainMap, fields: readonly string[]): Segment | undefined {
  const identity: [string, string | number | boolean][] = []
  for (const field of fields) {
    const value = Object.hasOwn(item, field) ? item[field] : undefined
    if (value === undefined || value === null) continue
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
    identity.push([field, value])
  }
  return identity.length === 0 ? undefined : itemSegment(identity)
}

/** Keyed form of what stands in a list that is replaced as a whole: nothing in it is merged, nulls included. */
function mark(value: unknown): Keyed {
  if (Array.isArray(value)) return value.map(mark)
  if (!isMap(value)) return plain(value)
  const marked: Record<Segment, Keyed> = {}
  for (const field of Object.keys(value)) if (value[field] !== undefined) marked[`.${field}`] = mark(value[field])
  return marked
}

/** YAML knows numbers that JSON does not; they are `null`, as in canonical text. */
function plain(value: unknown): Keyed {
  return typeof value === 'number' && !Number.isFinite(value) ? null : ((value ?? null) as Keyed)
}

/** Back from keyed form; items of a list in their order, or as they stand where it means nothing. */
export function unkey(value: Keyed): unknown {
  if (Array.isArray(value)) return value.map(unkey)
  if (!isKeyedMap(value)) return value
  const order = value[orderSegment]
  if (order !== undefined) return itemsOf(value, order).map(unkey)
  return Object.fromEntries(Object.entries(value).map(([segment, inner]) => [segment.slice(1), unkey(inner)]))
}

/** A map or a keyed list. */
export function isKeyedMap(value: Keyed | undefined): value is KeyedMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether both are maps or both are keyed lists, so that one can be compared with the other place by place. */
export function alike(a: KeyedMap, b: KeyedMap): boolean {
  return (a[orderSegment] === undefined) === (b[orderSegment] === undefined)
}

function itemsOf(list: KeyedMap, order: Keyed): Keyed[] {
  const segments = Array.isArray(order) ? (order as Segment[]) : Object.keys(list).filter((segment) => segment !== orderSegment)
  return segments.flatMap((segment) => list[segment] ?? [])
}
