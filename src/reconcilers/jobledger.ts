/** Counting how the pods of a Job ended: each pod once, whatever becomes of it afterwards. */
import { indexesText, parseIndexes } from '../model/indexes.ts'
import type { JobSpec, PodFailureRule } from '../model/types/workload.ts'
import type { JobEnd, JobMemory, PodRecord, Setbacks } from './memory.ts'
import { NO_SETBACKS } from './memory.ts'
import type { PodNow } from './podstate.ts'

export interface Counted {
  readonly job: JobMemory
  /** how pods have ended since the last pass, by uid */
  readonly outcomes: ReadonlyMap<string, NonNullable<PodRecord['outcome']>>
}

/**
 * @param asked uids of pods that had been asked to go before this pass
 * @see Kubernetes pkg/controller/job/job_controller.go trackJobStatusAndRemoveFinalizers
 */
export function countEnds(
  job: JobMemory,
  spec: JobSpec,
  pods: readonly PodNow[],
  asked: ReadonlySet<string>,
  now: number,
): Counted {
  const outcomes = new Map<string, NonNullable<PodRecord['outcome']>>()
  let next = job
  for (const pod of pods) {
    const outcome = outcomeOf(pod, asked)
    if (outcome === undefined) continue
    outcomes.set(pod.context.record.uid, outcome)
    next = outcome === 'Succeeded' ? countSuccess(next, spec, pod) : countFailure(next, spec, pod, now)
  }
  return { job: next, outcomes }
}

/**
 * `undefined` while it is not over or is counted already. What was asked to go has not failed, however it ends; what
 * somebody took away has, or what has taken too much.
 */
function outcomeOf({ context: { record }, phase }: PodNow, asked: ReadonlySet<string>): PodRecord['outcome'] {
  if (record.outcome !== undefined) return undefined
  if (phase === 'Succeeded') return 'Succeeded'
  const failed = phase === 'Failed' || record.deletion !== undefined
  return failed && !asked.has(record.uid) ? 'Failed' : undefined
}

function countSuccess(job: JobMemory, spec: JobSpec, { context: { record } }: PodNow): JobMemory {
  if (spec.completionMode === 'NonIndexed') return { ...job, succeeded: job.succeeded + 1, setbacks: NO_SETBACKS }
  if (record.index === undefined || holds(job.failedIndexes, record.index)) return job
  const succeededIndexes = withIndex(job.succeededIndexes, record.index)
  const succeeded = parseIndexes(succeededIndexes).length
  return { ...job, succeeded, succeededIndexes, setbacks: NO_SETBACKS, indexes: without(job.indexes, record.index) }
}

function countFailure(job: JobMemory, spec: JobSpec, pod: PodNow, now: number): JobMemory {
  const rule = spec.podFailurePolicy?.rules.find((one) => matchesRule(one, pod))
  const action = rule?.action ?? 'Count'
  const paced = { ...job, setbacks: another(job.setbacks, now) }
  if (action === 'Ignore') return paced
  const counted = { ...paced, failed: paced.failed + 1 }
  if (action === 'FailJob') return { ...counted, end: job.end ?? policyEnd(pod, spec, now) }
  const { index } = pod.context.record
  if (index === undefined || spec.backoffLimitPerIndex === undefined || isSettled(job, index)) return counted
  const own = another(job.indexes[index] ?? NO_SETBACKS, now)
  if (action === 'FailIndex' || own.count > spec.backoffLimitPerIndex)
    return { ...counted, failedIndexes: withIndex(job.failedIndexes, index), indexes: without(job.indexes, index) }
  return { ...counted, indexes: { ...job.indexes, [index]: own } }
}

function policyEnd(pod: PodNow, spec: JobSpec, at: number): JobEnd {
  const index = spec.podFailurePolicy?.rules.findIndex((one) => matchesRule(one, pod))
  const codes = pod.containers.flatMap(({ latest }) => (latest === undefined ? [] : [latest.exitCode]))
  const message = `pod ${pod.context.record.name} (exit ${codes.join(', ')}) matches rule ${index} of podFailurePolicy: FailJob`
  return { at, result: 'Failed', reason: 'PodFailurePolicy', message }
}

/** @see Kubernetes pkg/controller/job/pod_failure_policy.go */
function matchesRule({ onExitCodes, onPodConditions }: PodFailureRule, { containers, sandbox }: PodNow): boolean {
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes
    return containers.some(({ compiled, latest, stage }) => {
      if (stage !== 'exited' || latest === undefined || latest.exitCode === 0) return false
      return (containerName ?? compiled.name) === compiled.name && values.includes(latest.exitCode) === (operator === 'In')
    })
  }
  // The one condition of the kind that pods have here: what is lost was ended by what happened around it.
  return (
    sandbox === 'lost' && (onPodConditions?.some(({ type, status }) => type === 'DisruptionTarget' && status === 'True') ?? false)
  )
}

function another({ count }: Setbacks, at: number): Setbacks {
  return { count: count + 1, at }
}

/** Whether an index has come to its end. */
export function isSettled({ succeededIndexes, failedIndexes }: JobMemory, index: number): boolean {
  return holds(succeededIndexes, index) || holds(failedIndexes, index)
}

function holds(text: string, index: number): boolean {
  return parseIndexes(text).includes(index)
}

function withIndex(text: string, index: number): string {
  return indexesText(new Set([...parseIndexes(text), index]))
}

function without(indexes: JobMemory['indexes'], index: number): JobMemory['indexes'] {
  const { [index]: _settled, ...others } = indexes
  return others
}
