/** Why a difference is there, in words. */
import { same } from './equal.ts'
import type { ObjectDiff } from './objects.ts'
import type { Difference } from './threeway.ts'

/** A short phrase: `changed in git`, `drift: removed`, `foreign: stays`. */
export function causeOf(difference: Difference): string {
  if (difference.owner === 'foreign') return 'foreign: stays'
  return difference.owner === 'drift' ? driftCause(difference) : gitCause(difference)
}

function driftCause({ action, observed }: Difference): string {
  if (action === 'remove') return 'drift: set, though git clears it'
  return observed === undefined ? 'drift: removed' : 'drift: changed'
}

function gitCause({ action, lastApplied, desired, observed }: Difference): string {
  if (action === 'remove') return desired === null ? 'cleared in git' : 'removed from git'
  if (lastApplied === undefined) return observed === undefined ? 'added in git' : 'set in git, found otherwise'
  return same(lastApplied, observed) ? 'changed in git' : 'changed in git, and had drifted'
}

const words = { create: 'to create', update: 'to update', delete: 'to delete', drift: 'drifted', none: 'unchanged' } as const

/** How many objects change and how: `1 to create, 2 to update, 7 unchanged`; `no objects` for none at all. */
export function summarizeDiffs(diffs: readonly ObjectDiff[]): string {
  const parts = (['create', 'update', 'delete', 'drift', 'none'] as const).flatMap((change) => {
    const count = diffs.filter((diff) => diff.change === change).length
    return count === 0 ? [] : [`${count} ${words[change]}`]
  })
  return parts.length === 0 ? 'no objects' : parts.join(', ')
}
