import { expect, test } from 'vitest'
import { createLoop } from '../../../src/controller/loop.ts'
import { type NodeRuntime, nodeKey } from '../../../src/controller/node.ts'
import { createNodeIndex } from '../../../src/controller/nodeindex.ts'
import { createWorld } from '../../../src/controller/world.ts'
import { createMetrics } from '../../../src/metrics/metrics.ts'
import { keyOf } from '../../../src/model/types/meta.ts'
import type { Service } from '../../../src/model/types/service.ts'
import type { ReplicaSet } from '../../../src/model/types/workload.ts'
import type { Effective } from '../../../src/reconcilers/assess.ts'
import type { WorkloadMemory } from '../../../src/reconcilers/memory.ts'
import type { NodeView } from '../../../src/reconcilers/observed.ts'
import type { EngineInfo } from '../../../src/runtime/engine.ts'
import { StoreError } from '../../../src/store/error.ts'
import type { Store } from '../../../src/store/store.ts'
import { Stage } from '../../support/stage.ts'
import { cluster as statusOf } from '../../support/status.ts'
import { testSigner } from '../../support/tokens.ts'
import { app, cluster, replicaSet, service } from '../../support/world.ts'
import { FakeTimers } from '../runtime/faketimers.ts'

const node: NodeView = {
  name: 'alpha',
  reachable: true,
  error: '',
  info: { cpus: 1, memoryBytes: 2 ** 30, architecture: 'x86_64', runtimes: [] } as unknown as EngineInfo,
  containers: new Map(),
  networks: new Map(),
  volumes: new Map(),
  images: new Map(),
  files: new Map(),
  put: new Map(),
  tokens: new Map(),
  router: { connected: false, error: '', acknowledged: undefined, drift: [] },
}

/** A loop over one empty node, whose disk is as `transaction` says, and whose router is as sure as `sure` says. */
function startLoop(transaction: Store['transaction'], sure = () => true, workloads?: Map<string, WorkloadMemory>) {
  const timers = new FakeTimers()
  const made: string[] = []
  let reachable = true
  const createNetwork = ({ name }: { readonly name: string }): Promise<void> => {
    made.push(name)
    return new Promise(() => {})
  }
  const reading = {
    ...createNodeIndex('alpha'),
    name: 'alpha',
    view: () => ({ ...node, reachable }),
    router: () => node.router,
    hooks: new Set<string>(),
    tail: () => [],
    message: () => '',
    sure,
    podsOf: () => [],
    site: {
      engine: { createNetwork, createContainer: createNetwork },
      refreshShared: async () => undefined,
      pulling: () => new Promise(() => {}),
    },
  } as unknown as NodeRuntime
  const none = () => new Map()
  const store = {
    lastApplied: none,
    workloads: () => workloads ?? new Map(),
    services: none,
    setLastApplied: () => undefined,
    setWorkload: (key: string, memory: WorkloadMemory) => workloads?.set(key, memory),
    deleteWorkload: (key: string) => workloads?.delete(key),
    setService: () => undefined,
    addEvent: () => undefined,
    transaction,
  } as unknown as Store
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const world = createWorld(cluster(), [reading], store, () => ({}))
  const loop = createLoop({
    world,
    nodes: [reading],
    store,
    vault: { redactOwn: (text: string) => text } as never,
    tokens: testSigner(),
    metrics: createMetrics({ version: '', status: statusOf }),
    log: log as never,
    now: () => timers.now,
    timers,
    ids: () => ({ uid: 'u', suffix: 's' }),
    revision: () => '',
    changed: () => undefined,
    active: () => workloads !== undefined,
  })
  const reach = (can: boolean): void => {
    reachable = can
  }
  return { loop, timers, made, world, reach }
}

function wanted(object: ReplicaSet | Service): Effective {
  const origin = { file: 'web.yaml', line: 1, revision: 'r1' }
  return { object, origin, unenforced: [], state: 'wanted' } as unknown as Effective
}

test('what was decided in a burst is on disk before any step of it starts', async () => {
  const order: string[] = []
  const { loop, timers, made } = startLoop((work) => {
    const result = work()
    order.push(`kept with ${made.length} made`)
    return result
  })
  loop.queue.add(nodeKey('alpha'))
  await timers.advance(0)
  expect(order.at(-1)).toBe('kept with 0 made')
  expect(made).toEqual(['trireme-test'])
})

test('nothing that was decided about a workload starts unless it could be kept', async () => {
  const object = replicaSet()
  const key = keyOf(object)
  let full = true
  const { loop, timers, made, world } = startLoop(
    (work) => {
      const result = work()
      if (full) throw new StoreError('full', 'no space left')
      return result
    },
    () => true,
    new Map(),
  )
  const pods = (): string[] => made.filter((name) => name.includes('POD'))
  world.setWanted(new Map([[key, wanted(object)]]), [], false)
  loop.queue.add(key)
  await timers.advance(1_000)
  expect(pods()).toEqual([])
  full = false
  await timers.advance(20_000)
  expect(pods()).toHaveLength(1)
})

test('a burst that cannot be kept starts nothing, says why, and is planned again', async () => {
  let full = true
  const { loop, timers, made } = startLoop((work) => {
    const result = work()
    if (full) throw new StoreError('full', 'no space left')
    return result
  })
  loop.queue.add(nodeKey('alpha'))
  await timers.advance(0)
  expect(made).toEqual([])
  expect(loop.storeTrouble()).toBe('no space left')
  full = false
  await timers.advance(10_000)
  expect(made.length).toBeGreaterThan(0)
  expect(loop.storeTrouble()).toBe('')
})

test('a daemon that may have been taken over from plans nothing until it is sure again', async () => {
  let sure = false
  const { loop, timers, made } = startLoop(
    (work) => work(),
    () => sure,
  )
  loop.queue.add(nodeKey('alpha'))
  await timers.advance(1_000)
  expect(made).toEqual([])
  sure = true
  await timers.advance(1_000)
  expect(made).toEqual(['trireme-test'])
})

test('what a burst had no time for comes with the next, though nothing else happens', async () => {
  let clock: FakeTimers | undefined
  const { loop, timers } = startLoop((work) => {
    if (clock !== undefined) clock.now += 15
    return work()
  })
  clock = timers
  for (let index = 0; index < 20; index++) loop.queue.add(`Node//other-${index}`)
  await timers.advance(0)
  expect(loop.queue.size()).toBeGreaterThan(0)
  await timers.advance(1_000)
  expect(loop.queue.size()).toBe(0)
})

test('Services that go before a workload have no longer burst than others, and the workload comes after the last of them', async () => {
  let clock: FakeTimers | undefined
  let passes = 0
  const workloads = new Map<string, WorkloadMemory>()
  const { loop, timers, world } = startLoop(
    (work) => {
      passes += 1
      if (clock !== undefined) clock.now += 15
      return work()
    },
    () => true,
    workloads,
  )
  const services = Array.from({ length: 20 }, (_, index) => service({}, `s${index}`))
  world.setWanted(new Map([...services, replicaSet()].map((object) => [keyOf(object), wanted(object)])), [], false)
  clock = timers
  loop.queue.add(keyOf(replicaSet()))
  await timers.advance(0)
  expect([passes, workloads.size]).toEqual([3, 0])
  await timers.advance(1_000)
  expect(workloads.size).toBe(1)
  expect(world.goingBefore(keyOf(replicaSet()))).toEqual([])
})

test('a workload whose Service could not be kept is planned all the same once the disk has room', async () => {
  let full = false
  let depth = 0
  const workloads = new Map<string, WorkloadMemory>()
  const { loop, timers, world } = startLoop(
    (work) => {
      depth += 1
      try {
        if (full && depth === 2) throw new StoreError('full', 'no space left')
        return work()
      } finally {
        depth -= 1
      }
    },
    () => true,
    workloads,
  )
  // The first table wakes everything.
  loop.queue.add(nodeKey('alpha'))
  await timers.advance(1_000)
  full = true
  world.setWanted(new Map([service(), replicaSet()].map((object) => [keyOf(object), wanted(object)])), [], false)
  loop.queue.add(keyOf(replicaSet()))
  await timers.advance(1_000)
  expect(workloads.size).toBe(0)
  full = false
  await timers.advance(20_000)
  expect(workloads.size).toBe(1)
})

test('each object is planned in a transaction of its own, so that one that cannot be planned takes back nothing else', async () => {
  let depth = 0
  const depths: number[] = []
  const { loop, timers } = startLoop((work) => {
    depths.push(++depth)
    const result = work()
    depth -= 1
    return result
  })
  loop.queue.add('Node//one')
  loop.queue.add('Node//two')
  await timers.advance(0)
  expect(depths).toEqual([1, 2, 2])
})

test('a node looks for what could not be removed with a pod as soon as the pod is forgotten, though no route changes', async () => {
  const one = replicaSet()
  const none = replicaSet({ spec: { replicas: 0 } })
  const key = keyOf(one)
  const memory = new Stage().apply(one).plan(key).memory as WorkloadMemory
  expect(memory.pods).toHaveLength(1)
  const workloads = new Map([[key, memory]])
  const { loop, timers, made, world, reach } = startLoop(
    (work) => work(),
    () => true,
    workloads,
  )
  world.setWanted(new Map([[key, wanted(none)]]), [], false)
  reach(false)
  loop.queue.add(key)
  await timers.advance(1_000)
  expect([workloads.get(key)?.pods.length, made]).toEqual([1, []])
  reach(true)
  loop.queue.add(key)
  await timers.advance(1_000)
  expect(workloads.get(key)?.pods).toEqual([])
  expect(made).toEqual(['trireme-test'])
})

test('who waits for room has it soon after a pod has left', async () => {
  const asking = (name: string, replicas: number) =>
    replicaSet({ name, spec: { replicas }, template: { containers: [app({ resources: { requests: { cpu: '600m' } } })] } })
  const [none, one] = [asking('a', 0), asking('b', 1)]
  const [a, b] = [keyOf(none), keyOf(one)]
  const workloads = new Map([[a, new Stage().apply(asking('a', 1)).plan(a).memory as WorkloadMemory]])
  const { loop, timers, world, reach } = startLoop(
    (work) => work(),
    () => true,
    workloads,
  )
  const placed = () => [a, b].map((key) => workloads.get(key)?.pods.map((pod) => pod.placed))
  const both = [none, one].map((object) => [keyOf(object), wanted(object)] as const)
  world.setWanted(new Map(both), [], false)
  reach(false)
  loop.queue.add(b)
  await timers.advance(1_000)
  expect(placed()).toEqual([[true], [false]])
  reach(true)
  loop.queue.add(a)
  await timers.advance(1_000)
  expect(placed()).toEqual([[], [true]])
})
