import { expect, test } from 'vitest'
import { createSweep } from '../../../src/controller/sweep.ts'

test('all hold only when all of them do at once', () => {
  const holds = new Set([1, 2])
  const sweep = createSweep(
    () => [1, 2, 3],
    (item) => holds.has(item),
  )
  expect(sweep.all()).toBe(false)
  holds.add(3).delete(1)
  expect(sweep.all()).toBe(false)
  holds.add(1)
  expect(sweep.all()).toBe(true)
})

test('what holds is not looked at again while a later one does not', () => {
  let looks = 0
  let healthy = 0
  const items = Array.from({ length: 1_000 }, (_, index) => index)
  const sweep = createSweep(
    () => items,
    (item) => {
      looks += 1
      return item < healthy
    },
  )
  for (; healthy < items.length; healthy++) expect(sweep.all()).toBe(false)
  expect(sweep.all()).toBe(true)
  expect(looks).toBeLessThan(5 * items.length)
})

test('new items are looked at from the first on', () => {
  let items = [1, 2]
  const sweep = createSweep(
    () => items,
    (item) => item !== 2,
  )
  expect(sweep.all()).toBe(false)
  items = [3, 4]
  sweep.restart()
  expect(sweep.all()).toBe(true)
})
