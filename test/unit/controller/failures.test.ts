import { expect, test } from 'vitest'
import { createFailures, isHeld } from '../../../src/controller/failures.ts'
import type { Step } from '../../../src/reconcilers/plan.ts'
import { MountError } from '../../../src/runtime/hostpaths.ts'

const start = { node: 'alpha', target: 'web', cause: 'test', op: 'start', container: 'web' } as Step
const pull = { ...start, op: 'pull' } as unknown as Step

/** Seconds that each failure in a row holds the step back. */
function pauses(step: Step, count: number): number[] {
  const failures = createFailures((text) => text)
  return Array.from({ length: count }, () => failures.record('id', step, new Error('no'), 0).nextAt / 1000)
}

test('a step is tried again after 1 s, then twice as long each time up to a minute', () => {
  expect(pauses(start, 9)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
})

test('a pull is tried again after 10 s, then twice as long each time up to five minutes', () => {
  expect(pauses(pull, 7)).toEqual([10, 20, 40, 80, 160, 300, 300])
})

test('what has ended well is forgotten, and counts from the beginning when it fails again', () => {
  const failures = createFailures((text) => text)
  failures.record('id', start, new Error('no'), 0)
  failures.record('id', start, new Error('no'), 5)
  expect(failures.all.get('id')).toMatchObject({ count: 2, firstAt: 0, lastAt: 5 })
  failures.clear('id')
  expect(failures.record('id', start, new Error('no'), 9)).toMatchObject({ count: 1, firstAt: 9 })
})

test('a secret in what an engine says is told to nobody', () => {
  const failures = createFailures((text) => text.replace('hunter2', '[redacted]'))
  expect(failures.record('id', start, new Error('bad password hunter2'), 0).message).toBe('bad password [redacted]')
})

test('a failure from before the clock was set back holds nothing', () => {
  const failure = createFailures((text) => text).record('id', start, new Error('no'), 3_600_000)
  expect([isHeld(failure, 3_600_500), isHeld(failure, 3_601_000), isHeld(failure, 0)]).toEqual([true, false, false])
})

test('a place of the node that is wrong is told as a mount that failed', () => {
  const error = new MountError({ volume: 'v', path: '/srv', type: 'File' }, 'it is none')
  const failure = createFailures((text) => text).record('id', start, error, 0)
  expect(failure).toMatchObject({ kind: 'mount', message: 'MountVolume.SetUp failed for volume "v" : it is none' })
})
