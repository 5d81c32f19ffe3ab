/** Which keys a newly wanted state may give work to; everything else is as the last pass left it. */
import { byText, workloadKinds } from '../diff/order.ts'
import { type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { Effective } from './assess.ts'

export interface Intent {
  readonly effective: ReadonlyMap<ObjectKey, Effective>
  readonly prune: ReadonlySet<ObjectKey>
}

/**
 * Keys whose object is another one, or comes, goes, or is to be pruned or not any more; and workloads beside a changed
 * ConfigMap, Secret, ServiceAccount or claim, which they may refer to. Objects are frozen, so one that is the same value is the same object.
 */
export function dueKeys(before: Intent, after: Intent): readonly ObjectKey[] {
  const touched = new Set<ObjectKey>()
  for (const [key, { object }] of after.effective) if (before.effective.get(key)?.object !== object) touched.add(key)
  for (const key of before.effective.keys()) if (!after.effective.has(key)) touched.add(key)
  for (const key of before.prune) if (!after.prune.has(key)) touched.add(key)
  for (const key of after.prune) if (!before.prune.has(key)) touched.add(key)
  for (const key of dependents(touched, after)) touched.add(key)
  return [...touched].sort(byText)
}

function dependents(touched: ReadonlySet<ObjectKey>, { effective }: Intent): ObjectKey[] {
  const namespaces = new Set<string>()
  for (const key of touched) {
    const { kind, namespace } = splitKey(key)
    if (kind === 'ConfigMap' || kind === 'Secret' || kind === 'ServiceAccount' || kind === 'PersistentVolumeClaim')
      namespaces.add(namespace)
    // Any claim may get it, in any namespace.
    if (kind === 'PersistentVolume' || kind === 'StorageClass') namespaces.add('')
  }
  if (namespaces.size === 0) return []
  return [...effective.keys()].filter((key) => {
    const { kind, namespace } = splitKey(key)
    return workloadKinds.has(kind) && (namespaces.has('') || namespaces.has(namespace))
  })
}
