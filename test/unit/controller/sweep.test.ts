import { expect, test } from 'vitest'
import { createSweep } from '../../../src/controller/sweep.ts'

test('holds once it holds for all, whatever order that happens in', () => {
  const done = new Set<string>()
  const sweep = createSweep({ items: () => ['a', 'b', 'c'], holds: (item) => done.has(item) })
  expect(sweep.all()).toBe(false)
  done.add('c').add('a')
  expect(sweep.all()).toBe(false)
  done.add('b')
  expect(sweep.all()).toBe(true)
})

test('what held may hold no longer: at the end all are looked at once more', () => {
  const done = new Set(['a'])
  const sweep = createSweep({ items: () => ['a', 'b'], holds: (item) => done.has(item) })
  expect(sweep.all()).toBe(false)
  done.delete('a')
  done.add('b')
  expect(sweep.all()).toBe(false)
})

test('one that is gone meanwhile is not waited for: no route was ever made again after a Service had left', () => {
  let items = ['a', 'gone', 'b']
  const done = new Set(['a', 'b'])
  const sweep = createSweep({ items: () => items, holds: (item) => done.has(item), counts: (item) => items.includes(item) })
  expect(sweep.all()).toBe(false)
  items = ['a', 'b']
  expect(sweep.all()).toBe(true)
})

test('what holds is not looked at again while a later one does not', () => {
  let looks = 0
  let healthy = 0
  const items = Array.from({ length: 1_000 }, (_, index) => index)
  const holds = (item: number): boolean => {
    looks += 1
    return item < healthy
  }
  const sweep = createSweep({ items: () => items, holds })
  for (; healthy < items.length; healthy++) expect(sweep.all()).toBe(false)
  expect(sweep.all()).toBe(true)
  expect(looks).toBeLessThan(5 * items.length)
})

test('a new start asks for all of them again', () => {
  let items = ['a']
  const sweep = createSweep({ items: () => items, holds: (item) => item === 'a' })
  expect(sweep.all()).toBe(true)
  items = ['a', 'b']
  sweep.restart()
  expect(sweep.all()).toBe(false)
})

test('a new start waits for nothing that was waited for before it', () => {
  let items = ['late']
  const sweep = createSweep({ items: () => items, holds: (item) => item === 'a' })
  expect(sweep.all()).toBe(false)
  items = ['a']
  sweep.restart()
  expect(sweep.all()).toBe(true)
})
