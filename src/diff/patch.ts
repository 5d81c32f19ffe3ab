/** From one value in keyed form to another, as JSON Patch (RFC 6902) operations. */
import jsonpatch from 'fast-json-patch'
import { alike, isKeyedMap, type Keyed } from './keyed.ts'
import type { Segment } from './path.ts'

export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Keyed }
  | { readonly op: 'remove'; readonly path: string }

/** Both sides stand below one key, so that a whole value may come or go. */
const rootSegment: Segment = '.'

/**
 * The operations that turn `{'.': from}` into `{'.': to}`, one for each place that differs. A list without keys
 * is replaced as a whole, and so is what has become something else. Applied with fast-json-patch they give `to`.
 */
export function compareKeyed(from: Keyed | undefined, to: Keyed | undefined): Operation[] {
  const [before, after] = [wrap(from), wrap(to)]
  const places = new Map<string, Operation>()
  for (const operation of jsonpatch.compare(before, after) as Operation[]) {
    const outer = replacedWhole(operation.path, before, after)
    places.set(outer?.path ?? operation.path, outer ?? operation)
  }
  return [...places.values()]
}

function wrap(value: Keyed | undefined): Record<Segment, Keyed> {
  return value === undefined ? {} : { [rootSegment]: value }
}

/** The outermost place on the way whose values cannot be compared part by part, if any. */
function replacedWhole(path: string, before: Keyed, after: Keyed): Operation | undefined {
  const parts = path.split('/').slice(1)
  let [from, to]: (Keyed | undefined)[] = [before, after]
  for (const [index, part] of parts.entries()) {
    if (!isKeyedMap(from) || !isKeyedMap(to) || !alike(from, to))
      return to === undefined ? undefined : { op: 'replace', path: `/${parts.slice(0, index).join('/')}`, value: to }
    const segment = jsonpatch.unescapePathComponent(part)
    from = from[segment]
    to = to[segment]
  }
  return undefined
}

/** The way to a place below the root; `[]` for the root itself. */
export function segmentsOf(operation: Operation): Segment[] {
  return operation.path.split('/').slice(2).map(jsonpatch.unescapePathComponent)
}
