/**
 * Jobs and CronJobs.
 * @see Kubernetes pkg/apis/batch/validation/validation.go
 */
import { parseSchedule } from '../cron.ts'
import { parseIndexes } from '../indexes.ts'
import { field, has, listAt, mapAt, mapsAt, numberAt, type Raw, textAt } from '../raw.ts'
import type { Report } from '../report.ts'
import type { FieldPath } from '../types/meta.ts'
import { checkLabels } from './metadata.ts'
import { checkPodSpec } from './pod.ts'

/** Pods carry the name as a label value. */
const maxJobName = 63
/** A run adds eleven characters to it. */
const maxCronJobName = 52
/** Most pods at once of an Indexed Job, and its most completions. */
const maxIndexes = 100_000

export function checkJob(body: Raw, report: Report): void {
  if (field(body, 'spec') === undefined) report(['spec'], 'MissingField', 'required field spec is missing')
  checkNameLength(body, maxJobName, 'pods carry it as a label', report)
  checkJobSpec(mapAt(body, 'spec'), ['spec'], report)
}

export function checkCronJob(body: Raw, report: Report): void {
  const spec = mapAt(body, 'spec')
  const at = ['spec', 'jobTemplate']
  checkNameLength(body, maxCronJobName, 'a Job of it adds its time to the name', report)
  checkNumbers(spec, ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'], ['spec'], report)
  checkSchedule(spec, report)
  checkLabels(mapAt(spec, 'jobTemplate', 'metadata'), [...at, 'metadata'], report)
  checkJobSpec(mapAt(spec, 'jobTemplate', 'spec'), [...at, 'spec'], report)
}

function checkNameLength(body: Raw, longest: number, why: string, report: Report): void {
  const name = textAt(mapAt(body, 'metadata'), 'name') ?? ''
  if (name.length > longest)
    report(['metadata', 'name'], 'BadName', `${JSON.stringify(name)} is longer than ${longest} characters: ${why}`)
}

function checkSchedule(spec: Raw, report: Report): void {
  const zone = textAt(spec, 'timeZone')
  try {
    parseSchedule(textAt(spec, 'schedule') ?? '', 'UTC')
  } catch (error) {
    report(['spec', 'schedule'], 'BadSchedule', (error as Error).message)
    return
  }
  try {
    if (zone !== undefined) parseSchedule('@daily', zone)
  } catch (error) {
    report(['spec', 'timeZone'], 'BadSchedule', `${(error as Error).message}: expected a name such as Europe/Berlin`)
  }
}

function checkJobSpec(spec: Raw, at: FieldPath, report: Report): void {
  const counts = ['parallelism', 'completions', 'backoffLimit', 'backoffLimitPerIndex', 'maxFailedIndexes']
  checkNumbers(spec, [...counts, 'activeDeadlineSeconds', 'ttlSecondsAfterFinished'], at, report)
  checkIndexed(spec, at, report)
  checkFailurePolicy(spec, at, report)
  checkSuccessPolicy(spec, at, report)
  checkJobTemplate(mapAt(spec, 'template'), [...at, 'template'], report)
}

function checkNumbers(spec: Raw, keys: readonly string[], at: FieldPath, report: Report): void {
  for (const key of keys) {
    const value = numberAt(spec, key)
    if (value !== undefined && value < 0) report([...at, key], 'OutOfRange', `${value} is below zero`)
  }
}

function isIndexed(spec: Raw): boolean {
  return textAt(spec, 'completionMode') === 'Indexed'
}

function checkIndexed(spec: Raw, at: FieldPath, report: Report): void {
  const completions = numberAt(spec, 'completions')
  if (isIndexed(spec)) {
    if (completions === undefined) report([...at, 'completions'], 'MissingField', 'an Indexed Job needs completions')
    for (const key of ['completions', 'parallelism']) {
      const value = numberAt(spec, key) ?? 0
      if (value > maxIndexes) report([...at, key], 'OutOfRange', `${value} is more than ${maxIndexes}`)
    }
  } else {
    for (const key of ['backoffLimitPerIndex', 'successPolicy'])
      if (has(spec, key)) report([...at, key], 'UnknownValue', 'possible only with completionMode Indexed')
  }
  const most = numberAt(spec, 'maxFailedIndexes')
  if (most === undefined) return
  if (!has(spec, 'backoffLimitPerIndex'))
    report([...at, 'maxFailedIndexes'], 'UnknownValue', 'possible only with backoffLimitPerIndex')
  if (completions !== undefined && most > completions)
    report([...at, 'maxFailedIndexes'], 'OutOfRange', `${most} is more than completions, ${completions}`)
}

function checkFailurePolicy(spec: Raw, at: FieldPath, report: Report): void {
  if (!has(spec, 'podFailurePolicy')) return
  const policy = [...at, 'podFailurePolicy']
  if (textAt(mapAt(spec, 'template', 'spec'), 'restartPolicy') === 'OnFailure')
    report(policy, 'UnknownValue', 'possible only with restartPolicy Never')
  if (textAt(spec, 'podReplacementPolicy') === 'TerminatingOrFailed')
    report([...at, 'podReplacementPolicy'], 'UnknownValue', 'with podFailurePolicy, pods are replaced once they have failed', {
      suggestion: 'Failed',
    })
  const containers = new Set(
    ['containers', 'initContainers'].flatMap((list) =>
      mapsAt(mapAt(spec, 'template', 'spec'), list).map((one) => textAt(one, 'name')),
    ),
  )
  for (const [index, rule] of mapsAt(mapAt(spec, 'podFailurePolicy'), 'rules').entries())
    checkFailureRule(rule, [...policy, 'rules', index], containers, has(spec, 'backoffLimitPerIndex'), report)
}

function checkFailureRule(
  rule: Raw,
  at: FieldPath,
  containers: ReadonlySet<string | undefined>,
  perIndex: boolean,
  report: Report,
): void {
  const codes = mapAt(rule, 'onExitCodes')
  const conditions = listAt(rule, 'onPodConditions').length > 0
  if (has(rule, 'onExitCodes') === conditions) report(at, 'MissingField', 'a rule needs either onExitCodes or onPodConditions')
  if (textAt(rule, 'action') === 'FailIndex' && !perIndex)
    report([...at, 'action'], 'UnknownValue', 'FailIndex is possible only with backoffLimitPerIndex')
  const name = textAt(codes, 'containerName')
  if (name !== undefined && !containers.has(name))
    report([...at, 'onExitCodes', 'containerName'], 'UnknownValue', `the pod has no container ${JSON.stringify(name)}`)
  if (has(rule, 'onExitCodes') && listAt(codes, 'values').length === 0)
    report([...at, 'onExitCodes', 'values'], 'MissingField', 'at least one exit code is needed')
  if (textAt(codes, 'operator') === 'In' && listAt(codes, 'values').includes(0))
    report([...at, 'onExitCodes', 'values'], 'OutOfRange', '0 is no failure')
}

function checkSuccessPolicy(spec: Raw, at: FieldPath, report: Report): void {
  const completions = numberAt(spec, 'completions') ?? Number.POSITIVE_INFINITY
  for (const [index, rule] of mapsAt(mapAt(spec, 'successPolicy'), 'rules').entries()) {
    const path = [...at, 'successPolicy', 'rules', index]
    const text = textAt(rule, 'succeededIndexes')
    const count = numberAt(rule, 'succeededCount')
    if (text === undefined && count === undefined) report(path, 'MissingField', 'a rule needs succeededIndexes or succeededCount')
    if (count !== undefined && (count < 1 || count > completions))
      report([...path, 'succeededCount'], 'OutOfRange', `${count} is not between 1 and completions`)
    if (text === undefined) continue
    try {
      const last = parseIndexes(text).at(-1) ?? -1
      if (last >= completions)
        report([...path, 'succeededIndexes'], 'OutOfRange', `${last} is not below completions, ${completions}`)
    } catch (error) {
      report([...path, 'succeededIndexes'], 'UnknownValue', (error as Error).message)
    }
  }
}

function checkJobTemplate(template: Raw, at: FieldPath, report: Report): void {
  const spec = mapAt(template, 'spec')
  checkLabels(mapAt(template, 'metadata'), [...at, 'metadata'], report)
  checkPodSpec(spec, [...at, 'spec'], report)
  const policy = textAt(spec, 'restartPolicy') || 'Always'
  if (policy === 'Always')
    report(
      [...at, 'spec', 'restartPolicy'],
      'UnknownValue',
      'a Job needs OnFailure (containers start again in their pod) or Never (each failure is a new pod)',
      { suggestion: 'OnFailure' },
    )
}
