import { expect, test } from 'vitest'
import type { Engine } from '../../../src/runtime/engine.ts'
import { settled } from '../../unit/runtime/faketimers.ts'
import { bench, config, listen } from './bench.ts'
import { type CallFault, type EventFault, withFaults } from './faults.ts'

function faulty(fault: CallFault, op: keyof Engine) {
  const world = bench()
  const plan = { timers: world.time, random: () => 0 }
  return { ...world, caller: withFaults(world.engine, { ...plan, call: (called) => (called === op ? fault : undefined) }) }
}

test('a call that fails before has done nothing, one that fails after has', async () => {
  for (const { fault, made } of [
    { fault: 'before', made: 0 },
    { fault: 'after', made: 1 },
  ] as const) {
    const { caller, engine } = faulty({ fault, kind: 'timeout' }, 'createContainer')
    await expect(caller.createContainer(config('web'))).rejects.toMatchObject({ kind: 'timeout' })
    expect(engine.raw.containers.size).toBe(made)
  }
})

test('a delayed call begins late', async () => {
  const { caller, engine, time } = faulty({ fault: 'delay', ms: 500 }, 'createContainer')
  const making = caller.createContainer(config('web'))
  await time.advance(499)
  expect(engine.raw.containers.size).toBe(0)
  await time.advance(1)
  await making
  expect(engine.raw.containers.size).toBe(1)
})

test('a stale list is the one before', async () => {
  const { caller, engine } = faulty({ fault: 'stale' }, 'listContainers')
  expect(await caller.listContainers([])).toEqual([])
  engine.world.create(config('web'))
  expect(await caller.listContainers([])).toEqual([])
})

test.each([
  [{ fault: 'drop' }, ['container create', 'network disconnect']],
  [{ fault: 'twice' }, ['container create', 'container die', 'container die', 'network disconnect']],
  [{ fault: 'swap' }, ['container create', 'network disconnect', 'container die']],
] satisfies [EventFault, string[]][])('an event: %o', async (fault, want) => {
  const { engine, time } = bench()
  const event = ({ action }: { readonly action: string }) => (action === 'die' ? fault : undefined)
  const { heard } = listen(withFaults(engine, { timers: time, random: () => 0, event }))
  await settled()
  const id = engine.world.run(config('web'))
  engine.world.exit(id, 1)
  await settled()
  expect(heard.filter((line) => want.includes(line))).toEqual(want)
})

test('a stream that is cut ends as one of an engine that is gone', async () => {
  const { engine, time } = bench()
  const { ended } = listen(withFaults(engine, { timers: time, random: () => 0, event: () => ({ fault: 'cut' }) }))
  await settled()
  engine.world.create(config('web'))
  expect(await ended).toContain('in the middle')
})
