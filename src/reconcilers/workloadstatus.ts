/** The status of one workload, written once, at the end of its pass. */
import { splitKey } from '../model/types/meta.ts'
import type { WorkloadMemory } from './memory.ts'
import { isAvailable, type PodNow } from './podstate.ts'
import { podStatus } from './podstatus.ts'
import { isActive } from './replicas.ts'
import { rolloutBounds } from './rollout.ts'
import type { Condition, PodStatus, SetStatus, WorkloadStatus } from './status.ts'
import type { Wanted } from './wanted.ts'
import type { WorkloadInput } from './workloadinput.ts'

/** @param complete as the controller of its kind sees it */
export function workloadStatus(
  input: WorkloadInput,
  wanted: Wanted | null,
  memory: WorkloadMemory,
  pods: readonly PodNow[],
  complete: boolean,
): WorkloadStatus {
  const { kind, namespace, name } = splitKey(input.key)
  const minReady = wanted?.spec.minReadySeconds ?? 0
  const active = pods.filter(isActive)
  const updated = active.filter(({ context }) => context.record.set === wanted?.set)
  const available = active.filter((pod) => isAvailable(pod, minReady, input.now))
  const statuses = pods.map((pod) => podStatus(pod, input.key, minReady)).sort((a, b) => (a.name < b.name ? -1 : 1))
  const desired = wanted?.spec.replicas ?? 0
  const finished = kind === 'Pod' && pods.some(({ phase }) => phase === 'Succeeded')
  const healthy =
    wanted !== null && pods.every(({ context }) => context.node.reachable) && (finished || (complete && pods.length === desired))
  const bounds = wanted === null ? { surge: 0, unavailable: 0 } : rolloutBounds(wanted.spec)
  const word = conditionWord(wanted, memory, healthy)
  const message = healthy ? '' : explain(input, wanted, memory, statuses)
  return {
    key: input.key,
    kind,
    namespace,
    name,
    uid: memory.uid,
    labels: input.target?.metadata.labels ?? {},
    generation: memory.generation,
    createdAt: memory.createdAt,
    desired,
    current: active.length,
    updated: updated.length,
    ready: active.filter(({ ready }) => ready).length,
    available: available.length,
    paused: wanted?.spec.paused ?? false,
    maxSurge: bounds.surge,
    maxUnavailable: bounds.unavailable,
    revision: wanted === null ? '' : sourceRevision(memory, wanted),
    condition: word,
    message,
    healthy,
    conditions: conditions(wanted, memory, available.length, bounds.unavailable, message, input.now),
    currentSet: memory.current ?? wanted?.set ?? '',
    updateSet: wanted?.set ?? '',
    sets: setStatuses(memory, pods, minReady, input.now),
    pods: statuses,
    rollout: memory.rollout,
  }
}

/** A set that a revert has brought back carries the revision that first asked for it; the rollout knows who asked again. */
function sourceRevision({ rollout, sets }: WorkloadMemory, wanted: Wanted): string {
  if (rollout?.set === wanted.set) return rollout.sourceRevision
  return sets.find(({ name }) => name === wanted.set)?.sourceRevision ?? ''
}

function conditionWord(wanted: Wanted | null, memory: WorkloadMemory, healthy: boolean): string {
  if (wanted === null) return 'Terminating'
  if (healthy) return 'Available'
  if (wanted.spec.paused) return 'Paused'
  if (wanted.missing.length > 0) return 'Waiting'
  return memory.rollout?.result === 'deadlineExceeded' ? 'Failed' : 'Progressing'
}

/** One line that says what is being waited for, and for a pod in trouble what it last said. */
function explain(input: WorkloadInput, wanted: Wanted | null, memory: WorkloadMemory, pods: readonly PodStatus[]): string {
  if (wanted === null) return `left Git; ${pods.length} pods to go`
  const late = memory.rollout?.result === 'deadlineExceeded' ? `no progress for ${wanted.spec.progressDeadlineSeconds} s: ` : ''
  const trouble = troubleOf(input, wanted, pods)
  if (trouble !== undefined) return `${trouble.startsWith('pod ') ? late : ''}${trouble}`
  const unrouted = pods.find(({ ready, routed, terminating }) => ready && !routed && !terminating)
  if (unrouted !== undefined) return `${late}pod ${unrouted.name} is ready and waits for the router`
  const ready = pods.filter((pod) => pod.ready && pod.set === wanted.set && !pod.terminating).length
  return `${late}${ready} of ${wanted.spec.replicas} new replicas are ready`
}

/** What keeps the pods of a workload from what they are to be; `undefined` for nothing known. */
export function troubleOf(input: WorkloadInput, wanted: Wanted, pods: readonly PodStatus[]): string | undefined {
  if (wanted.missing.length > 0) return `waiting for ${wanted.missing.join('; ')}`
  const unreachable = input.nodes.find(({ reachable }) => !reachable)
  if (unreachable !== undefined) return `node ${unreachable.name} is unreachable: ${unreachable.error}`
  const troubled = pods.find(({ ready, terminating, message }) => !ready && !terminating && message !== '')
  return troubled && `pod ${troubled.name}: ${troubled.reason}: ${troubled.message}${lastWords(troubled)}`
}

export function lastWords(pod: PodStatus): string {
  const tail = [...pod.initContainers, ...pod.containers].flatMap(({ logTail }) => logTail).filter((line) => line.trim() !== '')
  const last = tail.at(-1)
  return last === undefined ? '' : ` (last log line: ${last})`
}

/** @see Kubernetes DeploymentConditionType: Available, Progressing */
function conditions(
  wanted: Wanted | null,
  memory: WorkloadMemory,
  available: number,
  unavailable: number,
  message: string,
  now: number,
): Condition[] {
  if (wanted === null) return []
  const enough = available >= wanted.spec.replicas - unavailable
  const { rollout } = memory
  const failed = rollout?.result === 'deadlineExceeded'
  const complete = rollout?.result === 'complete'
  const since = rollout === null ? now : rollout.endedAt || rollout.startedAt
  return [
    {
      type: 'Available',
      status: enough ? 'True' : 'False',
      reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      message: '',
      since,
    },
    {
      type: 'Progressing',
      status: failed ? 'False' : 'True',
      reason: failed ? 'ProgressDeadlineExceeded' : complete ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
      message: complete ? '' : message,
      since,
    },
  ]
}

function setStatuses(memory: WorkloadMemory, pods: readonly PodNow[], minReady: number, now: number): SetStatus[] {
  return memory.sets.map(({ name, uid, hash, revision, replicas, createdAt }) => {
    const own = pods.filter((pod) => isActive(pod) && pod.context.record.set === name)
    return {
      name,
      uid,
      hash,
      revision,
      replicas,
      current: own.length,
      ready: own.filter(({ ready }) => ready).length,
      available: own.filter((pod) => isAvailable(pod, minReady, now)).length,
      createdAt,
    }
  })
}
