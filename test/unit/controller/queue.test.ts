import { expect, test } from 'vitest'
import { createQueue } from '../../../src/controller/queue.ts'
import { virtualClock } from '../../simulation/clock.ts'

function queueAt(epochMs: number) {
  const clock = virtualClock(epochMs)
  const taken: string[] = []
  const queue = createQueue({
    now: clock.now,
    timers: clock.timers,
    due: () => {
      for (let key = queue.take(); key !== undefined; key = queue.take()) taken.push(key)
    },
  })
  return { clock, queue, taken }
}

test('a key is due at its time, and at the earlier of two', async () => {
  const { clock, queue, taken } = queueAt(1_000_000)
  queue.addAt('a', clock.now() + 5_000)
  queue.addAt('a', clock.now() + 2_000)
  queue.addAt('b', clock.now() + 90_000)
  await clock.run(1_999)
  expect(taken).toEqual([])
  await clock.run(2_000)
  expect(taken).toEqual(['a'])
  await clock.run(90_000)
  expect(taken).toEqual(['a', 'b'])
})

test('after the clock was set back by an hour no key waits for an hour', async () => {
  const { clock, queue, taken } = queueAt(10_000_000)
  queue.addAt('a', clock.now() + 30_000)
  queue.addAt('b', clock.now() + 90_000)
  await clock.run(1_000)
  clock.jump(-3_600_000)
  await clock.run(61_000)
  expect(taken.sort()).toEqual(['a', 'b'])
})

test('nor when other keys have been given a time since then', async () => {
  const { clock, queue, taken } = queueAt(10_000_000)
  queue.addAt('a', clock.now() + 30_000)
  await clock.run(1_000)
  clock.jump(-3_600_000)
  queue.addAt('b', clock.now() + 10_000)
  await clock.run(12_000)
  expect(taken.sort()).toEqual(['a', 'b'])
})

test('a key is not due before its time, however often the timer goes off until then', async () => {
  const { clock, queue, taken } = queueAt(1_000_000)
  queue.addAt('a', clock.now() + 200_000)
  await clock.run(199_999)
  expect(taken).toEqual([])
  await clock.run(200_000)
  expect(taken).toEqual(['a'])
})
