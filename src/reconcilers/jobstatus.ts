/** The status of a Job: how far its run is, and how it ended. */
import type { JobSpec } from '../model/types/workload.ts'
import type { ControllerPass } from './controller.ts'
import { isEnding } from './jobpods.ts'
import type { JobMemory } from './memory.ts'
import { isActive } from './replicas.ts'
import type { Condition, JobStatus, PodStatus, WorkloadStatus } from './status.ts'
import { lastWords, troubleOf } from './workloadstatus.ts'

/** @param common what is said of any workload */
export function summarizeJob(common: WorkloadStatus, pass: ControllerPass): WorkloadStatus {
  const { target } = pass.input
  const run = pass.memory.job
  if (target?.kind !== 'Job' || run === undefined || pass.wanted === null) return common
  const { spec } = target
  const job = jobStatus(spec, run, pass, common, target.owner ?? '')
  const complete = run.end?.result === 'Complete'
  const condition = conditionWord(spec, run, pass)
  return {
    ...common,
    desired: spec.completions ?? spec.parallelism,
    condition,
    message: complete ? '' : messageOf(spec, job, run, pass, common),
    // Who suspends a Job waits for nothing; nobody else should.
    healthy: complete || (condition === 'Suspended' && job.active + job.terminating === 0),
    conditions: conditions(spec, run, common.createdAt),
    job,
  }
}

function jobStatus(spec: JobSpec, run: JobMemory, { pods }: ControllerPass, common: WorkloadStatus, owner: string): JobStatus {
  return {
    owner,
    parallelism: spec.parallelism,
    completions: spec.completions ?? 0,
    activeDeadlineSeconds: spec.activeDeadlineSeconds ?? 0,
    active: common.current,
    ready: common.ready,
    terminating: pods.filter(isEnding).length,
    succeeded: run.succeeded,
    failed: run.failed,
    succeededIndexes: run.succeededIndexes,
    failedIndexes: run.failedIndexes,
    suspended: run.end === null && spec.suspend,
    startedAt: run.startedAt,
    endedAt: run.end?.at ?? 0,
    result: run.end?.result ?? '',
    reason: run.end?.reason ?? '',
  }
}

/** A Job of no parallelism makes no pods either. */
function isHeld({ suspend, parallelism, completions }: JobSpec): boolean {
  return suspend || (parallelism === 0 && completions !== 0)
}

function conditionWord(spec: JobSpec, { end }: JobMemory, { wanted }: ControllerPass): string {
  if (end !== null) return end.result
  if (isHeld(spec)) return 'Suspended'
  return wanted !== null && wanted.missing.length > 0 ? 'Waiting' : 'Progressing'
}

function messageOf(spec: JobSpec, job: JobStatus, { end }: JobMemory, pass: ControllerPass, { pods }: WorkloadStatus): string {
  if (end !== null) return `${end.reason}: ${end.message}${lastFailure(pods)}`
  if (isHeld(spec)) return spec.suspend ? 'suspend is true' : 'parallelism is 0'
  const trouble = pass.wanted === null ? undefined : troubleOf(pass.input, pass.wanted, pods)
  if (trouble !== undefined && pass.pods.some(isActive)) return trouble
  const goal = spec.completions === undefined ? '' : ` of ${spec.completions}`
  const failed = job.failed === 0 ? '' : `, ${job.failed} failed`
  return `${job.succeeded}${goal} succeeded, ${job.active} active${failed}`
}

/** What the last pod that failed has said, which is mostly why. */
function lastFailure(pods: readonly PodStatus[]): string {
  const failed = pods.filter(({ phase }) => phase === 'Failed').sort((a, b) => b.createdAt - a.createdAt)[0]
  const words = failed === undefined ? '' : lastWords(failed)
  return words === '' ? '' : `; pod ${failed?.name}${words}`
}

/** @see Kubernetes JobConditionType: Complete, Failed, Suspended */
function conditions({ suspend }: JobSpec, { end, startedAt }: JobMemory, createdAt: number): Condition[] {
  if (end !== null) return [{ type: end.result, status: 'True', reason: end.reason, message: end.message, since: end.at }]
  const since = startedAt || createdAt
  return suspend ? [{ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'suspend is true', since }] : []
}
