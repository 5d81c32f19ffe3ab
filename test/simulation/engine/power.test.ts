import { expect, test } from 'vitest'
import { settled } from '../../unit/runtime/faketimers.ts'
import { bench, config, listen } from './bench.ts'

const always = { restartPolicy: 'always' } as const

test('nobody reaches a cut-off engine, and what was asked of it is done all the same', async () => {
  const { engine, time, state } = bench({ latency: () => 100 })
  const id = engine.world.create(config('web'))
  const { ended } = listen(engine)
  await time.advance(100)
  const starting = engine.startContainer(id).catch((error) => error.kind)
  engine.world.disconnectEngine()
  expect(await starting).toBe('unreachable')
  expect(await ended).toContain('no route to host')
  await expect(engine.info()).rejects.toMatchObject({ kind: 'unreachable' })
  await time.advance(100)
  expect(state(id)).toBe('running')
  engine.world.reconnectEngine()
  const view = engine.inspectContainer(id)
  await time.advance(100)
  expect(await view).toMatchObject({ state: 'running' })
})

test('a dying engine does nothing of what it was asked for', async () => {
  const { engine, time, state } = bench({ latency: () => 100 })
  const id = engine.world.create(config('web'))
  const starting = engine.startContainer(id).catch((error) => error.kind)
  await engine.world.down('crash')
  expect(await starting).toBe('unreachable')
  await time.advance(1000)
  engine.world.up()
  expect(state(id)).toBe('created')
})

test('what was being started when the engine was killed may never start again, and is itself again once it is made anew', async () => {
  let left = true
  const { engine, time, state } = bench({
    latency: (op) => (op === 'startContainer' ? 100 : 0),
    random: () => (left ? 0.1 : 0.9),
  })
  const fall = async (id: string, how: 'crash' | 'powerLoss') => {
    const starting = engine.startContainer(id).catch((error) => error.kind)
    await engine.world.down(how)
    expect(await starting).toBe('unreachable')
    engine.world.up()
  }
  const start = async (id: string) => {
    const started = engine.startContainer(id).then(
      () => 'started',
      (error: Error) => error.message.replace(id, 'ID'),
    )
    await time.advance(100)
    return started
  }
  const id = engine.world.create(config('web'))
  await fall(id, 'crash')
  expect([await start(id), await start(id)]).toEqual(Array(2).fill('task ID: already exists'))
  expect(state(id)).toBe('created')
  await fall(id, 'powerLoss')
  expect(await start(id)).toBe('started')
  left = false
  const lucky = engine.world.create(config('lucky'))
  await fall(lucky, 'crash')
  expect(await start(lucky)).toBe('started')
})

test('a restart stops what runs, and brings back what the policy says, once', async () => {
  const { engine, time, signals, state } = bench()
  const names = ['always', 'unless-stopped', 'on-failure', 'no'] as const
  const ids = names.map((restartPolicy) => engine.world.run(config(restartPolicy, { restartPolicy })))
  const never = engine.world.create(config('never', always))
  const stopped = engine.world.run(config('stopped', { restartPolicy: 'unless-stopped' }))
  await engine.stopContainer(stopped, 1)
  signals.length = 0
  const falling = engine.world.down('restart')
  await time.advance(0)
  await falling
  expect(signals.map(({ signal, by }) => `${signal} by ${by}`)).toEqual(Array(4).fill('TERM by engine'))
  engine.world.up()
  expect(ids.map(state)).toEqual(['running', 'running', 'running', 'exited'])
  expect([never, stopped].map(state)).toEqual(['created', 'exited'])
})

test('members whose donor is not up at their turn fail with the reason, and are not tried again', async () => {
  const { engine, time } = bench()
  for (let pod = 0; pod < 20; pod += 1) {
    const donor = engine.world.run(config(`pod-${pod}`, always))
    engine.world.run(config(`app-${pod}`, { ...always, networkMode: `container:${donor}` }))
  }
  await engine.world.down('powerLoss')
  engine.world.up()
  await time.advance(120_000)
  const apps = (await engine.listContainers([])).filter(({ name }) => name.startsWith('app-'))
  const failed = apps.filter(({ state }) => state !== 'running')
  expect(failed.length).toBeGreaterThan(0)
  expect(failed.length).toBeLessThan(20)
  expect(new Set(failed.map(({ error }) => error.replace(/[0-9a-f]{64}/, 'id')))).toEqual(
    new Set(['cannot join network of a non running container: id']),
  )
})

test('after a crash without live-restore the survivors are stopped, and unless-stopped takes that for a stop by hand', async () => {
  const { engine, state } = bench()
  const one = engine.world.run(config('one', always))
  const two = engine.world.run(config('two', { restartPolicy: 'unless-stopped' }))
  const { pid } = engine.world.view(one)
  await engine.world.down('crash')
  expect([one, two].map(state)).toEqual(['running', 'running'])
  engine.world.up()
  expect([one, two].map(state)).toEqual(['running', 'exited'])
  expect(engine.world.view(one).pid).not.toBe(pid)
})

test.each(['restart', 'crash'] as const)('with live-restore a %s leaves every process as it is', async (fall) => {
  const { engine } = bench({ liveRestore: true })
  const id = engine.world.run(config('one', always))
  const before = engine.world.view(id)
  await engine.world.down(fall)
  engine.world.up()
  expect(engine.world.view(id)).toEqual(before)
})

test('an engine that is away for a minute answers nobody meanwhile', async () => {
  const { engine, time, state } = bench()
  const id = engine.world.run(config('one', always))
  const restarted = engine.world.restart('restart', 60_000)
  await time.advance(59_999)
  await expect(engine.info()).rejects.toMatchObject({ kind: 'unreachable' })
  expect(state(id)).toBe('exited')
  await time.advance(1)
  await restarted
  expect(await engine.inspectContainer(id)).toMatchObject({ state: 'running' })
})

test('an engine keeps the last 256 events, and none beyond a restart of its own', async () => {
  const { engine, time } = bench()
  const id = engine.world.run(config('web'))
  for (let i = 0; i < 300; i += 1) engine.world.rename(id, `web-${i}`)
  const replayed = async (): Promise<number> => {
    const abort = new AbortController()
    let count = -1
    const reading = (async () => {
      for await (const _ of engine.events(time.now - 1, abort.signal)) count += 1
    })()
    await settled()
    abort.abort()
    await reading
    return count
  }
  expect(await replayed()).toBe(256)
  await engine.world.down('powerLoss')
  engine.world.up()
  expect(await replayed()).toBe(0)
})
