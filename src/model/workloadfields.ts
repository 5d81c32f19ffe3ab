/** Fields that several kinds of workload have, in canonical form. */
import { canonicalText } from './canonical.ts'
import { sortedBy } from './order.ts'
import { mapsAt, numberAt, type Raw, textAt, textMapAt, textsAt } from './raw.ts'
import type { IntOrPercent, LabelSelector, SelectorRequirement } from './types.ts'

export function labelSelector(raw: Raw): LabelSelector {
  return {
    matchLabels: textMapAt(raw, 'matchLabels'),
    matchExpressions: sortedBy(mapsAt(raw, 'matchExpressions').map(requirement), canonicalText),
  }
}

function requirement(raw: Raw): SelectorRequirement {
  return {
    key: textAt(raw, 'key') ?? '',
    operator: (textAt(raw, 'operator') ?? 'In') as SelectorRequirement['operator'],
    values: [...new Set(textsAt(raw, 'values'))].sort(),
  }
}

export function intOrPercent(map: Raw, key: string, otherwise: IntOrPercent): IntOrPercent {
  return numberAt(map, key) ?? textAt(map, key) ?? otherwise
}
