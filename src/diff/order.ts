/** The order in which objects are applied: what others stand on comes first. */
import type { ObjectKey } from '../model/types/meta.ts'

/** Kinds that run pods. */
export const workloadKinds: ReadonlySet<string> = new Set([
  'CronJob',
  'DaemonSet',
  'Deployment',
  'Job',
  'Pod',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
])

const foundations = ['Namespace', 'ConfigMap', 'Secret', 'Service']

/** Keys by apply order: Namespace, ConfigMap, Secret, Service, workloads, then all others; by key within each. */
export function inApplyOrder(keys: Iterable<ObjectKey>): ObjectKey[] {
  const ranks: ObjectKey[][] = []
  for (const key of keys) {
    const rank = rankOf(key)
    const alike = ranks[rank]
    if (alike === undefined) ranks[rank] = [key]
    else alike.push(key)
  }
  return ranks.flatMap((alike) => alike.sort())
}

/** Sorts texts by UTF-16 code unit, the same on any machine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function rankOf(key: ObjectKey): number {
  const kind = key.slice(0, key.indexOf('/'))
  const rank = foundations.indexOf(kind)
  if (rank >= 0) return rank
  return workloadKinds.has(kind) ? foundations.length : foundations.length + 1
}
