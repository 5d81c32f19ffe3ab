/** Leaves out what cannot differ, so that a diff costs as much as what changed and not as much as the object. */
import { ownOf } from '../model/raw.ts'
import { same } from './equal.ts'
import { isMap, itemsBySegment, type PlainMap, type Sides } from './keyed.ts'
import type { ListKeys, MergeKeys } from './keys.ts'

/**
 * The sides without the fields that are desired just as they are observed; `undefined` when nothing is left.
 * Items of keyed lists stay, stripped to what they are known by. The differences of the result are the
 * differences of the argument.
 */
export function narrowSides(sides: Sides<unknown>, keys: MergeKeys, path = ''): Sides<unknown> | undefined {
  const { desired, observed } = sides
  if (desired === observed) return undefined
  if (isMap(desired) && isMap(observed)) return narrowMaps(sides.lastApplied, desired, observed, keys, path)
  const by = Array.isArray(desired) && Array.isArray(observed) ? keys(path) : undefined
  return (by && narrowLists(sides, by, keys, path)) ?? (same(desired, observed) ? undefined : sides)
}

function narrowMaps(lastApplied: unknown, desired: PlainMap, observed: PlainMap, keys: MergeKeys, path: string) {
  const applied = isMap(lastApplied) ? lastApplied : undefined
  let narrowed: Sides<Record<string, unknown>> | undefined
  const place = (field: string) => {
    const inner = { lastApplied: ownOf(applied, field), desired: ownOf(desired, field), observed: ownOf(observed, field) }
    const rest = narrowSides(inner, keys, path === '' ? field : `${path}.${field}`)
    if (rest === undefined) return
    narrowed ??= { lastApplied: applied && draft(), desired: draft(), observed: draft() }
    for (const side of sideNames) if (narrowed[side] !== undefined) narrowed[side][field] = rest[side]
  }
  for (const field of Object.keys(desired)) place(field)
  for (const field of Object.keys(observed)) if (!Object.hasOwn(desired, field)) place(field)
  return narrowed && { ...narrowed, lastApplied: narrowed.lastApplied ?? lastApplied }
}

const sideNames = ['lastApplied', 'desired', 'observed'] as const

/** `undefined` also where the lists cannot be keyed. */
function narrowLists(sides: Sides<unknown>, by: ListKeys, keys: MergeKeys, path: string): Sides<unknown> | undefined {
  if (same(sides.desired, sides.observed)) return undefined
  const [applied, desired, observed] = sideNames.map((side) => itemsBySegment(sides[side], by.fields))
  if (desired === undefined || observed === undefined) return undefined
  const narrowed = { lastApplied: new Map(applied), desired: new Map(desired), observed: new Map(observed) }
  for (const [segment, item] of desired) {
    const inner = { lastApplied: applied?.get(segment), desired: item, observed: observed.get(segment) }
    if (inner.observed === undefined) continue
    const rest = narrowSides(inner, keys, path)
    for (const side of sideNames) {
      const whole = inner[side]
      if (whole !== undefined) narrowed[side].set(segment, identified(whole, rest?.[side], by.fields))
    }
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
