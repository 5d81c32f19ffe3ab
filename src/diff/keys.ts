/** By what the items of a list are known, so that lists are compared item by item and not by position. */
import { mergeKeyFor } from '../model/schema.ts'

export interface ListKeys {
  /** fields that identify an item together, most telling first; never empty */
  readonly fields: readonly string[]
  /** whether the order of the items means something */
  readonly ordered: boolean
}

/** The keys of the list at a path such as `spec.template.spec.containers`; `undefined` for one that is replaced as a whole. */
export type MergeKeys = (path: string) => ListKeys | undefined

/**
 * Keyed lists whose order means nothing. Canonical form has them sorted; in every other list an item may depend on
 * those before it: init containers run in turn, variables refer back, the first matching host alias wins.
 */
const unordered = /(^|\.)(volumes|volumeMounts|containers\.ports|initContainers\.ports|items|sysctls)$/

/** The merge keys that the Kubernetes schema gives to a kind. Remembers what it was asked, so keep it for many objects. */
export function schemaKeys(kind: string): MergeKeys {
  const known = new Map<string, ListKeys | undefined>()
  return (path) => {
    if (!known.has(path)) known.set(path, lookUp(kind, path))
    return known.get(path)
  }
}

function lookUp(kind: string, path: string): ListKeys | undefined {
  // Objects that are only kept as data have their fields below `body`, in the order they were written in.
  const asData = path.startsWith('body.')
  const fields = mergeKeyFor(kind, asData ? path.slice('body.'.length) : path)
  if (fields === undefined || fields.length === 0) return undefined
  return { fields, ordered: asData || !unordered.test(path) }
}
