/** What befalls a world: commits, and everything that can go wrong, each at its time, by chance. */
import type { Chance } from './chance.ts'
import type { Fall } from './engine/power.ts'

export type Fault =
  /** `kill -9` now, or in the middle of the n-th engine operation from now; the next daemon comes after `downMs` */
  | { readonly kind: 'killDaemon'; readonly downMs: number }
  | { readonly kind: 'killDaemonInOperation'; readonly operations: number; readonly done: boolean; readonly downMs: number }
  | { readonly kind: 'terminateDaemon'; readonly downMs: number }
  | { readonly kind: 'secondDaemon' }
  | { readonly kind: 'loseStore' }
  | { readonly kind: 'fullDisk'; readonly forMs: number }
  | { readonly kind: 'jumpClock'; readonly ms: number }
  /** engine operations fail, are slow, or answer after they were given up */
  | { readonly kind: 'engineTrouble'; readonly oneIn: number; readonly forMs: number }
  | { readonly kind: 'eventTrouble'; readonly forMs: number }
  | { readonly kind: 'staleLists'; readonly forMs: number }
  | { readonly kind: 'engineUnreachable'; readonly forMs: number }
  | { readonly kind: 'engineFalls'; readonly how: Fall; readonly downMs: number }
  | { readonly kind: 'remote'; readonly state: 'unreachable' | 'hanging'; readonly forMs: number }
  | { readonly kind: 'routerRefuses'; readonly forMs: number }
  | { readonly kind: 'flushRouter'; readonly what: 'routes' | 'dns' }
  | { readonly kind: 'meddle'; readonly how: Meddling }

export const MEDDLINGS = [
  'kill',
  'stop',
  'pause',
  'remove',
  'rename',
  'update',
  'disconnect',
  'removeSandbox',
  'removeRouter',
  'killRouter',
  'copy',
  'editFile',
] as const
export type Meddling = (typeof MEDDLINGS)[number]

/** Faults after which pods keep running and nobody but the daemon changes anything: every promise holds throughout. */
export function calmFault(chance: Chance): Fault {
  const downMs = chance.pick([100, 1_000, 10_000, 60_000])
  const forMs = chance.pick([2_000, 15_000, 90_000])
  return chance.weighted<Fault>([
    [4, { kind: 'killDaemon', downMs }],
    [8, { kind: 'killDaemonInOperation', operations: chance.int(1, 60), done: chance.oneIn(2), downMs }],
    [2, { kind: 'terminateDaemon', downMs }],
    [1, { kind: 'secondDaemon' }],
    [1, { kind: 'fullDisk', forMs }],
    [3, { kind: 'engineTrouble', oneIn: chance.pick([3, 10, 30]), forMs }],
    [2, { kind: 'eventTrouble', forMs }],
    [1, { kind: 'staleLists', forMs }],
    [1, { kind: 'engineUnreachable', forMs }],
    [2, { kind: 'remote', state: chance.pick(['unreachable', 'hanging']), forMs }],
    [1, { kind: 'routerRefuses', forMs }],
  ])
}

export function roughFault(chance: Chance): Fault {
  const downMs = chance.pick([500, 5_000, 60_000])
  if (chance.oneIn(3)) return calmFault(chance)
  return chance.weighted<Fault>([
    [12, { kind: 'meddle', how: chance.pick(MEDDLINGS) }],
    [2, { kind: 'engineFalls', how: chance.pick(['restart', 'crash', 'powerLoss']), downMs }],
    [1, { kind: 'loseStore' }],
    [1, { kind: 'flushRouter', what: chance.pick(['routes', 'dns']) }],
    [1, { kind: 'jumpClock', ms: chance.pick([-3_600_000, -30_000, 30_000, 3_600_000, 86_400_000]) }],
  ])
}

/** A world's size, length and weather. */
export interface Climate {
  readonly calm: boolean
  readonly size: number
  /** faults stop after so long, ms */
  readonly stormMs: number
  readonly commitEveryMs: number
  readonly faultEveryMs: number
  /** every commit is one that can work */
  readonly sound: boolean
}

export function climate(chance: Chance): Climate {
  return {
    calm: chance.oneIn(2),
    size: chance.weighted([
      [30, chance.int(1, 3)],
      [10, chance.int(4, 8)],
      [1, chance.int(9, 20)],
      [chance.oneIn(8) ? 1 : 0, chance.int(21, 50)],
    ]),
    stormMs: chance.weighted([
      [8, chance.int(60_000, 300_000)],
      [1, chance.int(300_000, 1_200_000)],
    ]),
    commitEveryMs: chance.pick([8_000, 25_000, 70_000]),
    faultEveryMs: chance.pick([4_000, 15_000, 45_000]),
    sound: chance.oneIn(2),
  }
}
