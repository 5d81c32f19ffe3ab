import { expect, test } from 'vitest'
import { type Excuse, judge } from '../../chaos/judge.ts'
import { script } from '../../chaos/script.ts'
import type { Loss } from '../../chaos/ways.ts'

const loss = (change: Partial<Loss> = {}): Loss => ({
  way: 'new',
  sentAt: 1000,
  lostAt: 1100,
  why: 'ECONNRESET',
  pod: '',
  ...change,
})
const excuse = (change: Partial<Excuse> = {}): Excuse => ({
  act: 'container killed',
  why: 'inside of it',
  ways: ['new', 'held'],
  pods: ['web-1'],
  from: 1050,
  to: 1060,
  ...change,
})
const isBug = (one: Loss, ...excuses: readonly Excuse[]): boolean => judge([one], excuses).bugs.length === 1

test('a loss is explained by what was done while it was under way, on its way and to its pod; all else is a bug', () => {
  expect(isBug(loss())).toBe(true)
  expect(isBug(loss(), excuse())).toBe(false)
  expect(isBug(loss({ pod: 'web-1', way: 'held' }), excuse())).toBe(false)
  expect(isBug(loss({ pod: 'web-2', way: 'held' }), excuse())).toBe(true)
  expect(isBug(loss({ way: 'names' }), excuse())).toBe(true)
  expect(isBug(loss({ lostAt: 1040 }), excuse())).toBe(true)
  expect(isBug(loss({ sentAt: 1061 }), excuse())).toBe(true)
  expect(isBug(loss({ sentAt: 1061 }), excuse(), excuse({ to: 2000 }))).toBe(false)
})

test('a script is the same for the same seed, and every act comes once before any comes again', () => {
  const acts = ['a', 'b', 'c', 'd', 'e']
  const play = (seed: number) => {
    const scenes = script(seed, acts)
    return Array.from({ length: 10 }, () => {
      const { act, commit, actAtMs, killsAtMs, chance } = scenes.next().value
      return { act, commit, actAtMs, killsAtMs, drawn: chance.int(0, 1000) }
    })
  }
  expect(play(7)).toEqual(play(7))
  expect(play(7)).not.toEqual(play(8))
  for (const round of [play(7).slice(0, 5), play(7).slice(5)]) expect(round.map(({ act }) => act).sort()).toEqual(acts)
  for (const { killsAtMs } of play(7)) expect(killsAtMs).toEqual([...killsAtMs].sort((a, b) => a - b))
})
