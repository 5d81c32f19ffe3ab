/** What the observer makes of lists and events, on the simulated engine; `test/engine/docker/observer.test.ts` does so on a real one. */
import { expect, onTestFinished, test } from 'vitest'
import { LABEL } from '../../../src/reconcilers/names.ts'
import {
  type ContainerConfig,
  type ContainerView,
  type Engine,
  EngineError,
  type NetworkConfig,
} from '../../../src/runtime/engine.ts'
import { type NodeChange, observeNode } from '../../../src/runtime/observer.ts'
import { bench, config } from '../../simulation/engine/bench.ts'

const labels = { 'trireme.cluster': 'test' }
const network = (own: NetworkConfig['labels']): NetworkConfig => ({
  name: 'net',
  driver: 'bridge',
  subnet: '10.9.0.0/24',
  ipRange: '10.9.0.0/24',
  gateway: '10.9.0.1',
  labels: own,
  options: {},
})
const own = (name: string, change: Partial<ContainerConfig> = {}): ContainerConfig => config(name, { labels, ...change })

/** @param around what of the engine is another one for the observer */
async function observe(around: (engine: Engine) => Partial<Engine> = () => ({})) {
  const { engine, time } = bench()
  const other = around(engine)
  const seen = new Proxy<Engine>(engine, {
    get: (_, name) => {
      const member = other[name as keyof Engine] ?? engine[name as keyof Engine]
      return typeof member === 'function' ? member.bind(engine) : member
    },
  })
  const changes: NodeChange[] = []
  const ended = new AbortController()
  const observer = observeNode({
    engine: seen,
    cluster: 'test',
    now: () => time.now,
    timers: time,
    signal: ended.signal,
    onChange: (change) => changes.push(change),
  })
  onTestFinished(() => ended.abort())
  await time.advance(0)
  const names = (): string[] => [...observer.snapshot().containers.values()].map(({ name }) => name)
  return { engine, time, observer, changes, names }
}

/** Hears of nothing but its subscription. */
const deaf = (engine: Engine): Partial<Engine> => ({
  async *events(since: number, signal: AbortSignal) {
    for await (const event of engine.events(since, signal)) if (event.action === 'subscribed') yield event
  },
})

test('containers of another cluster are not seen, also when they are looked at', async () => {
  const { engine, observer, names } = await observe()
  const foreign = await engine.createContainer(config('foreign', { labels: { 'trireme.cluster': 'another' } }))
  await observer.refresh(foreign)
  expect(names()).toEqual([])
})

test('a container that was removed is gone at once', async () => {
  const { engine, time, names } = await observe()
  const id = await engine.createContainer(own('web'))
  await time.advance(0)
  expect(names()).toEqual(['web'])
  await engine.removeContainer(id)
  await time.advance(0)
  expect(names()).toEqual([])
})

test('what no event told is found by the next list: what came, and what went', async () => {
  const { engine, time, observer, names } = await observe(deaf)
  await engine.createNetwork(network(labels))
  await engine.createVolume({ name: 'data', driver: 'local', labels, driverOpts: {} })
  await engine.createContainer(own('web'))
  await time.advance(60_000)
  const { networks, volumes } = observer.snapshot()
  expect([names(), [...networks.keys()], [...volumes.keys()]]).toEqual([['web'], ['net'], ['data']])
  await engine.removeNetwork('net')
  await engine.removeVolume('data')
  await time.advance(60_000)
  expect([observer.snapshot().networks.size, observer.snapshot().volumes.size]).toEqual([0, 0])
})

test('a container that a list lacks is there as long as it can be seen: the list may be from before it was made', async () => {
  let listed: ContainerView[] | undefined
  const { engine, observer, names } = await observe((inner) => ({
    ...deaf(inner),
    listContainers: async (filter) => listed ?? inner.listContainers(filter),
  }))
  const id = await engine.createContainer(own('web'))
  await observer.refresh(id)
  listed = []
  await observer.relist()
  expect(names()).toEqual(['web'])
  await engine.removeContainer(id)
  await observer.relist()
  expect(names()).toEqual([])
})

test('containers that cannot be looked at, however many, do not keep the list from looking at those that it lacks', async () => {
  let listed: ContainerView[] | undefined
  const { engine, time, observer, names } = await observe((inner) => ({
    ...deaf(inner),
    listContainers: async (filter) => listed ?? inner.listContainers(filter),
    inspectContainer: (id) =>
      id.startsWith('bad') ? Promise.reject(new EngineError('failed', 'no')) : inner.inspectContainer(id),
  }))
  const id = await engine.createContainer(own('web'))
  await observer.refresh(id)
  listed = []
  const looks = Promise.all(Array.from({ length: 20 }, (_, at) => observer.refresh(`bad${at}`)))
  await time.advance(1_000)
  await looks
  expect(names()).toEqual(['web'])
})

test('a container that a list lacks, and that cannot be looked at, is gone', async () => {
  let fails = false
  const { engine, observer, names } = await observe((inner) => ({
    ...deaf(inner),
    inspectContainer: (id) => (fails ? Promise.reject(new EngineError('failed', 'no')) : inner.inspectContainer(id)),
  }))
  const id = await engine.createContainer(own('web'))
  await observer.refresh(id)
  fails = true
  await engine.removeContainer(id)
  await observer.relist()
  expect(names()).toEqual([])
})

test('volumes of a pod that went are gone once they are looked at', async () => {
  const { engine, observer } = await observe(deaf)
  await engine.createVolume({ name: 'data', driver: 'local', labels: { ...labels, [LABEL.podUid]: 'u' }, driverOpts: {} })
  await observer.refreshVolumes('u')
  expect([...observer.snapshot().volumes.keys()]).toEqual(['data'])
  await engine.removeVolume('data')
  await observer.refreshVolumes('u')
  expect(observer.snapshot().volumes.size).toBe(0)
})

test('an engine that is out of reach is told, waited for, and told again when it is back', async () => {
  const { engine, time, observer, changes } = await observe()
  changes.length = 0
  engine.world.disconnectEngine()
  await time.advance(1_000)
  expect(observer.snapshot().reachable).toBe(false)
  expect(changes.map(({ kind }) => kind)).toEqual(['all'])
  engine.world.reconnectEngine()
  await time.advance(5_000)
  expect(observer.snapshot().reachable).toBe(true)
  expect(changes.map(({ kind }) => kind)).toEqual(['all', 'all'])
})

test('a container that cannot be looked at is found by a list', async () => {
  const { engine, time, names } = await observe(() => ({
    inspectContainer: () => Promise.reject(new EngineError('failed', 'no')),
  }))
  await engine.createContainer(own('web'))
  await time.advance(0)
  expect(names()).toEqual(['web'])
})

test('a list that was asked for before the engine was lost brings it not back', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { time, observer } = await observe((engine) => ({
    listContainers: (filter) => promise.then(() => engine.listContainers(filter)),
    inspectContainer: () => Promise.reject(new EngineError('unreachable', 'gone')),
  }))
  await observer.refresh('web')
  resolve()
  await time.advance(0)
  expect(observer.snapshot()).toMatchObject({ reachable: false, error: 'gone' })
})

test('what happens to a new container while it is looked at for the first time is looked at too', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { engine, time, observer } = await observe((inner) => ({
    async inspectContainer(id) {
      const view = await inner.inspectContainer(id)
      await promise
      return view
    },
    async *events(since, signal) {
      for await (const event of inner.events(since, signal))
        if (event.action === 'subscribed' || event.type === 'network') yield event
    },
  }))
  await engine.createNetwork(network({}))
  const id = await engine.createContainer(own('web', { networkMode: 'bridge' }))
  await engine.startContainer(id)
  void observer.refresh(id)
  await time.advance(0)
  await engine.connectNetwork('net', id, undefined)
  await time.advance(0)
  resolve()
  await time.advance(0)
  expect(Object.keys(observer.snapshot().containers.get(id)?.networks ?? {})).toContain('net')
})
