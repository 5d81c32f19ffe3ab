/** Where in a YAML text a value begins. */
import { EVENT_ID, type Event, getScalarValue } from 'js-yaml'
import type { FieldPath } from '../model/types.ts'

/** The events of one document of a stream, without the one that opens it and the one that closes it. */
export function documentEvents(events: readonly Event[], index: number): readonly Event[] {
  let seen = -1
  let start = -1
  for (const [at, event] of events.entries()) {
    if (event.type !== EVENT_ID.DOCUMENT) continue
    seen += 1
    if (seen === index) start = at + 1
    else if (seen > index) return events.slice(start, at - 1)
  }
  return start === -1 ? [] : events.slice(start, -1)
}

/** 1-based line of the field at `path`, that of its key; of its nearest parent when there is no such field. */
export function startLine(text: string, events: readonly Event[], path: FieldPath = []): number {
  let offset = offsetOf(events[0])
  let at = 0
  for (const part of path) {
    const found = typeof part === 'number' ? itemAt(events, at, part) : valueAt(text, events, at, part)
    if (found === undefined) break
    offset = found.offset
    at = found.value
  }
  return lineAt(text, offset)
}

interface Place {
  /** index of the value's event */
  readonly value: number
  /** where its key or, in a list, the value itself begins */
  readonly offset: number
}

function valueAt(text: string, events: readonly Event[], at: number, key: string): Place | undefined {
  if (events[at]?.type !== EVENT_ID.MAPPING) return undefined
  let place: Place | undefined
  let next = at + 1
  while (next < events.length && events[next]?.type !== EVENT_ID.POP) {
    const name = events[next]
    const value = after(events, next)
    if (name?.type === EVENT_ID.SCALAR && getScalarValue(text, name) === key) place = { value, offset: offsetOf(name) }
    next = after(events, value)
  }
  return place
}

function itemAt(events: readonly Event[], at: number, index: number): Place | undefined {
  if (events[at]?.type !== EVENT_ID.SEQUENCE) return undefined
  let next = at + 1
  for (let count = 0; next < events.length && events[next]?.type !== EVENT_ID.POP; count += 1) {
    if (count === index) return { value: next, offset: offsetOf(events[next]) }
    next = after(events, next)
  }
  return undefined
}

/** Index of the event after a whole value. */
function after(events: readonly Event[], at: number): number {
  let depth = 0
  for (let next = at; next < events.length; next += 1) {
    const type = events[next]?.type
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) depth += 1
    else if (type === EVENT_ID.POP) depth -= 1
    if (depth <= 0) return next + 1
  }
  return events.length
}

function offsetOf(event: Event | undefined): number {
  if (event === undefined) return 0
  if (event.type === EVENT_ID.SCALAR) return event.valueStart
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart
  return 'start' in event ? event.start : 0
}

function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}
