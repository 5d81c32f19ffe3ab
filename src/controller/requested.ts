/** What pods have requested of each node together: asked for by every pod that is to be placed, so kept as sums. */
import type { ObjectKey } from '../model/types/meta.ts'
import { minus, NOTHING, plus, type Requests } from '../reconcilers/requests.ts'

export interface Requested {
  /** Takes over what the pods of `key` request now, by node. */
  set(key: ObjectKey, own: ReadonlyMap<string, Requests>): void
  /** Of all pods on a node, without those of `except`. */
  of(node: string, except?: ObjectKey): Requests
}

export function createRequested(): Requested {
  const byKey = new Map<ObjectKey, ReadonlyMap<string, Requests>>()
  const totals = new Map<string, Requests>()
  const total = (node: string): Requests => totals.get(node) ?? NOTHING
  return {
    set(key, own) {
      const before = byKey.get(key)
      if (before === own) return
      for (const [node, requests] of before ?? []) totals.set(node, minus(total(node), requests))
      for (const [node, requests] of own) totals.set(node, plus(total(node), requests))
      if (own.size > 0) byKey.set(key, own)
      else byKey.delete(key)
    },
    of(node, except) {
      const own = except === undefined ? undefined : byKey.get(except)?.get(node)
      return own === undefined ? total(node) : minus(total(node), own)
    },
  }
}
