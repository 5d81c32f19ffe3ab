import { expect, test } from 'vitest'
import type { PodNow } from '../../../src/reconcilers/podstate.ts'
import { type Ranked, rankForDeletion } from '../../../src/reconcilers/ranking.ts'
import { epochMs } from '../../support/world.ts'

interface Traits {
  readonly uid: string
  readonly bound?: boolean
  readonly phase?: PodNow['phase']
  readonly ready?: boolean
  readonly available?: boolean
  readonly siblings?: number
  readonly readyFor?: number
  readonly restarts?: number
  readonly age?: number
  readonly cost?: string
}

/** Only what ranking looks at. */
function ranked({
  uid,
  bound = true,
  phase = 'Running',
  ready = true,
  available = true,
  siblings = 1,
  readyFor = 60_000,
  restarts = 0,
  age = 60_000,
  cost = '0',
}: Traits): Ranked {
  const template = { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } }
  const record = { uid, bound, createdAt: epochMs - age, readySince: readyFor === 0 ? 0 : epochMs - readyFor }
  const containers = [{ attempt: restarts, latest: undefined }]
  return { siblings, available, pod: { phase, ready, containers, context: { record, set: { template } } } as unknown as PodNow }
}

for (const { name, pods, want } of [
  { name: 'without a sandbox first', pods: [{ uid: 'a' }, { uid: 'b', bound: false }], want: 'b a' },
  {
    name: 'pending, then unknown, then running',
    pods: [{ uid: 'a' }, { uid: 'b', phase: 'Unknown' }, { uid: 'c', phase: 'Pending' }],
    want: 'c b a',
  },
  { name: 'not ready before ready', pods: [{ uid: 'a' }, { uid: 'b', ready: false }], want: 'b a' },
  {
    name: 'ready and not yet available before available',
    pods: [
      { uid: 'a', readyFor: 1 },
      { uid: 'b', available: false },
    ],
    want: 'b a',
  },
  {
    name: 'the cheaper to delete',
    pods: [
      { uid: 'a', cost: '5' },
      { uid: 'b', cost: '-5' },
      { uid: 'c', cost: 'dear' },
    ],
    want: 'b c a',
  },
  { name: 'the more siblings on its node', pods: [{ uid: 'a' }, { uid: 'b', siblings: 3 }], want: 'b a' },
  {
    name: 'ready for less time',
    pods: [
      { uid: 'a', readyFor: 600_000 },
      { uid: 'b', readyFor: 10_000 },
    ],
    want: 'b a',
  },
  {
    name: 'about as long ready: the uid decides, not restarts or age',
    pods: [
      { uid: 'b', readyFor: 70_000, restarts: 9, age: 1 },
      { uid: 'a', readyFor: 80_000 },
    ],
    want: 'a b',
  },
  { name: 'exactly as long ready: more restarts', pods: [{ uid: 'a' }, { uid: 'b', restarts: 2 }], want: 'b a' },
  { name: 'then newer', pods: [{ uid: 'a' }, { uid: 'b', age: 10 }], want: 'b a' },
  { name: 'then the uid', pods: [{ uid: 'b' }, { uid: 'a' }], want: 'a b' },
] as readonly { name: string; pods: readonly Traits[]; want: string }[])
  test(`rankForDeletion: ${name}`, () => {
    const order = (list: readonly Ranked[]) => rankForDeletion(list, epochMs).map(({ context }) => context.record.uid)
    const all = pods.map(ranked)
    expect(order(all).join(' ')).toBe(want)
    expect(order([...all].reverse()).join(' '), 'whatever order they come in').toBe(want)
  })
