import { expect, test } from 'vitest'
import { type OrdinalPod, type OrdinalRules, ordinalsComplete, planOrdinals } from '../../../src/reconcilers/ordinals.ts'
import { movesText, table } from './movetable.ts'

const base: OrdinalRules = {
  start: 0,
  replicas: 3,
  ordered: true,
  current: 'r1',
  next: 'r1',
  rolling: { partition: 0, maxUnavailable: 1 },
}
const parallel: OrdinalRules = { ...base, ordered: false }
const rolling: OrdinalRules = { ...base, next: 'r2' }
const inParts = (partition: number): OrdinalRules => ({ ...rolling, rolling: { partition, maxUnavailable: 1 } })

/**
 * Pods in words, from ordinal 0 on: the set, then `!` for not ready, `~` for ready and not yet available, `-` for leaving, `x`
 * for ended; `.` for none.
 */
function pods(text: string): OrdinalPod[] {
  return text.split(' ').flatMap((word, index): OrdinalPod[] => {
    if (word === '.') return []
    const [, set = '', mark = ''] = /^(\w\d)(.?)$/.exec(word) ?? []
    return [
      {
        ordinal: index,
        uid: String(index),
        set,
        ready: mark === '' || mark === '~',
        available: mark === '',
        leaving: mark === '-',
        over: mark === 'x',
      },
    ]
  })
}

/** Moves in words: `+1 r1` makes ordinal 1 of r1, `-2 stale` removes ordinal 2. */
function moves(rules: OrdinalRules, seen: string): string {
  const { create, remove } = planOrdinals(rules, pods(seen))
  return movesText(
    create.map(({ ordinal, set }) => `${ordinal} ${set}`),
    remove,
  )
}

table('making pods', moves, [
  { rules: base, name: 'the first one', seen: '. . .', want: '+0 r1' },
  { rules: base, name: 'waits while a lower one is not ready', seen: 'r1! . .', want: '' },
  { rules: base, name: 'waits while a lower one is ready for too short a time', seen: 'r1~ . .', want: '' },
  { rules: base, name: 'the next one once all lower ones are available', seen: 'r1 . .', want: '+1 r1' },
  { rules: base, name: 'a lower one that is missing comes before a higher one', seen: 'r1 . .', want: '+1 r1' },
  { rules: base, name: 'an ordinal that is leaving is not made again until it is gone', seen: 'r1 r1- .', want: '' },
  { rules: base, name: 'one whose containers have ended is replaced', seen: 'r1 r1x .', want: '-1 over' },
  { rules: base, name: 'all there', seen: 'r1 r1 r1', want: '' },
  { rules: parallel, name: 'in parallel all at once', seen: '. r1! .', want: '+0 r1, +2 r1' },
  { rules: { ...parallel, replicas: 9 }, name: 'in parallel slowly at first', seen: '. .', want: '+0 r1' },
  { rules: { ...parallel, replicas: 9 }, name: 'then twice as many as there are', seen: 'r1 r1!', want: '+2 r1, +3 r1, +4 r1' },
  { rules: { ...parallel, replicas: 2_147_483_647 }, name: 'whatever number is asked for', seen: 'r1', want: '+1 r1, +2 r1' },
  {
    rules: { ...parallel, replicas: 9 },
    name: 'one far beyond the others stays',
    seen: '. . . . . . . . r1',
    want: '+0 r1, +1 r1, +2 r1',
  },
  {
    rules: parallel,
    name: 'in parallel an ordinal that is leaving is waited for all the same',
    seen: '. r1- .',
    want: '+0 r1, +2 r1',
  },
])

table('scaling down', moves, [
  { rules: base, name: 'the highest goes first', seen: 'r1 r1 r1 r1 r1', want: '-4 surplus' },
  { rules: base, name: 'the next one only when it is gone', seen: 'r1 r1 r1 r1 r1-', want: '' },
  { rules: base, name: 'none while one that stays is not available', seen: 'r1 r1! r1 r1', want: '' },
  { rules: base, name: 'one that is not ready goes like any other', seen: 'r1 r1 r1 r1! r1!', want: '-4 surplus' },
  { rules: parallel, name: 'in parallel all at once', seen: 'r1! r1 r1 r1 r1', want: '-4 surplus, -3 surplus' },
  { rules: { ...base, replicas: 0 }, name: 'down to none', seen: 'r1! r1!', want: '-1 surplus' },
  { rules: { ...rolling, replicas: 2 }, name: 'scaling comes before updating', seen: 'r1 r1 r1', want: '-2 surplus' },
])

test('ordinals begin where they are told to, and lower ones go', () => {
  const rules = { ...base, start: 2, replicas: 2 }
  expect(moves(rules, 'r1 r1 r1 r1')).toBe('-1 surplus')
  expect(moves(rules, '.')).toBe('+2 r1')
})

table('updating', moves, [
  { rules: rolling, name: 'from the highest on', seen: 'r1 r1 r1', want: '-2 stale' },
  { rules: rolling, name: 'the next one once the last is available again', seen: 'r1 r1 r2', want: '-1 stale' },
  { rules: rolling, name: 'waits for it to be so', seen: 'r1 r1 r2~', want: '' },
  { rules: rolling, name: 'one that is gone comes back on the new revision', seen: 'r1 r1 .', want: '+2 r2' },
  { rules: rolling, name: 'a pod that cannot get ready holds it up', seen: 'r1 r1 r2!', want: '' },
  {
    rules: { ...rolling, next: 'r3' },
    name: 'and is replaced once the template is another',
    seen: 'r1 r1 r2!',
    want: '-2 stale',
  },
  { rules: base, name: 'or is the old one again', seen: 'r1 r1 r2!', want: '-2 stale' },
  { rules: rolling, name: 'an old one that is not ready is replaced before the others', seen: 'r1 r1! r1', want: '-1 stale' },
  { rules: { ...parallel, next: 'r2' }, name: 'in parallel still one at a time', seen: 'r1 r1 r1', want: '-2 stale' },
  {
    rules: { ...parallel, next: 'r2' },
    name: 'in parallel every old one that is not ready at once, and no other',
    seen: 'r1! r1! r1',
    want: '-0 stale, -1 stale',
  },
  {
    rules: { ...rolling, rolling: { partition: 0, maxUnavailable: 2 } },
    name: 'as many as may be unavailable',
    seen: 'r1 r1 r1',
    want: '-2 stale, -1 stale',
  },
  {
    rules: { ...parallel, next: 'r2', rolling: { partition: 0, maxUnavailable: 2 } },
    name: 'those that are missing count',
    seen: 'r1 r1 r2~',
    want: '-1 stale',
  },
  {
    rules: { ...parallel, replicas: 99, next: 'r2', rolling: { partition: 0, maxUnavailable: 6 } },
    name: 'those that are still to be made count too',
    seen: 'r1 r1 r1 r1',
    want: '+4 r2, +5 r2, +6 r2, +7 r2, +8 r2',
  },
  { rules: inParts(2), name: 'a partition keeps those below it', seen: 'r1 r1 r2', want: '' },
  { rules: inParts(2), name: 'those below it come back on the old revision', seen: '. r1 r2', want: '+0 r1' },
  { rules: inParts(2), name: 'those below it that are new already stay', seen: 'r1 r2! r2', want: '' },
  {
    rules: { ...inParts(2), next: 'r3' },
    name: 'those below it on a third revision do when they serve',
    seen: 'r1 r2 r3',
    want: '',
  },
  {
    rules: { ...inParts(3), next: 'r3' },
    name: 'those below it on a third revision go back when they do not',
    seen: 'r1 r1 r2!',
    want: '-2 stale',
  },
  { rules: { ...rolling, rolling: null }, name: 'OnDelete replaces none', seen: 'r1 r1! r1', want: '' },
  {
    rules: { ...rolling, rolling: null },
    name: 'OnDelete: who is deleted comes back on the new revision',
    seen: 'r1 . r1',
    want: '+1 r2',
  },
])

table('complete', (rules: OrdinalRules, seen) => ordinalsComplete(rules, pods(seen)), [
  { rules: base, seen: 'r1 r1 r1', want: true },
  { rules: base, seen: 'r1 r1', want: false },
  { rules: base, seen: 'r1 r1 r1~', want: false },
  { rules: base, seen: 'r1 r1 r1 r1', want: false },
  { rules: base, seen: 'r1 r1 r1 r1-', want: true },
  { rules: rolling, seen: 'r1 r1 r2', want: false },
  { rules: inParts(2), seen: 'r1 r1 r2', want: true },
  { rules: { ...rolling, rolling: null }, seen: 'r1 r1 r1', want: true },
])
