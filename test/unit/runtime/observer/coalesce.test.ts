import { expect, test } from 'vitest'
import { coalesce, gate } from '../../../../src/runtime/observer/coalesce.ts'

/** Runs that end when told to. */
function runs() {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  return {
    ends,
    run: () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      ends.push({ resolve, reject })
      return promise
    },
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('whoever asks during a run gets one that begins after the call, shared', async () => {
  const { ends, run } = runs()
  const ask = coalesce(run)
  const first = ask()
  const [second, third] = [ask(), ask()]
  expect(ends).toHaveLength(1)
  expect(second).toBe(third)
  ends[0]!.resolve()
  await first
  await turn()
  expect(ends).toHaveLength(2)
  ends[1]!.resolve()
  await second
  void ask()
  expect(ends).toHaveLength(3)
})

test('a failed run fails its own callers only', async () => {
  const { ends, run } = runs()
  const ask = coalesce(run)
  const [first, second] = [ask(), ask()]
  ends[0]!.reject(new Error('no'))
  await expect(first).rejects.toThrow('no')
  await turn()
  ends[1]!.resolve()
  await second
})

test('a gate lets so many through, and the next when one ends, well or not', async () => {
  const { ends, run } = runs()
  const through = gate(2)
  const calls = [1, 2, 3, 4].map(() => through(run).catch(() => 'failed'))
  await turn()
  expect(ends).toHaveLength(2)
  ends[0]!.reject(new Error('no'))
  await turn()
  expect(ends).toHaveLength(3)
  ends[1]!.resolve()
  ends[2]!.resolve()
  await turn()
  ends[3]!.resolve()
  expect(await Promise.all(calls)).toEqual(['failed', undefined, undefined, undefined])
})

test('a gate lets as many through after some have waited as before', async () => {
  const { ends, run } = runs()
  const through = gate(1)
  const waited = [through(run), through(run)]
  await turn()
  ends[0]!.resolve()
  await turn()
  ends[1]!.resolve()
  await Promise.all(waited)
  void through(run)
  await turn()
  expect(ends).toHaveLength(3)
})
