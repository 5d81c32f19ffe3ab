/** Leaves out what cannot differ, so that a diff costs as much as what changed and not as much as the object. */
import { same } from './equal.ts'
import { isMap, itemsBySegment, type PlainMap, type Sides } from './keyed.ts'
import type { ListKeys, MergeKeys } from './keys.ts'

/**
 * The sides without the fields that are desired just as they are observed. Items of keyed lists stay, stripped
 * to what they are known by. The differences of the result are the differences of the argument.
 */
export function narrowSides(sides: Sides<unknown>, keys: MergeKeys, path = ''): Sides<unknown> {
  const { desired, observed } = sides
  if (isMap(desired) && isMap(observed)) return narrowMaps(sides, desired, observed, keys, path)
  if (!Array.isArray(desired) || !Array.isArray(observed)) return sides
  const by = keys(path)
  return by === undefined ? sides : narrowLists(sides, by, keys, path)
}

function narrowMaps({ lastApplied }: Sides<unknown>, desired: PlainMap, observed: PlainMap, keys: MergeKeys, path: string) {
  const applied = isMap(lastApplied) ? lastApplied : undefined
  const narrowed = { lastApplied: applied === undefined ? lastApplied : draft(), desired: draft(), observed: draft() }
  const place = (field: string) => {
    const inner = { lastApplied: own(applied, field), desired: own(desired, field), observed: own(observed, field) }
    if (same(inner.desired, inner.observed)) return
    const rest = narrowSides(inner, keys, path === '' ? field : `${path}.${field}`)
    if (applied !== undefined) (narrowed.lastApplied as Record<string, unknown>)[field] = rest.lastApplied
    narrowed.desired[field] = rest.desired
    narrowed.observed[field] = rest.observed
  }
  for (const field of Object.keys(desired)) place(field)
  for (const field of Object.keys(observed)) if (!Object.hasOwn(desired, field)) place(field)
  return narrowed
}

function narrowLists(sides: Sides<unknown>, by: ListKeys, keys: MergeKeys, path: string): Sides<unknown> {
  const desired = itemsBySegment(sides.desired, by.fields)
  const observed = itemsBySegment(sides.observed, by.fields)
  if (desired === undefined || observed === undefined) return sides
  const applied = itemsBySegment(sides.lastApplied, by.fields)
  const narrowed = { lastApplied: new Map(applied), desired: new Map(desired), observed: new Map(observed) }
  for (const [segment, item] of desired) {
    const inner = { lastApplied: applied?.get(segment), desired: item, observed: observed.get(segment) }
    if (inner.observed === undefined) continue
    const rest = same(inner.desired, inner.observed) ? undefined : narrowSides(inner, keys, path)
    narrowed.desired.set(segment, identified(item, rest?.desired, by.fields))
    narrowed.observed.set(segment, identified(inner.observed, rest?.observed, by.fields))
    if (inner.lastApplied !== undefined)
      narrowed.lastApplied.set(segment, identified(inner.lastApplied, rest?.lastApplied, by.fields))
  }
  return {
    lastApplied: applied === undefined ? sides.lastApplied : [...narrowed.lastApplied.values()],
    desired: [...narrowed.desired.values()],
    observed: [...narrowed.observed.values()],
  }
}

/** What is left of an item, with the fields it is known by. */
function identified(item: PlainMap, rest: unknown, fields: readonly string[]): PlainMap {
  const kept = Object.assign(draft(), rest)
  for (const field of fields) if (Object.hasOwn(item, field)) kept[field] = item[field]
  return kept
}

/** Without a prototype, so that no key of hostile YAML means anything. */
function draft(): Record<string, unknown> {
  return Object.create(null)
}

function own(map: PlainMap | undefined, field: string): unknown {
  return map !== undefined && Object.hasOwn(map, field) ? map[field] : undefined
}
