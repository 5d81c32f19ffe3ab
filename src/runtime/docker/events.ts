import { EngineError, type EngineEvent } from '../engine.ts'
import type { Connection } from './connect.ts'
import { number, record, text, textMap } from './json.ts'
import { jsonLines } from './lines.ts'

/** Kinds of events asked for; the rest (plugins, swarm nodes, builders) is nobody's concern here. */
const types = ['container', 'network', 'volume', 'image', 'daemon'] as const

/**
 * What happens on the engine, from `GET /events`.
 *
 * The first event is `{type: 'other', action: 'subscribed'}`, once the engine has taken the
 * subscription: what is listed after it misses nothing. Ends with an `unreachable` error when the
 * connection does, quietly when `signal` aborts.
 *
 * @param sinceMs replay what happened since, ms since the epoch by the engine's clock (at most the last
 *   256 events); `0` for none.
 */
export async function* engineEvents(connection: Connection, sinceMs: number, signal: AbortSignal): AsyncGenerator<EngineEvent> {
  if (signal.aborted) return
  const request = { op: 'events', subject: connection.host }
  try {
    const answer = await connection.stream({
      ...request,
      method: 'GET',
      path: '/events',
      query: { filters: { type: types }, since: sinceMs > 0 ? (sinceMs / 1000).toFixed(3) : undefined },
      signal,
    })
    try {
      yield { type: 'other', action: 'subscribed', id: '', container: '', attributes: {}, timeMs: 0 }
      for await (const said of jsonLines(answer)) yield engineEvent(said)
    } finally {
      answer.destroy()
    }
  } catch (cause) {
    if (signal.aborted) return
    throw connection.lost(request, cause)
  }
  if (!signal.aborted) throw new EngineError('unreachable', `events ${connection.host}: the engine ended the event stream`)
}

/** One event. Labels come among the attributes; `exec_*` actions carry their command, which is cut off. */
export function engineEvent(said: unknown): EngineEvent {
  const answer = record(said)
  const actor = record(answer.Actor)
  const attributes = textMap(actor.Attributes)
  const type = types.find((candidate) => candidate === answer.Type) ?? 'other'
  const [action = ''] = text(answer.Action).split(':')
  return {
    type,
    action,
    id: text(actor.ID),
    container: type === 'network' ? (attributes.container ?? '') : '',
    attributes,
    timeMs: number(answer.timeNano) > 0 ? Math.floor(number(answer.timeNano) / 1e6) : number(answer.time) * 1000,
  }
}
