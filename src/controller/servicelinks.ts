/** What pods are told of the Services of their namespace, and which of these are to be given an address before pods are made. */
import { type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { PlacedService } from '../reconcilers/placement.ts'
import { linksText } from '../reconcilers/servicelinks.ts'

export interface ServiceLinks {
  /** Takes a Service over, as it is placed now; `undefined` once it is not. */
  place(key: ObjectKey, placed: PlacedService | undefined): void
  /** The Services of a namespace as `linksText` has them. */
  text(namespace: string): string
  /** A Service that has no address is to be looked at. */
  expect(key: ObjectKey): void
  /** It has been looked at, whatever came of it. */
  lookedAt(key: ObjectKey): void
  /** Services of a namespace that are expected to get an address. */
  expected(namespace: string): readonly ObjectKey[]
}

export function createServiceLinks(): ServiceLinks {
  const placed = new Map<string, Map<ObjectKey, PlacedService>>()
  const expected = new Map<string, Set<ObjectKey>>()
  /** kept until a Service of the namespace changes: every pass over a workload asks for it */
  const texts = new Map<string, string>()
  return {
    place(key, service) {
      const { namespace } = splitKey(key)
      const own = placed.get(namespace) ?? new Map<ObjectKey, PlacedService>()
      placed.set(namespace, own)
      if (service === undefined) own.delete(key)
      else own.set(key, service)
      texts.delete(namespace)
    },
    text(namespace) {
      const known = texts.get(namespace)
      if (known !== undefined) return known
      const text = linksText(placed.get(namespace)?.values() ?? [])
      texts.set(namespace, text)
      return text
    },
    expect(key) {
      const { namespace } = splitKey(key)
      expected.set(namespace, (expected.get(namespace) ?? new Set()).add(key))
    },
    lookedAt(key) {
      const { namespace } = splitKey(key)
      const left = expected.get(namespace)
      if (left?.delete(key) === true && left.size === 0) expected.delete(namespace)
    },
    expected: (namespace) => [...(expected.get(namespace) ?? [])],
  }
}
