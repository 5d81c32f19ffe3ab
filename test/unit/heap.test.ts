import { expect, test } from 'vitest'
import { COLLECT_BELOW_BYTES, COLLECT_EVERY_MS, keepHeapSmall } from '../../src/heap.ts'

test('a small heap is collected every minute, a large one is left to V8', () => {
  let due: { readonly work: () => void; readonly ms: number } | undefined
  let used = 0
  let collected = 0
  const timers = {
    setTimeout: (work: () => void, ms: number) => {
      due = { work, ms }
      return 0
    },
    clearTimeout: () => undefined,
  }
  const pass = (): void => {
    expect(due?.ms).toBe(COLLECT_EVERY_MS)
    due?.work()
  }
  keepHeapSmall({ timers, used: () => used, collect: () => collected++ })
  expect(collected).toBe(0)
  pass()
  pass()
  expect(collected).toBe(2)
  used = COLLECT_BELOW_BYTES
  pass()
  expect(collected).toBe(2)
  used = 0
  pass()
  expect(collected).toBe(3)
})
