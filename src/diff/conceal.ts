/** Keeps what is secret out of everything that is shown, digests included: they would tell equal values apart. */
import { isMap } from './keyed.ts'
import { childPath } from './path.ts'
import type { Difference } from './threeway.ts'

export const hiddenText = '(hidden)'

/** Values of a Secret, and the copy of the whole manifest that kubectl leaves behind. */
const secretPaths = [
  /^(body\.)?(data|stringData)([.[]|$)/,
  /^metadata\.annotations\["kubectl\.kubernetes\.io\/last-applied-configuration"\]$/,
]

/** The difference as it may be shown: names of a Secret's keys stay, their values do not. */
export function concealDifference(kind: string, difference: Difference): Difference {
  if (kind !== 'Secret') return difference
  const { path, lastApplied, desired, observed } = difference
  return {
    ...difference,
    lastApplied: conceal(path, lastApplied),
    desired: conceal(path, desired),
    observed: conceal(path, observed),
  }
}

/** Whether every value at this path of an object of this kind is hidden. */
export function isConcealed(kind: string, path: string): boolean {
  return kind === 'Secret' && secretPaths.some((secret) => secret.test(path))
}

function conceal(path: string, value: unknown): unknown {
  if (isConcealed('Secret', path)) return hide(value)
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, conceal(childPath(path, field), inner)]))
}

function hide(value: unknown): unknown {
  if (value === undefined || value === null) return value
  if (!isMap(value)) return hiddenText
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, hide(inner)]))
}
