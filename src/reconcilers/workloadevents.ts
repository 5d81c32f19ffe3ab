/** What changed in a workload's memory during one pass, as Kubernetes-like events. */
import type { ObjectKey } from '../model/types/meta.ts'
import type { Controller } from './controller.ts'
import type { SetRecord, WorkloadMemory } from './memory.ts'
import type { EventNote } from './status.ts'

export function describeChanges(
  key: ObjectKey,
  setNoun: Controller['setNoun'],
  before: WorkloadMemory,
  after: WorkloadMemory,
): EventNote[] {
  if (before === after) return []
  return [
    ...(setNoun === 'Replica set' ? scaledSets(key, before, after) : []),
    ...jobEnd(key, before, after),
    ...newPods(key, before, after),
    ...leavingPods(key, before, after),
    ...failedPods(key, before, after),
    ...rolloutEnd(key, setNoun, before, after),
  ]
}

function jobEnd(key: ObjectKey, before: WorkloadMemory, { job }: WorkloadMemory): EventNote[] {
  if (!job?.end || before.job?.end?.at === job.end.at) return []
  const { result, reason, message } = job.end
  return result === 'Complete'
    ? [{ type: 'Normal', reason: 'Completed', object: key, message: `Job completed: ${message}` }]
    : [{ type: 'Warning', reason, object: key, message: `Job failed: ${message}` }]
}

function scaledSets(key: ObjectKey, before: WorkloadMemory, after: WorkloadMemory): EventNote[] {
  const old = new Map(before.sets.map((set) => [set.name, set]))
  return after.sets.flatMap((set): EventNote[] => {
    const from = old.get(set.name)?.replicas ?? 0
    return from === set.replicas
      ? []
      : [{ type: 'Normal', reason: 'ScalingReplicaSet', object: key, message: scaleMessage(set, from) }]
  })
}

function scaleMessage(set: SetRecord, from: number): string {
  return `Scaled ${set.replicas > from ? 'up' : 'down'} replica set ${set.name} from ${from} to ${set.replicas}`
}

function newPods(key: ObjectKey, before: WorkloadMemory, after: WorkloadMemory): EventNote[] {
  const known = new Set(before.pods.map(({ uid }) => uid))
  return after.pods
    .filter(({ uid }) => !known.has(uid))
    .map(({ name, cause }) => ({
      type: 'Normal',
      reason: 'SuccessfulCreate',
      object: key,
      message: `Created pod ${name}: ${cause}`,
    }))
}

function leavingPods(key: ObjectKey, before: WorkloadMemory, after: WorkloadMemory): EventNote[] {
  const staying = new Set(before.pods.filter(({ deletion }) => deletion === undefined).map(({ uid }) => uid))
  return after.pods
    .filter(({ uid, deletion }) => deletion !== undefined && staying.has(uid))
    .map(({ name, deletion }) => ({
      type: 'Normal',
      reason: 'SuccessfulDelete',
      object: key,
      message: `Deleted pod ${name}: ${deletion?.cause}`,
    }))
}

/** Pods that were brought to their end. */
function failedPods(key: ObjectKey, before: WorkloadMemory, after: WorkloadMemory): EventNote[] {
  const known = new Set(before.pods.filter(({ failed }) => failed !== undefined).map(({ uid }) => uid))
  return after.pods.flatMap(({ uid, name, failed }): EventNote[] =>
    failed === undefined || known.has(uid)
      ? []
      : [{ type: 'Warning', reason: failed.reason, object: key, message: `Pod ${name}: ${failed.message}` }],
  )
}

function rolloutEnd(key: ObjectKey, noun: string, before: WorkloadMemory, after: WorkloadMemory): EventNote[] {
  const { rollout } = after
  if (rollout === null || (rollout.set === before.rollout?.set && rollout.result === before.rollout.result)) return []
  if (rollout.result === 'complete')
    return [{ type: 'Normal', reason: 'RolloutComplete', object: key, message: `${noun} ${rollout.set} is rolled out` }]
  if (rollout.result !== 'deadlineExceeded') return []
  return [
    {
      type: 'Warning',
      reason: 'ProgressDeadlineExceeded',
      object: key,
      message: `${noun} ${rollout.set} has made no progress within its deadline`,
    },
  ]
}
