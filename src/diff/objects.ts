/** The three-way diff of a whole cluster, object by object. */
import type { LoadedObject } from '../model/types/loaded.ts'
import type { ObjectKey, Origin } from '../model/types/meta.ts'
import { splitKey } from '../model/types/meta.ts'
import type { ModelObject } from '../model/types/object.ts'
import { type MergeKeys, schemaKeys } from './keys.ts'
import { inApplyOrder } from './order.ts'
import { type Difference, diffThreeWay, pending } from './threeway.ts'

/** `drift`: Git asks for nothing new, and what is there is not what was applied. */
export type Change = 'create' | 'update' | 'delete' | 'drift' | 'none'

export interface ObjectDiff {
  readonly key: ObjectKey
  readonly change: Change
  /** sorted by path; foreign values that stay are among them, whatever `change` is */
  readonly differences: readonly Difference[]
  /** where Git has it, or had it; `undefined` for an object that is only observed */
  readonly origin: Origin | undefined
}

/**
 * One entry for each object on any side, in apply order, then by key.
 * `none` exactly when nothing has to be done: there is no change without a difference that shows it.
 */
export function diffCluster(
  lastApplied: ReadonlyMap<ObjectKey, LoadedObject>,
  desired: ReadonlyMap<ObjectKey, LoadedObject>,
  live: ReadonlyMap<ObjectKey, ModelObject>,
): ObjectDiff[] {
  const keysOf = keysByKind()
  const all = inApplyOrder(new Set([...desired.keys(), ...lastApplied.keys(), ...live.keys()]))
  return all.map((key) => diffObject(key, lastApplied.get(key), desired.get(key), live.get(key), keysOf))
}

function keysByKind(): (key: ObjectKey) => MergeKeys {
  const known = new Map<string, MergeKeys>()
  return (key) => {
    const { kind } = splitKey(key)
    const keys = known.get(kind) ?? schemaKeys(kind)
    known.set(kind, keys)
    return keys
  }
}

function diffObject(
  key: ObjectKey,
  lastApplied: LoadedObject | undefined,
  desired: LoadedObject | undefined,
  live: ModelObject | undefined,
  keys: (key: ObjectKey) => MergeKeys,
): ObjectDiff {
  const differences = desired?.object === live ? [] : diffThreeWay(lastApplied?.object, desired?.object, live, keys(key))
  return { key, change: classify(differences, desired, live), differences, origin: (desired ?? lastApplied)?.origin }
}

function classify(differences: readonly Difference[], desired: LoadedObject | undefined, live: ModelObject | undefined): Change {
  const changes = pending(differences)
  if (changes.length === 0) return 'none'
  if (changes.every(({ owner }) => owner === 'drift')) return 'drift'
  if (desired === undefined) return 'delete'
  return live === undefined ? 'create' : 'update'
}
