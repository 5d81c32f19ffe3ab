/** Label selectors: their own syntax, and whether they select the pods of their template. */
import { field, mapAt, mapsAt, type Raw, textAt, textMapAt, textsAt } from '../raw.ts'
import type { Report } from '../report.ts'
import { matches } from '../selector.ts'
import { isLabelKey, isLabelValue } from '../syntax.ts'
import type { FieldPath, SelectorRequirement } from '../types/meta.ts'
import { checkLabelPair } from './metadata.ts'

export function checkSelector(selector: Raw, at: FieldPath, report: Report): void {
  for (const [key, value] of Object.entries(textMapAt(selector, 'matchLabels'))) {
    checkLabelPair(key, value, [...at, 'matchLabels', key], report)
  }
  for (const [index, part] of mapsAt(selector, 'matchExpressions').entries()) {
    checkRequirement(part, [...at, 'matchExpressions', index], report)
  }
}

function checkRequirement(part: Raw, at: FieldPath, report: Report): void {
  const operator = textAt(part, 'operator')
  const values = textsAt(part, 'values')
  const key = textAt(part, 'key')
  if (key !== undefined && !isLabelKey(key)) report([...at, 'key'], 'BadLabel', `${JSON.stringify(key)} is not a valid label key`)
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    report([...at, 'values'], 'BadSelector', `operator ${operator} needs at least one value`)
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    report([...at, 'values'], 'BadSelector', `operator ${operator} takes no values`)
  }
  for (const [index, value] of values.entries()) {
    if (!isLabelValue(value)) report([...at, 'values', index], 'BadLabel', `${JSON.stringify(value)} is not a valid label value`)
  }
}

/** The selector of a workload: there, not empty, and selecting its own template. */
export function checkOwnSelector(spec: Raw, report: Report): void {
  const selector = mapAt(spec, 'selector')
  const at = ['spec', 'selector']
  if (field(spec, 'selector') === undefined) return
  checkSelector(selector, at, report)
  const matchLabels = textMapAt(selector, 'matchLabels')
  const matchExpressions = mapsAt(selector, 'matchExpressions').map(
    (part): SelectorRequirement => ({
      key: textAt(part, 'key') ?? '',
      operator: (textAt(part, 'operator') ?? 'In') as SelectorRequirement['operator'],
      values: textsAt(part, 'values'),
    }),
  )
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) {
    report(at, 'BadSelector', 'the selector is empty, so it would select every pod')
    return
  }
  const labels = textMapAt(mapAt(spec, 'template', 'metadata'), 'labels')
  if (!matches({ matchLabels, matchExpressions }, labels)) {
    const wanted = Object.entries(matchLabels).find(([key, value]) => labels[key] !== value)
    const detail = wanted === undefined ? '' : `: the template has no label ${wanted[0]}: ${wanted[1]}`
    report(at, 'SelectorMismatch', `the selector does not select the pods of its own template${detail}`)
  }
}
