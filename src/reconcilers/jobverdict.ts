/** Whether a Job has come to its end, and how. */
import { parseIndexes } from '../model/indexes.ts'
import type { JobSpec } from '../model/types/workload.ts'
import type { JobEnd, JobMemory } from './memory.ts'
import type { PodNow } from './podstate.ts'
import { isActive } from './replicas.ts'

/**
 * How a Job ends now; `null` while it goes on. What fails it comes before what completes it, and its deadline before
 * everything.
 * @see Kubernetes pkg/controller/job/job_controller.go syncJob
 */
export function judgeJob(job: JobMemory, spec: JobSpec, pods: readonly PodNow[], now: number): JobEnd | null {
  if (job.end !== null) return job.end
  const failure = failureOf(job, spec, pods, now)
  if (failure !== undefined) return { at: now, result: 'Failed', ...failure }
  const success = successOf(job, spec, pods)
  return success === undefined ? null : { at: now, result: 'Complete', ...success }
}

type Grounds = Pick<JobEnd, 'reason' | 'message'> | undefined

function failureOf(job: JobMemory, spec: JobSpec, pods: readonly PodNow[], now: number): Grounds {
  const deadline = deadlineOf(job, spec)
  if (deadline !== undefined && now >= deadline)
    return { reason: 'DeadlineExceeded', message: `not done within activeDeadlineSeconds, ${spec.activeDeadlineSeconds} s` }
  if (job.failed > spec.backoffLimit)
    return { reason: 'BackoffLimitExceeded', message: `${job.failed} pods failed, more than backoffLimit, ${spec.backoffLimit}` }
  const restarts = restartsOf(spec, pods)
  if (restarts > 0 && restarts >= spec.backoffLimit)
    return { reason: 'BackoffLimitExceeded', message: `${restarts} restarts reach backoffLimit, ${spec.backoffLimit}` }
  return indexFailure(job, spec)
}

/** When the Job fails unless it is done: ms since the epoch. */
export function deadlineOf({ startedAt, end }: JobMemory, { activeDeadlineSeconds }: JobSpec): number | undefined {
  return activeDeadlineSeconds === undefined || startedAt === 0 || end !== null
    ? undefined
    : startedAt + activeDeadlineSeconds * 1000
}

/** Containers that start again in their pod count as pods that fail do. */
function restartsOf({ template }: JobSpec, pods: readonly PodNow[]): number {
  if (template.spec.restartPolicy !== 'OnFailure') return 0
  const containers = pods.filter(isActive).flatMap((pod) => pod.containers)
  return containers.reduce((sum, { attempt, latest }) => sum + Math.max(0, attempt) + (latest?.restartCount ?? 0), 0)
}

function indexFailure({ succeeded, failedIndexes }: JobMemory, spec: JobSpec): Grounds {
  const failed = parseIndexes(failedIndexes).length
  if (spec.maxFailedIndexes !== undefined && failed > spec.maxFailedIndexes) {
    const message = `${failed} indexes failed (${failedIndexes}), more than maxFailedIndexes, ${spec.maxFailedIndexes}`
    return { reason: 'MaxFailedIndexesExceeded', message }
  }
  if (failed === 0 || succeeded + failed < (spec.completions ?? 0)) return undefined
  return { reason: 'FailedIndexes', message: `indexes failed: ${failedIndexes}` }
}

function successOf(job: JobMemory, spec: JobSpec, pods: readonly PodNow[]): Grounds {
  const rule = spec.successPolicy?.rules.findIndex((one) => meets(job, one)) ?? -1
  if (rule >= 0) return { reason: 'SuccessPolicy', message: `rule ${rule} of successPolicy is met` }
  if (spec.completions === undefined)
    return job.succeeded > 0 && !pods.some(isActive) ? { reason: 'CompletionsReached', message: 'a pod succeeded' } : undefined
  if (job.succeeded < spec.completions) return undefined
  return { reason: 'CompletionsReached', message: `${job.succeeded} of ${spec.completions} succeeded` }
}

function meets({ succeededIndexes }: JobMemory, rule: NonNullable<JobSpec['successPolicy']>['rules'][number]): boolean {
  const among = rule.succeededIndexes === undefined ? undefined : new Set(parseIndexes(rule.succeededIndexes))
  const met = parseIndexes(succeededIndexes).filter((index) => among?.has(index) ?? true).length
  return met >= (rule.succeededCount ?? among?.size ?? 0)
}
