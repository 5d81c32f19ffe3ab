/**
 * StatefulSets, DaemonSets and ReplicationControllers.
 * @see Kubernetes pkg/apis/apps/validation/validation.go, pkg/apis/core/validation/validation.go
 */
import { field, has, mapAt, mapsAt, numberAt, type Raw, textAt, textMapAt } from '../raw.ts'
import type { Report } from '../report.ts'
import { matchesLabels } from '../selector.ts'
import { isDnsLabel } from '../syntax.ts'
import { checkOwnSelector } from './selectors.ts'
import { checkClaimSpec } from './storage.ts'
import { checkAmount, checkCounts, checkTemplate } from './workload.ts'

const strategyAt = ['spec', 'updateStrategy']
const rollingAt = [...strategyAt, 'rollingUpdate']

export function checkStatefulSet(body: Raw, report: Report): void {
  const spec = specOf(body, report)
  checkHostNames(body, spec, report)
  checkCounts(spec, report)
  checkOwnSelector(spec, report)
  const claims = checkClaimTemplates(spec, report)
  checkTemplate(mapAt(spec, 'template'), report, claims)
  checkStatefulStrategy(mapAt(spec, 'updateStrategy'), report)
  const start = numberAt(mapAt(spec, 'ordinals'), 'start') ?? 0
  if (start < 0) report(['spec', 'ordinals', 'start'], 'OutOfRange', `${start} is below zero`)
}

export function checkDaemonSet(body: Raw, report: Report): void {
  const spec = specOf(body, report)
  checkCounts(spec, report)
  checkOwnSelector(spec, report)
  checkTemplate(mapAt(spec, 'template'), report)
  const strategy = mapAt(spec, 'updateStrategy')
  if (!rolls(strategy, report)) return
  const rolling = mapAt(strategy, 'rollingUpdate')
  const surge = checkAmount(rolling, 'maxSurge', 0, rollingAt, report)
  const unavailable = checkAmount(rolling, 'maxUnavailable', 1, rollingAt, report)
  if (surge === 0 && unavailable === 0)
    report(rollingAt, 'OutOfRange', 'maxSurge and maxUnavailable are both zero, so no pod could ever be replaced')
  if (surge !== 0 && unavailable !== 0)
    report(rollingAt, 'OutOfRange', 'maxUnavailable has to be zero where maxSurge is not, so that each node keeps a pod')
}

/** Its selector is plain labels; without one it selects by those of its template. */
export function checkController(body: Raw, report: Report): void {
  const spec = specOf(body, report)
  checkCounts(spec, report)
  if (!has(spec, 'template')) report(['spec', 'template'], 'MissingField', 'required field template is missing')
  const selector = textMapAt(spec, 'selector')
  const labels = textMapAt(mapAt(spec, 'template', 'metadata'), 'labels')
  if (Object.keys({ ...selector, ...labels }).length === 0)
    report(['spec', 'selector'], 'BadSelector', 'neither selector nor template has labels, so it would select every pod')
  if (!matchesLabels(selector, labels))
    report(['spec', 'selector'], 'SelectorMismatch', 'the selector does not select the pods of its own template')
  checkTemplate(mapAt(spec, 'template'), report)
}

function specOf(body: Raw, report: Report): Raw {
  if (field(body, 'spec') === undefined) report(['spec'], 'MissingField', 'required field spec is missing')
  return mapAt(body, 'spec')
}

/** Pods are hosts named after it, and the number at the end tells them apart: it must not be cut off. */
function checkHostNames(body: Raw, spec: Raw, report: Report): void {
  const name = textAt(mapAt(body, 'metadata'), 'name') ?? ''
  const start = numberAt(mapAt(spec, 'ordinals'), 'start') ?? 0
  const last = `${name}-${start + Math.max(1, numberAt(spec, 'replicas') ?? 1) - 1}`
  if (isDnsLabel(name) && isDnsLabel(last)) return
  report(
    ['metadata', 'name'],
    'BadName',
    `its pods are hosts, and ${JSON.stringify(last)} is no DNS label of at most 63 characters`,
  )
}

function checkStatefulStrategy(strategy: Raw, report: Report): void {
  if (!rolls(strategy, report)) return
  const rolling = mapAt(strategy, 'rollingUpdate')
  const partition = numberAt(rolling, 'partition') ?? 0
  if (partition < 0) report([...rollingAt, 'partition'], 'OutOfRange', `${partition} is below zero`)
  if (checkAmount(rolling, 'maxUnavailable', 1, rollingAt, report) === 0)
    report([...rollingAt, 'maxUnavailable'], 'OutOfRange', 'with zero no pod could ever be replaced')
}

/** Whether there are bounds to check: `OnDelete` has none. */
function rolls(strategy: Raw, report: Report): boolean {
  if (textAt(strategy, 'type') !== 'OnDelete') return true
  if (has(strategy, 'rollingUpdate')) report(rollingAt, 'UnknownField', 'not possible with type OnDelete')
  return false
}

/** Each claim is known by itself, whether its pod is there or not. */
const maxClaims = 10_000

/** Returns the names that they give to volumes. */
function checkClaimTemplates(spec: Raw, report: Report): string[] {
  const claims = mapsAt(spec, 'volumeClaimTemplates').length * (numberAt(spec, 'replicas') ?? 1)
  if (claims > maxClaims) report(['spec', 'replicas'], 'OutOfRange', `${claims} claims are more than ${maxClaims}`)
  return mapsAt(spec, 'volumeClaimTemplates').map((template, index) => {
    const at = ['spec', 'volumeClaimTemplates', index]
    const name = textAt(mapAt(template, 'metadata'), 'name') ?? ''
    if (!isDnsLabel(name)) report([...at, 'metadata', 'name'], 'BadName', `${JSON.stringify(name)} is not a valid volume name`)
    checkClaimSpec(mapAt(template, 'spec'), [...at, 'spec'], report)
    return name
  })
}
