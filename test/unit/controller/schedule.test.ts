import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSchedule } from '../../../src/controller/schedule.ts'

test('keys come out when they are due, the earliest first, each at the earliest time it was given', () => {
  const times = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), at: fc.integer({ min: 0, max: 20 }) }))
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 20 }), (given, now) => {
      const schedule = createSchedule()
      const due = new Map<string, number>()
      for (const { key, at } of given) {
        schedule.set(key, at)
        due.set(key, Math.min(at, due.get(key) ?? at))
      }
      expect(schedule.nextAt()).toBe(due.size === 0 ? undefined : Math.min(...due.values()))
      const taken = schedule.takeUntil(now)
      expect([...taken].sort()).toEqual(
        [...due]
          .filter(([, at]) => at <= now)
          .map(([key]) => key)
          .sort(),
      )
      expect(taken.map((key) => due.get(key))).toEqual(taken.map((key) => due.get(key)).sort((a, b) => (a ?? 0) - (b ?? 0)))
      const left = [...due].filter(([, at]) => at > now).map(([, at]) => at)
      expect(schedule.nextAt()).toBe(left.length === 0 ? undefined : Math.min(...left))
    }),
  )
})

test('a time that an earlier one overtook does not come back with the next', () => {
  const schedule = createSchedule()
  schedule.set('a', 50)
  schedule.set('a', 20)
  schedule.set('b', 30)
  expect(schedule.takeUntil(20)).toEqual(['a'])
  schedule.set('a', 100)
  expect(schedule.takeUntil(60)).toEqual(['b'])
  expect(schedule.nextAt()).toBe(100)
})
