/** Which keys have a pass of their own. */
import type { ObjectKey } from '../model/types.ts'

const WORKLOADS: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
  'DaemonSet',
  'Pod',
])

export function isWorkload(key: ObjectKey): boolean {
  return WORKLOADS.has(key.slice(0, key.indexOf('/')))
}

export function isService(key: ObjectKey): boolean {
  return key.startsWith('Service/')
}
