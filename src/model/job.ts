/**
 * Jobs and CronJobs in canonical form.
 * @see Kubernetes pkg/apis/batch/v1/defaults.go
 */
import { ROLL_ON_CONFIG } from './annotations.ts'
import { compact } from './compact.ts'
import { canonicalTemplate } from './podspec.ts'
import { flagAt, has, listAt, mapAt, mapsAt, numberAt, type Raw, textAt, textMapAt } from './raw.ts'
import type { PodTemplate } from './types/pod.ts'
import type { CronJobSpec, ExitCodes, JobSpec, PodFailureRule } from './types/workload.ts'

/** What Kubernetes takes for no limit. */
const UNLIMITED = 2 ** 31 - 1

export function canonicalJobSpec(raw: Raw): JobSpec {
  const neither = !has(raw, 'completions') && !has(raw, 'parallelism')
  const perIndex = numberAt(raw, 'backoffLimitPerIndex')
  const policy = has(raw, 'podFailurePolicy')
  return compact<JobSpec>({
    parallelism: numberAt(raw, 'parallelism') ?? 1,
    completions: numberAt(raw, 'completions') ?? (neither ? 1 : undefined),
    completionMode: (textAt(raw, 'completionMode') || 'NonIndexed') as JobSpec['completionMode'],
    backoffLimit: numberAt(raw, 'backoffLimit') ?? (perIndex === undefined ? 6 : UNLIMITED),
    backoffLimitPerIndex: perIndex,
    maxFailedIndexes: numberAt(raw, 'maxFailedIndexes'),
    activeDeadlineSeconds: numberAt(raw, 'activeDeadlineSeconds'),
    ttlSecondsAfterFinished: numberAt(raw, 'ttlSecondsAfterFinished'),
    podFailurePolicy: policy ? { rules: mapsAt(mapAt(raw, 'podFailurePolicy'), 'rules').map(failureRule) } : undefined,
    podReplacementPolicy: (textAt(raw, 'podReplacementPolicy') ||
      (policy ? 'Failed' : 'TerminatingOrFailed')) as JobSpec['podReplacementPolicy'],
    successPolicy: has(raw, 'successPolicy')
      ? { rules: mapsAt(mapAt(raw, 'successPolicy'), 'rules').map(successRule) }
      : undefined,
    suspend: flagAt(raw, 'suspend') ?? false,
    template: steady(canonicalTemplate(mapAt(raw, 'template'))),
  })
}

/** A run is of one template to its end; what its ConfigMaps and Secrets hold by then does not begin another. */
function steady({ metadata, spec }: PodTemplate): PodTemplate {
  return { metadata: { ...metadata, annotations: { [ROLL_ON_CONFIG]: 'false', ...metadata.annotations } }, spec }
}

function failureRule(raw: Raw): PodFailureRule {
  const conditions = mapsAt(raw, 'onPodConditions').map((item) => ({
    type: textAt(item, 'type') ?? '',
    status: textAt(item, 'status') || 'True',
  }))
  return compact<PodFailureRule>({
    action: (textAt(raw, 'action') ?? 'Count') as PodFailureRule['action'],
    onExitCodes: has(raw, 'onExitCodes') ? exitCodes(mapAt(raw, 'onExitCodes')) : undefined,
    onPodConditions: conditions.length > 0 ? conditions : undefined,
  })
}

function exitCodes(raw: Raw): ExitCodes {
  const values = listAt(raw, 'values').filter((value) => typeof value === 'number')
  return compact<ExitCodes>({
    containerName: textAt(raw, 'containerName'),
    operator: (textAt(raw, 'operator') ?? 'In') as ExitCodes['operator'],
    values: [...new Set(values)].sort((a, b) => a - b),
  })
}

function successRule(raw: Raw): NonNullable<JobSpec['successPolicy']>['rules'][number] {
  return compact<NonNullable<JobSpec['successPolicy']>['rules'][number]>({
    succeededIndexes: textAt(raw, 'succeededIndexes'),
    succeededCount: numberAt(raw, 'succeededCount'),
  })
}

export function canonicalCronJobSpec(raw: Raw): CronJobSpec {
  const template = mapAt(raw, 'jobTemplate')
  const metadata = mapAt(template, 'metadata')
  return compact<CronJobSpec>({
    schedule: textAt(raw, 'schedule') ?? '',
    timeZone: textAt(raw, 'timeZone') ?? 'UTC',
    concurrencyPolicy: (textAt(raw, 'concurrencyPolicy') || 'Allow') as CronJobSpec['concurrencyPolicy'],
    startingDeadlineSeconds: numberAt(raw, 'startingDeadlineSeconds'),
    suspend: flagAt(raw, 'suspend') ?? false,
    successfulJobsHistoryLimit: numberAt(raw, 'successfulJobsHistoryLimit') ?? 3,
    failedJobsHistoryLimit: numberAt(raw, 'failedJobsHistoryLimit') ?? 1,
    jobTemplate: {
      metadata: { labels: textMapAt(metadata, 'labels'), annotations: textMapAt(metadata, 'annotations') },
      spec: canonicalJobSpec(mapAt(template, 'spec')),
    },
  })
}
