/** Random sequences of engine operations, as data: everything is named by number, so that they mean the same on any engine. */
import type { ResourceLimits, RestartPolicy } from '../../../src/runtime/engine.ts'

const mebibyte = 1024 * 1024

/** Which network a container is made with: one of two, one that is never there, or that of the nth container. */
export type Mode = 'none' | 'missing' | { readonly network: number } | { readonly container: number }

/** An address: of Docker's choice, one of a few in the network, or one outside of it. */
export type Address = 'any' | 'outside' | number

export type ProgramName = 'idle' | 'stubborn' | 'crash' | 'noCommand'

/** `container` counts from the latest one back; beyond the first it is one that never was. */
export type Operation =
  | {
      readonly op: 'create'
      readonly name: number
      readonly program: ProgramName
      readonly image: 'present' | 'missing'
      readonly mode: Mode
      readonly address: Address
      readonly volumes: readonly number[]
      readonly readOnly: boolean
      readonly resources: ResourceLimits
      readonly restartPolicy: RestartPolicy
      readonly init: boolean
    }
  | { readonly op: 'start' | 'stop' | 'remove' | 'pause' | 'unpause'; readonly container: number }
  | { readonly op: 'kill'; readonly container: number; readonly signal: string }
  | { readonly op: 'rename'; readonly container: number; readonly name: number }
  | {
      readonly op: 'update'
      readonly container: number
      readonly change: { readonly resources?: ResourceLimits; readonly restartPolicy?: RestartPolicy }
    }
  | { readonly op: 'createNetwork'; readonly network: number; readonly range: number }
  | { readonly op: 'removeNetwork'; readonly network: number }
  | { readonly op: 'connect'; readonly network: number; readonly container: number; readonly address: Address }
  | { readonly op: 'disconnect'; readonly network: number; readonly container: number }
  | { readonly op: 'createVolume'; readonly volume: number; readonly label: string }
  | { readonly op: 'removeVolume'; readonly volume: number }
  | { readonly op: 'put'; readonly container: number; readonly path: string; readonly text: string }
  | { readonly op: 'get' | 'type'; readonly container: number; readonly path: string }

export interface Chance {
  /** a whole number from 0 up to and without `below` */
  number(below: number): number
  one<T>(choices: readonly T[]): T
}

export function chance(random: () => number): Chance {
  const number = (below: number): number => Math.floor(random() * below)
  return { number, one: (choices) => choices[number(choices.length)]! }
}

/** Cheap operations often, those that run processes seldom. */
const weights: readonly (readonly [number, (by: Chance) => Operation])[] = [
  [18, create],
  [5, (by) => ({ op: 'start', container: recent(by) })],
  [3, (by) => ({ op: 'stop', container: recent(by) })],
  [9, (by) => ({ op: 'remove', container: recent(by) })],
  [1, (by) => ({ op: 'pause', container: recent(by) })],
  [2, (by) => ({ op: 'unpause', container: recent(by) })],
  [3, (by) => ({ op: 'kill', container: recent(by), signal: by.one(['KILL', 'TERM', 'SIGHUP', 'NONSENSE']) })],
  [12, (by) => ({ op: 'rename', container: recent(by), name: by.number(4) })],
  [11, (by) => ({ op: 'update', container: recent(by), change: change(by) })],
  [4, (by) => ({ op: 'createNetwork', network: by.number(2), range: by.number(3) })],
  [3, (by) => ({ op: 'removeNetwork', network: by.number(2) })],
  [7, (by) => ({ op: 'connect', network: by.number(2), container: recent(by), address: address(by) })],
  [6, (by) => ({ op: 'disconnect', network: by.number(2), container: recent(by) })],
  [9, (by) => ({ op: 'createVolume', volume: by.number(3), label: by.one(['a', 'a', 'b']) })],
  [7, (by) => ({ op: 'removeVolume', volume: by.number(3) })],
  [2, (by) => ({ op: 'put', container: recent(by), path: place(by), text: by.one(['one', 'two']) })],
  [2, (by) => ({ op: 'get', container: recent(by), path: place(by) })],
  [2, (by) => ({ op: 'type', container: recent(by), path: place(by) })],
]

const total = weights.reduce((sum, [weight]) => sum + weight, 0)

export function sequence(random: () => number, length: number): Operation[] {
  const by = chance(random)
  // Something to work with: without networks and containers most operations miss.
  const begin: Operation[] = [{ op: 'createNetwork', network: 0, range: 0 }, create(by)]
  return [...begin, ...Array.from({ length: length - begin.length }, () => operation(by))]
}

function operation(by: Chance): Operation {
  let left = by.number(total)
  for (const [weight, make] of weights) {
    if (left < weight) return make(by)
    left -= weight
  }
  throw new Error('the weights do not add up')
}

const recent = (by: Chance): number => by.one([0, 0, 0, 0, 1, 1, 2, 3, 99])
const address = (by: Chance): Address => by.one(['any', 'any', 'any', 1, 2, 2, 20, 21, 'outside'] as const)
const place = (by: Chance): string => by.one(['/v0', '/v0', '/v1', '/tmp', '/no/such'])

function create(by: Chance): Operation {
  const mode = by.one<Mode>([
    'none',
    'none',
    { network: 0 },
    { network: 0 },
    { network: 0 },
    { network: 1 },
    { container: 0 },
    { container: 1 },
    'missing',
  ])
  return {
    op: 'create',
    name: by.number(4),
    program: by.one(['idle', 'idle', 'idle', 'stubborn', 'crash', 'noCommand'] as const),
    image: by.one(['present', 'present', 'present', 'present', 'present', 'present', 'present', 'missing'] as const),
    mode,
    address: typeof mode === 'object' && 'network' in mode ? address(by) : 'any',
    volumes: by.one([[], [], [0], [0, 1]]),
    readOnly: by.number(4) === 0,
    resources: limits(by),
    restartPolicy: 'no',
    init: by.number(3) > 0,
  }
}

function limits(by: Chance): ResourceLimits {
  return by.one<ResourceLimits>([
    {},
    {},
    {},
    { memoryBytes: 32 * mebibyte, cpuQuota: 20_000, cpuShares: 102 },
    { memoryBytes: 64 * mebibyte },
    { cpuShares: 512 },
    { memoryBytes: 1000 },
    { cpuQuota: 10 },
  ])
}

function change(by: Chance): { resources?: ResourceLimits; restartPolicy?: RestartPolicy } {
  const restartPolicy = by.one<RestartPolicy>(['no', 'on-failure', 'unless-stopped', 'always'])
  return by.one([{ restartPolicy }, { resources: limits(by) }, { restartPolicy, resources: limits(by) }, {}])
}
