/** An engine that fails, is slow, or answers when nobody waits any more; and whose events get lost. */
import { type Engine, EngineError, type EngineEvent } from '../../src/runtime/engine.ts'
import type { Timers } from '../../src/runtime/timers.ts'
import type { Chance } from './chance.ts'

export interface Trouble {
  /** one in so many operations goes wrong; 0 for none */
  operations: number
  /** events are lost, late, doubled, or in another order */
  events: boolean
  /** lists show what an earlier one has shown, now and then */
  lists: boolean
}

const GIVE_UP_MS = 30_000
/** Docker lists from a copy that follows its state; it is never much behind. */
const STALE_MS = 500

export function troubled(
  engine: Engine,
  trouble: Trouble,
  world: { readonly timers: Timers; readonly chance: Chance; readonly elapsed: () => number },
): Engine {
  const { timers, chance } = world
  const listed = new Map<string, { readonly at: number; readonly found: unknown }>()
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void timers.setTimeout(resolve, ms))

  async function call(work: () => Promise<unknown>): Promise<unknown> {
    switch (chance.int(1, 5)) {
      case 1:
        throw new EngineError('failed', 'trouble: it did not work')
      case 2:
        await work()
        throw new EngineError('failed', 'trouble: it worked, and the answer was an error')
      case 3:
        await pause(GIVE_UP_MS)
        throw new EngineError('timeout', 'trouble: no answer, and nothing was done')
      case 4:
        await pause(GIVE_UP_MS)
        await work()
        throw new EngineError('timeout', 'trouble: no answer, and it was done after all')
      default:
        await pause(chance.int(100, 8_000))
        return work()
    }
  }

  /** An engine under load answers from what it knew a while ago. */
  async function list(name: string, work: () => Promise<unknown>): Promise<unknown> {
    const stale = listed.get(name)
    if (trouble.lists && stale !== undefined && world.elapsed() - stale.at < STALE_MS && chance.oneIn(2)) return stale.found
    const found = await work()
    listed.set(name, { at: world.elapsed(), found })
    return found
  }

  async function* lossy(events: AsyncIterable<EngineEvent>): AsyncGenerator<EngineEvent> {
    let held: EngineEvent | undefined
    for await (const event of events) {
      if (event.type === 'other' || !trouble.events) {
        yield event
        continue
      }
      const fate = chance.int(1, 4)
      if (fate === 1) continue
      if (fate === 2) {
        held = event
        continue
      }
      yield event
      if (fate === 3) yield event
      if (held !== undefined) yield held
      held = undefined
    }
  }

  return new Proxy(engine, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name === 'events') return (since: number, signal: AbortSignal) => lossy(target.events(since, signal))
      if (name === 'logs') return member.bind(target)
      return (...args: unknown[]) => {
        const work = (): Promise<unknown> => member.apply(target, args) as Promise<unknown>
        if (trouble.operations > 0 && chance.oneIn(trouble.operations)) return call(work)
        return String(name).startsWith('list') ? list(String(name), work) : work()
      }
    },
  })
}
