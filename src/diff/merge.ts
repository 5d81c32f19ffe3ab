/** Merges three sides in keyed form into what is to be there. */
import { alike, isKeyedMap, type Keyed, type KeyedMap, orderSegment, type Sides } from './keyed.ts'
import type { Segment } from './path.ts'

export interface Merged {
  /** `undefined` when nothing is to be there; free of `null`, but inside lists that are replaced as a whole */
  readonly target: Keyed | undefined
  /** places that somebody else has set and Git never had, outermost only */
  readonly foreign: readonly (readonly Segment[])[]
}

/**
 * What is desired wins; what was last applied and is no longer desired goes; what is in neither stays as
 * observed; an explicit `null` clears. Maps and keyed lists merge inside, everything else is replaced.
 * @see Kubernetes `kubectl apply`: three-way strategic merge patch
 */
export function mergeKeyed(sides: Sides<Keyed>): Merged {
  const foreign: (readonly Segment[])[] = []
  return { target: merge(sides, [], foreign), foreign }
}

function merge({ lastApplied, desired, observed }: Sides<Keyed>, at: readonly Segment[], foreign: (readonly Segment[])[]) {
  if (desired === null) return undefined
  if (desired === undefined) {
    if (lastApplied !== undefined && lastApplied !== null) return undefined
    if (observed !== undefined) foreign.push(at)
    return observed
  }
  if (!isKeyedMap(desired)) return desired
  if (!isKeyedMap(observed) || !alike(desired, observed)) return withoutNulls(desired)
  return mergeMaps(isKeyedMap(lastApplied) && alike(lastApplied, desired) ? lastApplied : {}, desired, observed, at, foreign)
}

function mergeMaps(
  lastApplied: KeyedMap,
  desired: KeyedMap,
  observed: KeyedMap,
  at: readonly Segment[],
  foreign: (readonly Segment[])[],
): KeyedMap {
  const target: Record<Segment, Keyed> = {}
  for (const segment of new Set([...Object.keys(desired), ...Object.keys(observed)])) {
    const inner = { lastApplied: lastApplied[segment], desired: desired[segment], observed: observed[segment] }
    const value: Keyed | undefined = merge(inner, [...at, segment], foreign)
    if (value !== undefined) target[segment] = value
  }
  const order = desired[orderSegment]
  if (Array.isArray(order)) target[orderSegment] = mergeOrder(order as Segment[], observed[orderSegment], target)
  return target
}

/** Items of Git in Git's order; each item of others stays behind the one it is observed behind. */
function mergeOrder(desired: readonly Segment[], observed: Keyed | undefined, target: KeyedMap): Segment[] {
  const own = new Set(desired)
  const seen = Array.isArray(observed) ? (observed as Segment[]).filter((segment) => target[segment] !== undefined) : []
  const order = [...desired]
  if (seen.every((segment) => own.has(segment))) return order
  let before = -1
  for (const segment of seen) {
    if (own.has(segment)) before = order.indexOf(segment)
    else order.splice(++before, 0, segment)
  }
  return order
}

function withoutNulls(value: Keyed): Keyed {
  if (!isKeyedMap(value)) return value
  const kept = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(kept.map(([segment, inner]) => [segment, withoutNulls(inner)]))
}
