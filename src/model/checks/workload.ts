/**
 * Deployments and ReplicaSets, and what all workloads with replicas have in common.
 * @see Kubernetes pkg/apis/apps/validation/validation.go
 */
import { field, mapAt, numberAt, type Raw, textAt } from '../raw.ts'
import { plainText, type Report } from '../report.ts'
import { isPercent } from '../syntax.ts'
import type { FieldPath } from '../types/meta.ts'
import { checkLabels } from './metadata.ts'
import { checkPodSpec } from './pod.ts'
import { checkOwnSelector } from './selectors.ts'

export function checkWorkload(body: Raw, report: Report): void {
  const spec = mapAt(body, 'spec')
  if (field(body, 'spec') === undefined) report(['spec'], 'MissingField', 'required field spec is missing')
  checkCounts(spec, report)
  checkOwnSelector(spec, report)
  checkStrategy(mapAt(spec, 'strategy'), report)
  checkTemplate(mapAt(spec, 'template'), report)
}

export function checkCounts(spec: Raw, report: Report): void {
  for (const key of ['replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds']) {
    const value = numberAt(spec, key)
    if (value !== undefined && value < 0) report(['spec', key], 'OutOfRange', `${value} is below zero`)
  }
  const ready = numberAt(spec, 'minReadySeconds') ?? 0
  const deadline = numberAt(spec, 'progressDeadlineSeconds') ?? 600
  if (deadline >= 0 && ready >= deadline && ready > 0) {
    report(['spec', 'progressDeadlineSeconds'], 'OutOfRange', `${deadline} must be more than minReadySeconds, ${ready}`)
  }
}

/** @param claims names of volumes that come with the pods beside those of the template */
export function checkTemplate(template: Raw, report: Report, claims: readonly string[] = []): void {
  const at = ['spec', 'template', 'spec']
  const spec = mapAt(template, 'spec')
  checkLabels(mapAt(template, 'metadata'), ['spec', 'template', 'metadata'], report)
  checkPodSpec(spec, at, report, claims)
  const policy = textAt(spec, 'restartPolicy')
  if (policy !== undefined && policy !== 'Always' && policy !== '') {
    report(
      [...at, 'restartPolicy'],
      'UnknownValue',
      `${JSON.stringify(policy)} is not possible here: pods of this kind restart always`,
      {
        suggestion: 'Always',
      },
    )
  }
  if (numberAt(spec, 'activeDeadlineSeconds') !== undefined) {
    report([...at, 'activeDeadlineSeconds'], 'UnknownValue', 'not possible here: pods of this kind have no deadline')
  }
}

function checkStrategy(strategy: Raw, report: Report): void {
  const at = ['spec', 'strategy']
  const rolling = field(strategy, 'rollingUpdate')
  if (textAt(strategy, 'type') === 'Recreate' && rolling !== undefined) {
    report([...at, 'rollingUpdate'], 'UnknownField', 'not possible with type Recreate')
    return
  }
  const amounts = ['maxSurge', 'maxUnavailable'].map((key) =>
    checkAmount(mapAt(strategy, 'rollingUpdate'), key, '25%', [...at, 'rollingUpdate'], report),
  )
  if (amounts.every((amount) => amount === 0)) {
    report([...at, 'rollingUpdate'], 'OutOfRange', 'maxSurge and maxUnavailable are both zero, so no pod could ever be replaced')
  }
}

/** The amount of a count or percentage, whether it is one or not; `otherwise` when it is left out. */
export function checkAmount(rolling: Raw, key: string, otherwise: number | string, at: FieldPath, report: Report): number {
  const path = [...at, key]
  const value = field(rolling, key) ?? otherwise
  if (typeof value === 'number') {
    if (value < 0) report(path, 'OutOfRange', `${value} is below zero`)
    return value
  }
  const text = plainText(value)
  if (!isPercent(text)) {
    const suggestion = /^\d+$/.test(text) ? text : undefined
    report(path, 'BadPercent', `${JSON.stringify(text)} is neither a whole number nor a percentage such as "25%"`, { suggestion })
    return 1
  }
  const percent = Number.parseInt(text, 10)
  if (key === 'maxUnavailable' && percent > 100) report(path, 'OutOfRange', `${text} is more than 100%`)
  return percent
}
