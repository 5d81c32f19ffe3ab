/** Label selectors, equality and set-based, as Kubernetes evaluates them. */
import { canonicalText } from './canonical.ts'
import { sortedBy } from './order.ts'
import { mapsAt, type Raw, textAt, textMapAt, textsAt } from './raw.ts'
import type { LabelSelector, Labels, SelectorRequirement } from './types/meta.ts'

/** The canonical form of a LabelSelector as it is written. */
export function readSelector(raw: Raw): LabelSelector {
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

/**
 * Whether an object with `labels` is selected. Every part must hold; an empty selector selects everything
 * and `null` selects nothing.
 * @see Kubernetes apimachinery pkg/labels/selector.go, `Requirement.Matches`
 */
export function matches(selector: LabelSelector | null, labels: Labels): boolean {
  if (selector === null) return false
  return matchesLabels(selector.matchLabels, labels) && selector.matchExpressions.every((part) => meets(part, labels))
}

/** Whether `labels` holds every pair of `wanted`: the selector of a Service, and `matchLabels`. */
export function matchesLabels(wanted: Labels, labels: Labels): boolean {
  for (const key of Object.keys(wanted)) {
    if (!Object.hasOwn(labels, key) || labels[key] !== wanted[key]) return false
  }
  return true
}

/** A key that is absent meets NotIn, as it does in Kubernetes. */
function meets(part: SelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, part.key) ? labels[part.key] : undefined
  switch (part.operator) {
    case 'In':
      return value !== undefined && part.values.includes(value)
    case 'NotIn':
      return value === undefined || !part.values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

/**
 * A selector as kubectl takes it: `app=web,tier!=cache,env in (a, b),!old`. Errors: `Error` that names the part.
 * @see Kubernetes apimachinery pkg/labels `Parse`
 */
export function parseSelector(text: string): LabelSelector {
  // A comma within brackets divides values, not requirements.
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim())
  return { matchLabels: {}, matchExpressions: parts.map(requirementOf) }
}

const label = String.raw`[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?`
const oneValue = new RegExp(`^(${label})\\s*(==?|!=)\\s*(${label})?$`)
const someValues = new RegExp(`^(${label})\\s+(in|notin)\\s*\\(([^()]*)\\)$`)
const presence = new RegExp(`^(!?)\\s*(${label})$`)

function requirementOf(part: string): SelectorRequirement {
  const [, key, sign, value = ''] = oneValue.exec(part) ?? []
  if (key !== undefined) return { key, operator: sign === '!=' ? 'NotIn' : 'In', values: [value] }
  const [, listed, word, values = ''] = someValues.exec(part) ?? []
  if (listed !== undefined)
    return { key: listed, operator: word === 'in' ? 'In' : 'NotIn', values: values.split(',').map((one) => one.trim()) }
  const [, not, named] = presence.exec(part) ?? []
  if (named !== undefined) return { key: named, operator: not === '!' ? 'DoesNotExist' : 'Exists', values: [] }
  throw new Error(`"${part}" is no requirement of a label selector, such as app=web, tier!=cache, env in (a,b), ready or !old`)
}
