/** PodDisruptionBudgets. @see Kubernetes pkg/apis/policy/validation */
import { has, mapAt, type Raw } from '../raw.ts'
import type { Report } from '../report.ts'

export function checkDisruptionBudget(body: Raw, report: Report): void {
  const spec = mapAt(body, 'spec')
  if (has(spec, 'minAvailable') && has(spec, 'maxUnavailable'))
    report(['spec'], 'TooMany', 'a budget has either minAvailable or maxUnavailable, not both')
}
