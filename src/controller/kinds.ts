/** Which keys have a pass of their own. */
import type { ObjectKey } from '../model/types/meta.ts'

const WORKLOADS: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Pod',
])

export function isWorkload(key: ObjectKey): boolean {
  return WORKLOADS.has(key.slice(0, key.indexOf('/')))
}

/** Whether its pass looks after pods; a CronJob makes Jobs, and they do. */
export function ownsPods(key: ObjectKey): boolean {
  return isWorkload(key) && !key.startsWith('CronJob/')
}

export function isService(key: ObjectKey): boolean {
  return key.startsWith('Service/')
}
