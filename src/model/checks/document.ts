/** Every check of one document, in order: its API, its shape, its meaning. */
import { apiOf } from '../apis.ts'
import { field, mapAt, type Raw, textAt } from '../raw.ts'
import type { Report } from '../report.ts'
import type { BuiltinKind } from '../schema.ts'
import { checkShape } from '../shape.ts'
import { checkConfigMap, checkSecret } from './config.ts'
import { checkDisruptionBudget } from './disruption.ts'
import { checkEndpointSlice, checkEndpoints } from './endpoints.ts'
import { checkCronJob, checkJob } from './job.ts'
import { checkMetadata } from './metadata.ts'
import { checkPodSpec } from './pod.ts'
import { checkService } from './service.ts'
import { checkController, checkDaemonSet, checkStatefulSet } from './sets.ts'
import { checkPersistentVolume, checkPersistentVolumeClaim, checkStorageClass } from './storage.ts'
import { checkWorkload } from './workload.ts'

const meanings: Readonly<Record<string, (body: Raw, report: Report) => void>> = {
  'v1/ConfigMap': checkConfigMap,
  'v1/Secret': checkSecret,
  'v1/Pod': checkPod,
  'v1/Service': checkService,
  'v1/Endpoints': checkEndpoints,
  'discovery.k8s.io/v1/EndpointSlice': checkEndpointSlice,
  'apps/v1/Deployment': checkWorkload,
  'apps/v1/ReplicaSet': checkWorkload,
  'apps/v1/StatefulSet': checkStatefulSet,
  'apps/v1/DaemonSet': checkDaemonSet,
  'v1/ReplicationController': checkController,
  'v1/PersistentVolumeClaim': checkPersistentVolumeClaim,
  'v1/PersistentVolume': checkPersistentVolume,
  'storage.k8s.io/v1/StorageClass': checkStorageClass,
  'policy/v1/PodDisruptionBudget': checkDisruptionBudget,
  'batch/v1/Job': checkJob,
  'batch/v1/CronJob': checkCronJob,
}

/** Reports what is wrong with a document, and returns its kind as far as it is known. */
export function checkDocument(body: Raw, report: Report): BuiltinKind | 'custom' | 'unknown' {
  const apiVersion = requiredText(body, 'apiVersion', report)
  const kind = requiredText(body, 'kind', report)
  if (apiVersion === undefined || kind === undefined) return 'unknown'
  const api = apiOf(apiVersion, kind)
  if (api.type === 'unknown') {
    report([api.field], api.code, api.message, { suggestion: api.suggestion })
    return 'unknown'
  }
  if (api.type === 'custom') {
    checkMetadata(body, undefined, report)
    return 'custom'
  }
  checkKnown(body, api.kind, report)
  return api.kind
}

function requiredText(body: Raw, key: string, report: Report): string | undefined {
  const text = textAt(body, key)
  if (text !== undefined && text !== '') return text
  if (field(body, key) === undefined || text === '') report([key], 'MissingField', `required field ${key} is missing`)
  else report([key], 'WrongType', 'expected a text')
  return undefined
}

function checkKnown(body: Raw, kind: BuiltinKind, report: Report): void {
  checkShape(body, kind, report)
  checkMetadata(body, kind, report)
  meanings[`${kind.apiVersion}/${kind.kind}`]?.(body, report)
}

function checkPod(body: Raw, report: Report): void {
  if (field(body, 'spec') === undefined) report(['spec'], 'MissingField', 'required field spec is missing')
  checkPodSpec(mapAt(body, 'spec'), ['spec'], report)
}
