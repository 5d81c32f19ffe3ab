/** The engine's event log: the last 256 can be told again, and a slow reader misses what its buffer cannot hold. */
import type { EngineEvent } from '../../../src/runtime/engine.ts'
import { Channel } from './channel.ts'

const KEPT = 256
const READER_BUFFER = 1024

export class EventLog {
  readonly #kept: EngineEvent[] = []
  readonly #readers = new Set<Channel<EngineEvent>>()

  emit(event: EngineEvent): void {
    this.#kept.push(event)
    if (this.#kept.length > KEPT) this.#kept.shift()
    for (const reader of this.#readers) reader.push(event)
  }

  /** What is kept since then, unless `sinceMs` is 0, and what comes. */
  subscribe(sinceMs: number): Channel<EngineEvent> {
    const reader = new Channel<EngineEvent>(READER_BUFFER)
    if (sinceMs > 0) for (const event of this.#kept) if (event.timeMs >= sinceMs) reader.push(event)
    this.#readers.add(reader)
    return reader
  }

  unsubscribe(reader: Channel<EngineEvent>): void {
    reader.end()
    this.#readers.delete(reader)
  }

  /** Ends every subscription; an engine that restarts has forgotten what happened as well. */
  hangUp(error: Error, forget: boolean): void {
    for (const reader of this.#readers) reader.end(error)
    this.#readers.clear()
    if (forget) this.#kept.length = 0
  }
}
