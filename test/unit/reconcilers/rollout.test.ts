import { describe, expect, test } from 'vitest'
import type { DeploymentSpec } from '../../../src/model/types/workload.ts'
import { isComplete, planRollout, resolveCount, rolloutBounds, type SetCount } from '../../../src/reconcilers/rollout.ts'
import { count, deployment } from '../../support/world.ts'

function spec(replicas: number, maxSurge: number | string, maxUnavailable: number | string, more = {}): DeploymentSpec {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }
  return deployment({ spec: { replicas, strategy, ...more } }).spec
}

function recreate(replicas: number): DeploymentSpec {
  return deployment({ spec: { replicas, strategy: { type: 'Recreate' } } }).spec
}

/** `v1=2 v3=4`, sorted by name; `''` for no move. */
function moves(targets: ReadonlyMap<string, number>): string {
  return [...targets]
    .map(([name, replicas]) => `${name}=${replicas}`)
    .sort()
    .join(' ')
}

const unready = { ready: 0, available: 0 }

describe('rolloutBounds', () => {
  for (const { name, of, surge, unavailable } of [
    { name: 'defaults of 3', of: spec(3, '25%', '25%'), surge: 1, unavailable: 0 },
    { name: 'surge rounds up, unavailable down', of: spec(10, '25%', '25%'), surge: 3, unavailable: 2 },
    { name: 'both zero means one unavailable', of: spec(3, 0, 0), surge: 0, unavailable: 1 },
    { name: 'both rounded to zero means one unavailable', of: spec(3, '0%', '10%'), surge: 0, unavailable: 1 },
    { name: 'unavailable is capped at replicas', of: spec(2, 0, 5), surge: 0, unavailable: 2 },
    { name: 'no replicas allow nothing', of: spec(0, 0, 0), surge: 0, unavailable: 0 },
    { name: 'all at once', of: spec(4, '100%', '100%'), surge: 4, unavailable: 4 },
    { name: 'Recreate lets all go', of: recreate(4), surge: 0, unavailable: 4 },
  ])
    test(name, () => expect(rolloutBounds(of)).toEqual({ surge, unavailable }))

  for (const { value, total, up, down } of [
    { value: 2, total: 10, up: 2, down: 2 },
    { value: '0%', total: 10, up: 0, down: 0 },
    { value: '1%', total: 10, up: 1, down: 0 },
    { value: '90%', total: 10, up: 9, down: 9 },
    { value: '95%', total: 10, up: 10, down: 9 },
    { value: '33%', total: 3, up: 1, down: 0 },
    { value: '150%', total: 2, up: 3, down: 3 },
  ])
    test(`resolveCount: ${value} of ${total}`, () => {
      expect(resolveCount(value, total, Math.ceil)).toBe(up)
      expect(resolveCount(value, total, Math.floor)).toBe(down)
    })
})

interface Case {
  readonly name: string
  readonly of: DeploymentSpec
  readonly next: SetCount
  readonly old: readonly SetCount[]
  readonly want: string
}

function table(title: string, scaled: boolean, cases: readonly Case[]): void {
  describe(title, () => {
    for (const { name, of, next, old, want } of cases)
      test(name, () => {
        expect(moves(planRollout(of, next, old, scaled))).toBe(want)
        expect(moves(planRollout(of, next, [...old].reverse(), scaled)), 'order of sets').toBe(want)
      })
  })
}

table('planRollout: grow the new set', false, [
  { name: 'the first set gets all', of: spec(3, '25%', '25%'), next: count(1, 0), old: [], want: 'v1=3' },
  { name: 'by the surge', of: spec(10, 2, 0), next: count(2, 0), old: [count(1, 10)], want: 'v2=2' },
  { name: 'by what old ones have freed', of: spec(10, 2, 0), next: count(2, 2), old: [count(1, 8)], want: 'v2=4' },
  { name: 'never beyond replicas', of: spec(10, 20, 0), next: count(2, 5), old: [count(1, 1)], want: 'v2=10' },
  { name: 'too many are set down at once', of: spec(3, 1, 0), next: count(2, 5), old: [count(1, 1)], want: 'v2=3' },
  { name: 'not while there is no room', of: spec(3, 1, 0), next: count(2, 1, unready), old: [count(1, 3)], want: '' },
])

table('planRollout: shrink old sets', false, [
  { name: 'one for each new one that is available', of: spec(3, 1, 0), next: count(2, 1), old: [count(1, 3)], want: 'v1=2' },
  { name: 'no surge: room is made first', of: spec(3, 0, 1), next: count(2, 0), old: [count(1, 3)], want: 'v1=2' },
  {
    name: 'no surge: not again before the new one is available',
    of: spec(3, 0, 1),
    next: count(2, 1, unready),
    old: [count(1, 2)],
    want: '',
  },
  {
    name: 'nothing while more new ones are missing than may be',
    of: spec(10, 0, 1),
    next: count(2, 5, unready),
    old: [count(1, 5)],
    want: '',
  },
  { name: 'as many as maxUnavailable allows', of: spec(10, 0, '30%'), next: count(2, 0), old: [count(1, 10)], want: 'v1=7' },
  { name: 'the oldest first', of: spec(4, 1, 0), next: count(3, 3), old: [count(2, 1), count(1, 1)], want: 'v1=0' },
  {
    name: 'unhealthy ones first, of whatever age',
    of: spec(4, 1, 0),
    next: count(3, 1),
    old: [count(1, 3), count(2, 1, unready)],
    want: 'v2=0',
  },
  {
    name: 'unhealthy ones never beyond what may go',
    of: spec(10, 2, 2),
    next: count(2, 2, unready),
    old: [count(1, 10, { ready: 4, available: 4 })],
    want: 'v1=8',
  },
  {
    name: 'a new set that fails takes no healthy one',
    of: spec(3, 1, 0),
    next: count(2, 1, unready),
    old: [count(1, 3)],
    want: '',
  },
  {
    name: 'an old one that died behind a closed gate is healed, not taken',
    of: spec(3, 1, 0),
    next: count(2, 1, unready),
    old: [count(1, 3, { ready: 2, available: 2 })],
    want: '',
  },
  {
    name: 'a superseded set that never came up goes before the one that serves',
    of: spec(3, 1, 0),
    next: count(3, 0),
    old: [count(1, 3), count(2, 1, unready)],
    want: 'v2=0',
  },
  { name: 'all of the old at the end', of: spec(3, 1, 0), next: count(2, 3), old: [count(1, 1)], want: 'v1=0' },
  { name: 'down to no replicas', of: spec(0, '25%', '25%'), next: count(2, 0), old: [count(1, 3)], want: 'v1=0' },
])

table("planRollout: Kubernetes' own cases of the rolling update", false, [
  { name: 'grow: 10 of 10, no surge', of: spec(10, 0, 1), next: count(2, 0), old: [count(1, 10)], want: 'v1=9' },
  { name: 'grow: surge of 2', of: spec(10, 2, 1), next: count(2, 0), old: [count(1, 10)], want: 'v2=2' },
  { name: 'grow: half way', of: spec(10, 2, 1), next: count(2, 5), old: [count(1, 5)], want: 'v2=7' },
  { name: 'grow: all the room is used', of: spec(10, 2, 0), next: count(2, 2, unready), old: [count(1, 10)], want: '' },
  {
    name: 'shrink: 10 ready, nothing may be missing',
    of: spec(10, 0, '0%'),
    next: count(2, 0),
    old: [count(1, 10)],
    want: 'v1=9',
  },
  { name: 'shrink: 2 may be missing', of: spec(10, 0, 2), next: count(2, 0), old: [count(1, 10)], want: 'v1=8' },
  {
    name: 'shrink: 8 ready of 10, those that are not go',
    of: spec(10, 0, 2),
    next: count(2, 0),
    old: [count(1, 10, { ready: 8, available: 8 })],
    want: 'v1=8',
  },
  {
    name: 'shrink: 9 ready of 10, the one that is not and one more go',
    of: spec(10, 0, 2),
    next: count(2, 0),
    old: [count(1, 10, { ready: 9, available: 9 })],
    want: 'v1=8',
  },
  {
    name: 'shrink: the new pods that are missing count against it',
    of: spec(10, 0, 2),
    next: count(2, 2, unready),
    old: [count(1, 8)],
    want: '',
  },
])

table('planRollout: Recreate', false, [
  { name: 'all old ones go', of: recreate(3), next: count(2, 0), old: [count(1, 3)], want: 'v1=0' },
  { name: 'waits for the last to end', of: recreate(3), next: count(2, 0), old: [count(1, 0, { terminating: 1 })], want: '' },
  {
    name: 'waits for a pod that was not told yet',
    of: recreate(3),
    next: count(2, 0),
    old: [count(1, 0, { pods: 1 })],
    want: '',
  },
  { name: 'then makes all', of: recreate(3), next: count(2, 0), old: [count(1, 0)], want: 'v2=3' },
])

table("planRollout: Kubernetes' own cases of scaling", true, [
  { name: '10 to 12', of: spec(12, 0, 0), next: count(1, 10), old: [], want: 'v1=12' },
  { name: '10 to 5', of: spec(5, 0, 0), next: count(1, 10), old: [], want: 'v1=5' },
  { name: '5 to 10 in proportion', of: spec(10, 0, 1), next: count(2, 2), old: [count(1, 3)], want: 'v1=6 v2=4' },
  { name: '5 to 3 in proportion', of: spec(3, 0, 1), next: count(2, 2), old: [count(1, 3)], want: 'v1=2 v2=1' },
  { name: '9 to 4 in proportion', of: spec(4, 0, 1), next: count(2, 8), old: [count(1, 1)], want: 'v1=0 v2=4' },
  {
    name: '7 to 10, two old sets',
    of: spec(10, 0, 1),
    next: count(3, 2),
    old: [count(2, 3), count(1, 2)],
    want: 'v1=3 v2=4 v3=3',
  },
  {
    name: '13 to 8, two old sets',
    of: spec(8, 0, 1),
    next: count(3, 2),
    old: [count(2, 8), count(1, 3)],
    want: 'v1=2 v2=5 v3=1',
  },
  {
    name: '3 to 4: the leftover goes to the newest',
    of: spec(4, 0, 1),
    next: count(3, 1),
    old: [count(2, 1), count(1, 1)],
    want: 'v1=1 v2=1 v3=2',
  },
  {
    name: '3 to 2: the oldest gives it',
    of: spec(2, 0, 1),
    next: count(3, 1),
    old: [count(2, 1), count(1, 1)],
    want: 'v1=0 v2=1 v3=1',
  },
  { name: '6 to 0', of: spec(0, 0, 1), next: count(3, 3), old: [count(2, 2), count(1, 1)], want: 'v1=0 v2=0 v3=0' },
  { name: 'with surge pods', of: spec(20, 2, 0), next: count(2, 6), old: [count(1, 6)], want: 'v1=11 v2=11' },
  { name: 'surge and size at once', of: spec(50, 6, 0), next: count(2, 5), old: [count(1, 8)], want: 'v1=34 v2=22' },
  {
    name: 'a new set that is broken takes nothing from the old one',
    of: spec(2, 1, 1),
    next: count(2, 2, unready),
    old: [count(1, 1)],
    want: '',
  },
  { name: 'a saturated new set ends the old ones', of: spec(4, 1, 1), next: count(2, 4), old: [count(1, 1)], want: 'v1=0' },
])

table('planRollout: paused', false, [
  { name: 'rolls nothing', of: spec(3, 0, 1, { paused: true }), next: count(2, 0), old: [count(1, 3)], want: '' },
  { name: 'still scales', of: spec(5, 0, 1, { paused: true }), next: count(2, 0), old: [count(1, 3)], want: 'v1=5' },
  {
    name: 'half way it keeps to its surge',
    of: spec(4, 1, 0, { paused: true }),
    next: count(2, 2),
    old: [count(1, 2)],
    want: 'v1=2 v2=3',
  },
])

describe('isComplete', () => {
  const of = spec(3, 1, 0)
  for (const { name, next, old, want } of [
    { name: 'all there', next: count(2, 3), old: [count(1, 0)], want: true },
    { name: 'one is not available', next: count(2, 3, { available: 2 }), old: [], want: false },
    { name: 'one too many', next: count(2, 4), old: [], want: false },
    { name: 'an old pod is left', next: count(2, 3), old: [count(1, 0, { pods: 1 })], want: false },
    { name: 'an old set is still told to have one', next: count(2, 3), old: [count(1, 1, { pods: 0 })], want: false },
  ])
    test(name, () => expect(isComplete(of, next, old)).toBe(want))
})

test('no move leaves fewer available than maxUnavailable says, and none asks for more than maxSurge says', () => {
  const upTo = (most: number): number[] => Array.from({ length: most + 1 }, (_, index) => index)
  const counts = upTo(4).flatMap((replicas) => upTo(replicas).map((available) => ({ replicas, available })))
  for (const [replicas, surge, unavailable] of [3, 4].flatMap((all) =>
    [0, 1, 2].flatMap((a) => [0, 1, 2].map((b) => [all, a, b])),
  ))
    for (const next of counts)
      for (const first of counts)
        for (const second of counts.filter(({ replicas: some }) => some < 3)) {
          const of = spec(replicas ?? 0, surge ?? 0, unavailable ?? 0)
          const sets = [next, first, second].map(({ replicas: some, available }, index) => count(3 - index, some, { available }))
          const [newest, ...old] = sets as [SetCount, ...SetCount[]]
          const targets = planRollout(of, newest, old, false)
          const bounds = rolloutBounds(of)
          const total = (of: (set: SetCount) => number): number => sets.reduce((sum, set) => sum + of(set), 0)
          const wanted = (set: SetCount): number => targets.get(set.name) ?? set.replicas
          // What does not serve goes first, as pods are ranked.
          const left = total((set) => Math.min(set.available, wanted(set)))
          const least = Math.min(
            total(({ available }) => available),
            of.replicas - bounds.unavailable,
          )
          if (
            left < least ||
            total(wanted) >
              Math.max(
                total((set) => set.replicas),
                of.replicas + bounds.surge,
              )
          )
            throw new Error(`${JSON.stringify({ bounds, sets, targets: [...targets] })}`)
        }
})
