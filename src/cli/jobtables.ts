/** Jobs and CronJobs as rows of the status. */
import type { WorkloadStatus } from '../reconcilers/status.ts'
import { cut, paintWord, type TableOptions } from './cells.ts'
import { renderAge } from './table.ts'

export const jobHead = ['NAMESPACE', 'JOB', 'COMPLETIONS', 'ACTIVE', 'FAILED', 'DURATION', 'AGE', 'CONDITION', 'MESSAGE']

export function jobRow({ job, ...workload }: WorkloadStatus, { now, columns, ink }: TableOptions): readonly string[] {
  const { completions = 0, succeeded = 0, active = 0, failed = 0, startedAt = 0, endedAt = 0 } = job ?? {}
  return [
    workload.namespace,
    workload.name,
    completions === 0 ? String(succeeded) : `${succeeded}/${completions}`,
    String(active),
    String(failed),
    startedAt === 0 ? '-' : renderAge((endedAt || now) - startedAt),
    renderAge(now - workload.createdAt),
    paintWord(workload.condition, ink),
    cut(workload.message, columns, 100),
  ]
}

export const cronJobHead = [
  'NAMESPACE',
  'CRONJOB',
  'SCHEDULE',
  'TIMEZONE',
  'ACTIVE',
  'LAST',
  'NEXT',
  'AGE',
  'CONDITION',
  'MESSAGE',
]

export function cronJobRow({ cronJob, ...workload }: WorkloadStatus, { now, columns, ink }: TableOptions): readonly string[] {
  const { schedule = '-', timeZone = '-', active = 0, lastScheduledAt = 0, nextScheduleAt = 0 } = cronJob ?? {}
  return [
    workload.namespace,
    workload.name,
    schedule,
    timeZone,
    String(active),
    lastScheduledAt === 0 ? 'never' : `${renderAge(now - lastScheduledAt)} ago`,
    nextScheduleAt === 0 ? '-' : `in ${renderAge(nextScheduleAt - now)}`,
    renderAge(now - workload.createdAt),
    paintWord(workload.condition, ink),
    cut(workload.message, columns, 110),
  ]
}
