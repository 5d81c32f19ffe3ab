import { expect, test } from 'vitest'
import { settled } from '../../unit/runtime/faketimers.ts'
import { bench, config } from './bench.ts'

const crash = { exits: { exitCode: 1, afterMs: 10 } }

test("Docker's restarts wait 100 ms, twice as long each time, a minute at most", async () => {
  const starts: number[] = []
  const { engine, time } = bench({
    programs: (_, run) => {
      starts[run] = time.now
      return { exits: { exitCode: 1, afterMs: 0 } }
    },
  })
  engine.world.run(config('web', { restartPolicy: 'always' }))
  await time.advance(400_000)
  const waits = starts.slice(1, 14).map((at, i) => at - starts[i]!)
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000])
})

test('a run of ten seconds makes the next wait short again', async () => {
  const starts: number[] = []
  const { engine, time } = bench({
    programs: (_, run) => {
      starts[run] = time.now
      return { exits: { exitCode: 1, afterMs: run === 3 ? 10_000 : 0 } }
    },
  })
  const id = engine.world.run(config('web', { restartPolicy: 'always' }))
  await time.advance(10_950)
  expect(starts.slice(1).map((at, i) => at - starts[i]!)).toEqual([100, 200, 400, 10_100])
  expect(engine.world.view(id)).toMatchObject({ state: 'restarting', restartCount: 5 })
  await time.advance(100)
  expect(starts[5]! - starts[4]!).toBe(200)
})

test.each(['stop', 'kill'] as const)('what the API has ended by %s is not restarted', async (verb) => {
  const { engine, time, state } = bench()
  const id = engine.world.run(config('web', { restartPolicy: 'always' }))
  await (verb === 'stop' ? engine.stopContainer(id, 10) : engine.killContainer(id, 'KILL'))
  await time.advance(120_000)
  expect(state(id)).toBe('exited')
})

test('a signal that the process survives still ends the restarts until the next start', async () => {
  const { engine, time, state } = bench({ programs: () => ({ signals: { HUP: 'ignored' } }) })
  const id = engine.world.run(config('web', { restartPolicy: 'always' }))
  engine.world.kill(id, 'HUP')
  engine.world.exit(id, 1)
  await time.advance(120_000)
  expect(state(id)).toBe('exited')
})

test('a stop that is ignored burns the whole grace, and each signal is told with its time', async () => {
  const { engine, time, signals, state } = bench({ programs: () => ({ signals: { TERM: 'ignored' } }) })
  const id = engine.world.run(config('web'))
  const began = time.now
  const stopping = engine.stopContainer(id, 30)
  await time.advance(29_999)
  expect(state(id)).toBe('running')
  await time.advance(1)
  await stopping
  expect(engine.world.view(id)).toMatchObject({ state: 'exited', exitCode: 137 })
  expect(signals.map(({ signal, by, at }) => `${signal} by ${by} after ${at - began}`)).toEqual([
    'TERM by stop after 0',
    'KILL by stop after 30000',
  ])
})

test('a paused process does nothing until it goes on', async () => {
  const { engine, time, state } = bench({ programs: () => crash })
  const id = engine.world.run(config('web'))
  engine.world.pause(id)
  await time.advance(60_000)
  expect(state(id)).toBe('paused')
  engine.world.unpause(id)
  expect(state(id)).toBe('exited')
})

test('a removal under way refuses another; one that fails leaves the container dead', async () => {
  const { engine, time, state } = bench({ latency: (op) => (op === 'removal' ? 500 : 0) })
  const id = engine.world.run(config('web'))
  engine.world.stickRemoval(id)
  const first = engine.removeContainer(id).catch((error) => error.kind)
  await settled()
  expect(state(id)).toBe('removing')
  await expect(engine.removeContainer(id)).rejects.toMatchObject({ kind: 'inProgress' })
  await expect(engine.startContainer(id)).rejects.toMatchObject({ kind: 'inProgress' })
  await time.advance(500)
  expect(await first).toBe('failed')
  expect(state(id)).toBe('dead')
  const second = engine.removeContainer(id)
  await time.advance(500)
  await second
  expect(await engine.inspectContainer(id)).toBeUndefined()
})

test('a donor that is started again leaves its members in a namespace without a network', async () => {
  const { engine } = bench()
  const donor = engine.world.run(config('donor', { networkMode: 'bridge' }))
  const member = engine.world.run(config('member', { networkMode: `container:${donor}` }))
  const ip = engine.world.view(donor).networks.bridge!.ip
  expect(engine.world.containersAt(ip)).toEqual([donor, member])
  await engine.stopContainer(donor, 1)
  await engine.startContainer(donor)
  expect(engine.world.view(member).state).toBe('running')
  expect(engine.world.hasNetwork(member)).toBe(false)
  expect(engine.world.containersAt(ip)).toEqual([donor])
})
