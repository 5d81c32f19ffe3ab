/** What goes wrong on the way to an engine, by chance, for as long as it is in force. */
import type { Engine } from '../../src/runtime/engine.ts'
import type { Chance } from './chance.ts'
import type { VirtualClock } from './clock.ts'
import { type CallFault, type EventFault, withFaults } from './engine/faults.ts'

export interface Trouble {
  /** one in so many operations goes wrong; 0 for none */
  operations: number
  /** events are lost, late, doubled, or in another order */
  events: boolean
  /** lists show what an earlier one has shown, now and then */
  lists: boolean
}

/** Docker lists from a copy that follows its state; it is never much behind. */
const STALE_MS = 500

export function troubled(
  engine: Engine,
  trouble: Trouble,
  { clock, chance }: { readonly clock: VirtualClock; readonly chance: Chance },
): Engine {
  /** when each list was last a new one */
  const listedAt = new Map<string, number>()

  function call(op: string, args: readonly unknown[]): CallFault | undefined {
    if (trouble.operations > 0 && chance.oneIn(trouble.operations)) return wrong()
    if (!op.startsWith('list')) return undefined
    const list = `${op} ${JSON.stringify(args)}`
    const age = clock.elapsed() - (listedAt.get(list) ?? Number.NEGATIVE_INFINITY)
    if (trouble.lists && age < STALE_MS && chance.oneIn(2)) return { fault: 'stale' }
    listedAt.set(list, clock.elapsed())
    return undefined
  }

  function wrong(): CallFault {
    return chance.pick<CallFault>([
      { fault: 'before', kind: 'failed' },
      { fault: 'before', kind: 'timeout' },
      { fault: 'after', kind: 'failed' },
      { fault: 'after', kind: 'timeout' },
      { fault: 'delay', ms: chance.int(100, 30_000) },
    ])
  }

  function event(): EventFault | undefined {
    if (!trouble.events) return undefined
    return chance.weighted<EventFault | undefined>([
      [4, { fault: 'drop' }],
      [4, { fault: 'swap' }],
      [4, { fault: 'twice' }],
      [3, { fault: 'late', ms: chance.int(10, 5_000) }],
      [1, { fault: 'cut' }],
      [4, undefined],
    ])
  }

  return withFaults(engine, { timers: clock.timers, random: chance.next, call, event })
}
