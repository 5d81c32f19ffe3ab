/** The three-way diff: what was last applied, what is desired, what is observed. */
import { same } from './equal.ts'
import { isKeyedMap, type Keyed, keySides, orderSegment, type Sides, unkey } from './keyed.ts'
import type { MergeKeys } from './keys.ts'
import { type Merged, mergeKeyed } from './merge.ts'
import { narrowSides } from './narrow.ts'
import { byText } from './order.ts'
import { compareKeyed, segmentsOf } from './patch.ts'
import { pathText, type Segment } from './path.ts'

/**
 * One place at which what is observed is not what is to be, or at which it is more than Git asks for.
 * The three values are JSON; `undefined` where there is none.
 */
export interface Difference {
  /** such as `spec.template.spec.containers[name=app].image`; `''` for the whole object */
  readonly path: string
  readonly lastApplied: unknown
  readonly desired: unknown
  readonly observed: unknown
  /** `keep`: a foreign value that stays, and no change */
  readonly action: 'set' | 'remove' | 'keep'
  /** who made the difference: the commit, somebody behind Git's back, or somebody where Git has no say */
  readonly owner: 'git' | 'drift' | 'foreign'
}

/**
 * Every difference, sorted by path. A value of `undefined` is an object that is not there.
 *
 * To set: what is desired and not observed so. To remove: what was last applied and is no longer desired, and
 * what is desired to be `null`. What is in neither stays and is told as `keep`. Lists of objects are compared
 * by their merge keys, all others as a whole. Pure; never changes its arguments; any JSON will do.
 * @see Kubernetes `kubectl apply`: three-way strategic merge patch
 */
export function diffThreeWay(lastApplied: unknown, desired: unknown, observed: unknown, keys: MergeKeys): Difference[] {
  if (same(desired, observed)) return []
  if (isAbsent(desired) || isAbsent(observed)) return diffWhole(lastApplied, desired, observed)
  const narrowed = narrowSides({ lastApplied, desired, observed }, keys)
  if (narrowed === undefined) return []
  const sides = keySides(narrowed, keys)
  const { target, foreign } = mergeKeyed(sides)
  const changes = compareKeyed(sides.observed, target).flatMap((operation) =>
    isOrderNoise(segmentsOf(operation), sides.observed, target) ? [] : [changeAt(segmentsOf(operation), operation.op, sides)],
  )
  return [...changes, ...foreign.map((segments) => keepAt(segments, sides))].sort((a, b) => byText(a.path, b.path))
}

function isAbsent(side: unknown): side is null | undefined {
  return side === undefined || side === null
}

/** Where one side has no object at all, it comes, goes or stays as a whole. */
function diffWhole(lastApplied: unknown, desired: unknown, observed: unknown): Difference[] {
  const values = { path: '', lastApplied, desired, observed: observed ?? undefined }
  const owner = same(lastApplied, desired) ? 'drift' : 'git'
  if (!isAbsent(desired)) return [{ ...values, action: 'set', owner }]
  if (isAbsent(observed)) return []
  const asked = desired === null || !isAbsent(lastApplied)
  return [asked ? { ...values, action: 'remove', owner } : { ...values, action: 'keep', owner: 'foreign' }]
}

/** What is to be there once every difference is mended; `undefined` when nothing is. */
export function mergeThreeWay(lastApplied: unknown, desired: unknown, observed: unknown, keys: MergeKeys): unknown {
  const { target }: Merged = mergeKeyed(keySides({ lastApplied, desired, observed }, keys))
  return target === undefined ? undefined : unkey(target)
}

/** Those differences that something has to be done about. */
export function pending(differences: readonly Difference[]): readonly Difference[] {
  return differences.filter(({ action }) => action !== 'keep')
}

/** In sync is to have no difference to mend, by definition: there is no out of sync without a difference to show. */
export function inSync(differences: readonly Difference[]): boolean {
  return pending(differences).length === 0
}

function changeAt(segments: readonly Segment[], op: 'add' | 'replace' | 'remove', sides: Sides<Keyed>): Difference {
  const values = valuesAt(segments, sides)
  // Git asked for a change here if what it says now is not what it said last.
  const owner = same(values.lastApplied, values.desired) ? 'drift' : 'git'
  return { path: pathText(segments), ...values, action: op === 'remove' ? 'remove' : 'set', owner }
}

function keepAt(segments: readonly Segment[], sides: Sides<Keyed>): Difference {
  return { path: pathText(segments), ...valuesAt(segments, sides), action: 'keep', owner: 'foreign' }
}

function valuesAt(segments: readonly Segment[], sides: Sides<Keyed>): Sides<unknown> {
  const read = (side: Keyed | undefined) => {
    const value = at(side, segments)
    return value === undefined ? undefined : unkey(value)
  }
  return { lastApplied: read(sides.lastApplied), desired: read(sides.desired), observed: read(sides.observed) }
}

function at(side: Keyed | undefined, segments: readonly Segment[]): Keyed | undefined {
  let value = side
  for (const segment of segments) value = isKeyedMap(value) ? value[segment] : undefined
  return value
}

/** An item that comes or goes changes the list of items; only when those on both sides swap places is that a change of its own. */
function isOrderNoise(segments: readonly Segment[], observed: Keyed | undefined, target: Keyed | undefined): boolean {
  if (segments.at(-1) !== orderSegment) return false
  const [before, after] = [at(observed, segments), at(target, segments)]
  if (!Array.isArray(before) || !Array.isArray(after)) return true
  const [had, has] = [new Set(before), new Set(after)]
  return same(
    before.filter((segment) => has.has(segment)),
    after.filter((segment) => had.has(segment)),
  )
}
