/** Jobs and CronJobs under the names of kube-state-metrics. */
import { splitKey } from '../model/types/meta.ts'
import type { ClusterStatus, CronJobStatus, JobStatus, WorkloadStatus } from '../reconcilers/status.ts'
import { type Families, gauge, oneOf, type Sample, sample } from './family.ts'
import { labelNames, labelsOf } from './labels.ts'

const job = ['namespace', 'job_name']
const cronJob = ['namespace', 'cronjob']
const truths = ['true', 'false', 'unknown']

export const jobFamilies: Families = {
  kube_cronjob_created: gauge('Unix creation timestamp of the CronJob.', cronJob),
  kube_cronjob_info: gauge('When the CronJob runs.', [...cronJob, 'schedule', 'concurrency_policy', 'timezone']),
  kube_cronjob_labels: gauge('Well-known labels of the CronJob.', [...cronJob, ...labelNames]),
  kube_cronjob_next_schedule_time: gauge('When the CronJob is due next, as a unix timestamp.', cronJob),
  kube_cronjob_spec_failed_job_history_limit: gauge('Number of failed Jobs that are kept.', cronJob),
  kube_cronjob_spec_starting_deadline_seconds: gauge('How late a Job may be made.', cronJob),
  kube_cronjob_spec_successful_job_history_limit: gauge('Number of Jobs that succeeded that are kept.', cronJob),
  kube_cronjob_spec_suspend: gauge('Whether the CronJob is suspended.', cronJob),
  kube_cronjob_status_active: gauge('Number of Jobs that run now.', cronJob),
  kube_cronjob_status_last_schedule_time: gauge('When the last Job was due, as a unix timestamp.', cronJob),
  kube_cronjob_status_last_successful_time: gauge('When a Job last succeeded, as a unix timestamp.', cronJob),
  kube_job_complete: gauge('Whether the Job is complete.', [...job, 'condition']),
  kube_job_created: gauge('Unix creation timestamp of the Job.', job),
  kube_job_failed: gauge('Whether the Job has failed.', [...job, 'condition']),
  kube_job_info: gauge('Jobs.', job),
  kube_job_labels: gauge('Well-known labels of the Job.', [...job, ...labelNames]),
  kube_job_owner: gauge('Who owns the Job.', [...job, 'owner_kind', 'owner_name', 'owner_is_controller']),
  kube_job_spec_active_deadline_seconds: gauge('How long the Job may run.', job),
  kube_job_spec_completions: gauge('Number of pods that are to succeed.', job),
  kube_job_spec_parallelism: gauge('Number of pods that run at once.', job),
  kube_job_status_active: gauge('Number of pods that run.', job),
  kube_job_status_completion_time: gauge('When the Job was complete, as a unix timestamp.', job),
  kube_job_status_failed: gauge('Number of pods that failed, and why the Job has if it has.', [...job, 'reason']),
  kube_job_status_start_time: gauge('When the Job was started, as a unix timestamp.', job),
  kube_job_status_succeeded: gauge('Number of pods that succeeded.', job),
  kube_job_status_suspended: gauge('Whether the Job is suspended.', job),
}

export function* collectJobs({ workloads }: ClusterStatus): Generator<Sample> {
  for (const workload of workloads) {
    if (workload.job !== undefined) yield* collectJob(workload, workload.job)
    if (workload.cronJob !== undefined) yield* collectCronJob(workload, workload.cronJob)
  }
}

function collectJob({ namespace, name, labels: own, createdAt }: WorkloadStatus, status: JobStatus): Sample[] {
  const labels = { namespace, job_name: name }
  const of = (metric: string, value: number | boolean) => sample(`kube_job_${metric}`, labels, value)
  const { kind, name: owner } = splitKey(status.owner)
  const none = '<none>'
  const owned = { owner_kind: kind || none, owner_name: owner || none, owner_is_controller: owner === '' ? none : 'true' }
  const complete = status.result === 'Complete'
  return [
    of('created', createdAt / 1_000),
    of('info', 1),
    sample('kube_job_labels', { ...labels, ...labelsOf(own) }, 1),
    sample('kube_job_owner', { ...labels, ...owned }, 1),
    of('spec_parallelism', status.parallelism),
    ...given('spec_completions', status.completions, of),
    ...given('spec_active_deadline_seconds', status.activeDeadlineSeconds, of),
    of('status_active', status.active),
    of('status_succeeded', status.succeeded),
    sample('kube_job_status_failed', { ...labels, reason: status.result === 'Failed' ? status.reason : '' }, status.failed),
    of('status_suspended', status.suspended),
    ...given('status_start_time', status.startedAt / 1_000, of),
    ...given('status_completion_time', complete ? status.endedAt / 1_000 : 0, of),
    ...(complete ? oneOf('kube_job_complete', labels, 'condition', truths, 'true') : []),
    ...(status.result === 'Failed' ? oneOf('kube_job_failed', labels, 'condition', truths, 'true') : []),
  ]
}

function collectCronJob({ namespace, name, labels: own, createdAt }: WorkloadStatus, status: CronJobStatus): Sample[] {
  const labels = { namespace, cronjob: name }
  const of = (metric: string, value: number | boolean) => sample(`kube_cronjob_${metric}`, labels, value)
  const { schedule, concurrencyPolicy, timeZone } = status
  return [
    of('created', createdAt / 1_000),
    sample('kube_cronjob_info', { ...labels, schedule, concurrency_policy: concurrencyPolicy, timezone: timeZone }, 1),
    sample('kube_cronjob_labels', { ...labels, ...labelsOf(own) }, 1),
    of('spec_suspend', status.suspended),
    of('spec_successful_job_history_limit', status.successfulJobsHistoryLimit),
    of('spec_failed_job_history_limit', status.failedJobsHistoryLimit),
    ...given('spec_starting_deadline_seconds', status.startingDeadlineSeconds, of),
    of('status_active', status.active),
    ...given('status_last_schedule_time', status.lastScheduledAt / 1_000, of),
    ...given('status_last_successful_time', status.lastSuccessAt / 1_000, of),
    ...given('next_schedule_time', status.nextScheduleAt / 1_000, of),
  ]
}

/** Zero means that there is none, and has no sample. */
function given(metric: string, value: number, of: (metric: string, value: number) => Sample): Sample[] {
  return value === 0 ? [] : [of(metric, value)]
}
