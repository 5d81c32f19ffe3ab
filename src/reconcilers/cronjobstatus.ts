/** The status of a CronJob: when it ran, when it runs next, and how many of its Jobs run now. */
import { type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { CronJob } from '../model/types/workload.ts'
import type { RunNow } from './derived.ts'
import type { CronMemory, WorkloadMemory } from './memory.ts'
import type { Condition, WorkloadStatus } from './status.ts'

interface CronJobFacts {
  readonly key: ObjectKey
  readonly target: CronJob | null
  readonly memory: WorkloadMemory
  readonly cron: CronMemory
  readonly runs: readonly RunNow[]
  /** when the next Job is due; `undefined` for never */
  readonly nextAt: number | undefined
}

export function summarizeCronJob(facts: CronJobFacts): WorkloadStatus {
  const { key, target, memory, runs } = facts
  const { kind, namespace, name } = splitKey(key)
  const active = runs.filter(({ leaving, end }) => leaving !== true && end === null).length
  const condition = conditionWord(facts)
  return {
    key,
    kind,
    namespace,
    name,
    uid: memory.uid,
    labels: target?.metadata.labels ?? {},
    generation: 1,
    createdAt: memory.createdAt,
    desired: 0,
    current: active,
    updated: 0,
    ready: 0,
    available: 0,
    paused: target?.spec.suspend ?? false,
    maxSurge: 0,
    maxUnavailable: 0,
    revision: runs.at(-1)?.sourceRevision ?? '',
    condition,
    message: messageOf(facts, condition),
    healthy: condition === 'Scheduled' || condition === 'Suspended',
    conditions: conditions(facts, condition),
    currentSet: '',
    updateSet: '',
    sets: [],
    pods: [],
    rollout: null,
    ...(target === null ? {} : { cronJob: { ...specOf(target), active, ...timesOf(facts) } }),
  }
}

function specOf({ spec }: CronJob) {
  return {
    schedule: spec.schedule,
    timeZone: spec.timeZone,
    concurrencyPolicy: spec.concurrencyPolicy,
    suspended: spec.suspend,
    startingDeadlineSeconds: spec.startingDeadlineSeconds ?? 0,
    successfulJobsHistoryLimit: spec.successfulJobsHistoryLimit,
    failedJobsHistoryLimit: spec.failedJobsHistoryLimit,
  }
}

function timesOf({ cron, nextAt }: CronJobFacts) {
  return { lastScheduledAt: cron.lastScheduledAt, lastSuccessAt: cron.lastSuccessAt, nextScheduleAt: nextAt ?? 0 }
}

function conditionWord({ target, nextAt }: CronJobFacts): string {
  if (target === null) return 'Terminating'
  if (target.spec.suspend) return 'Suspended'
  return nextAt === undefined ? 'BadSchedule' : 'Scheduled'
}

function messageOf({ target, runs }: CronJobFacts, condition: string): string {
  if (condition === 'Terminating') return `left Git; ${runs.length} jobs to go`
  if (condition === 'BadSchedule')
    return `the schedule "${target?.spec.schedule}" never comes in the time zone ${target?.spec.timeZone} as this machine knows it`
  const last = runs.filter(({ leaving, end }) => leaving !== true && end !== null).at(-1)
  return last?.end?.result === 'Failed' ? `job ${last.job.metadata.name} failed: ${last.end.reason}: ${last.end.message}` : ''
}

function conditions({ memory }: CronJobFacts, condition: string): Condition[] {
  if (condition !== 'BadSchedule') return []
  return [{ type: 'Scheduled', status: 'False', reason: 'BadSchedule', message: '', since: memory.createdAt }]
}
