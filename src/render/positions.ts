/** Where in a YAML text a value begins. */
import { EVENT_ID, type Event, getScalarValue } from 'js-yaml'
import type { FieldPath } from '../model/types/meta.ts'

/** Finds places in one text; what it learns of a map, a list or the lines is kept, so that many questions cost as much as one. */
export interface Positions {
  /** 1-based line of the field at `path` in a document, that of its key; of its nearest parent when there is no such field. */
  line(document: number, path?: FieldPath): number
}

/** `events` are those of the whole `text`. */
export function positionsOf(text: string, events: readonly Event[]): Positions {
  const documents = rootsOf(events)
  let ends: Uint32Array | undefined
  const children = new Map<number, ReadonlyMap<string | number, Place>>()
  let starts: readonly number[] | undefined

  const childrenAt = (at: number): ReadonlyMap<string | number, Place> => {
    const known = children.get(at)
    if (known !== undefined) return known
    ends ??= endsOf(events)
    const found = childrenOf(text, events, ends, at)
    children.set(at, found)
    return found
  }

  return {
    line(document, path = []) {
      const root = documents[document]
      if (root === undefined) return 1
      let place: Place = { value: root, offset: offsetOf(events[root]) }
      for (const part of path) {
        const found = childrenAt(place.value).get(part)
        if (found === undefined) break
        place = found
      }
      starts ??= lineStarts(text)
      return lineAt(starts, place.offset)
    },
  }
}

interface Place {
  /** index of the value's event */
  readonly value: number
  /** where its key or, in a list, the value itself begins */
  readonly offset: number
}

/** Index of the event of each document's value, which is that of its end for an empty one. */
function rootsOf(events: readonly Event[]): readonly number[] {
  return events.flatMap(({ type }, index) => (type === EVENT_ID.DOCUMENT ? [index + 1] : []))
}

/** For each event that begins a value, the index of the event after that value. */
function endsOf(events: readonly Event[]): Uint32Array {
  const ends = new Uint32Array(events.length)
  const open: number[] = []
  for (const [index, { type }] of events.entries()) {
    ends[index] = index + 1
    if (type === EVENT_ID.POP) ends[open.pop() ?? index] = index + 1
    else if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE || type === EVENT_ID.DOCUMENT) open.push(index)
  }
  return ends
}

/** Of two equal keys the later one counts. */
function childrenOf(text: string, events: readonly Event[], ends: Uint32Array, at: number): ReadonlyMap<string | number, Place> {
  const found = new Map<string | number, Place>()
  const type = events[at]?.type
  if (type !== EVENT_ID.MAPPING && type !== EVENT_ID.SEQUENCE) return found
  const last = (ends[at] ?? 0) - 1
  for (let next = at + 1; next < last; ) {
    const first = events[next]
    const value = type === EVENT_ID.MAPPING ? (ends[next] ?? last) : next
    if (type === EVENT_ID.SEQUENCE) found.set(found.size, { value, offset: offsetOf(first) })
    else if (first?.type === EVENT_ID.SCALAR) found.set(getScalarValue(text, first), { value, offset: offsetOf(first) })
    next = ends[value] ?? last
  }
  return found
}

function offsetOf(event: Event | undefined): number {
  if (event === undefined) return 0
  if (event.type === EVENT_ID.SCALAR) return event.valueStart
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart
  return 'start' in event ? event.start : 0
}

/** Offsets at which lines begin. */
function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** 1-based; by halving. */
function lineAt(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle
  }
  return low + 1
}
