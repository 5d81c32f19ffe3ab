import { describe, expect, test } from 'vitest'
import type { NodeReading } from '../../../src/controller/node.ts'
import { createWorld, type WorldStore } from '../../../src/controller/world.ts'
import type { LoadedObject } from '../../../src/model/types/loaded.ts'
import { keyOf, type ObjectKey } from '../../../src/model/types/meta.ts'
import type { Service } from '../../../src/model/types/service.ts'
import { emptyMemory } from '../../../src/reconcilers/adoption.ts'
import type { Effective } from '../../../src/reconcilers/assess.ts'
import type { PodRecord, ServiceMemory, SetRecord, WorkloadMemory } from '../../../src/reconcilers/memory.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import { app, cluster, cronJob, deployment, job, service } from '../../support/world.ts'

const A = 'Service/shop/a'
const B = 'Service/shop/b'
const C = 'Service/shop/c'

const balancer = (name: string, port = 80) =>
  service({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port }] }, name)

function loaded(object: Service): LoadedObject {
  return { object, origin: { file: 'a.yaml', line: 1, revision: 'r1' }, unenforced: [] } as unknown as LoadedObject
}

function wanted(...services: readonly Service[]): Map<ObjectKey, Effective> {
  return new Map(services.map((one) => [keyOf(one), { ...loaded(one), state: 'wanted' }]))
}

function worldOf(services: Map<ObjectKey, ServiceMemory>) {
  const applied = new Map<ObjectKey, LoadedObject>()
  const store: WorldStore = { lastApplied: () => applied, workloads: () => new Map(), services: () => services }
  return createWorld(cluster(), [], store, () => ({}))
}

const holding = (...hostPorts: readonly string[]): ServiceMemory => ({
  uid: 'u',
  createdAt: 1,
  clusterIP: '10.88.128.1',
  nodePorts: {},
  hostPorts,
})

test('there is no table before each Service of the revision has been looked at, for it may not have its address yet', () => {
  const world = worldOf(new Map())
  world.setWanted(wanted(balancer('a'), balancer('b', 81)), [], true)
  expect(world.table()).toBeUndefined()
  world.lookedAt(A)
  expect(world.table()).toBeUndefined()
  world.lookedAt(B)
  expect(world.table()).toMatchObject({ services: [] })
})

test('until there is a table nothing counts as taken out, and nobody is doubted', () => {
  const world = worldOf(new Map())
  world.setWanted(wanted(balancer('a')), [], true)
  expect(world.routing('some pod')).toEqual({ acknowledged: true, present: true })
  world.lookedAt(A)
  expect(world.table()).toBeDefined()
  expect(world.routing('some pod')).toEqual({ acknowledged: true, present: false })
})

test('what has changed in Git is due until it is looked at', () => {
  const world = worldOf(new Map())
  world.setWanted(wanted(balancer('a')), [], true)
  expect(world.isDue(A)).toBe(true)
  world.lookedAt(A)
  expect(world.isDue(A)).toBe(false)
})

test('the address of the name server, and one that only a container has, are given to nobody', () => {
  const node = { hasAddress: (ip: string) => ip === '10.88.0.7' } as unknown as NodeReading
  const store: WorldStore = { lastApplied: () => new Map(), workloads: () => new Map(), services: () => new Map() }
  const world = createWorld(cluster(), [node], store, () => ({}))
  expect(world.serviceAddressUsed(cluster().dnsAddress, A)).toBe(true)
  expect([world.addressUsed('10.88.0.7'), world.addressUsed('10.88.0.8')]).toEqual([true, false])
})

test('what runs and nobody knows is left alone while the revision was not read whole', () => {
  const pods = new Map([['Deployment/shop/stray', [{}]]])
  const node = { owners: () => pods.keys(), podsOf: (key: string) => pods.get(key) ?? [] } as unknown as NodeReading
  const store: WorldStore = { lastApplied: () => new Map(), workloads: () => new Map(), services: () => new Map() }
  const world = createWorld(cluster(), [node], store, () => ({}))
  world.setWanted(wanted(), [], false)
  expect(world.targetOf('Deployment/shop/stray')).toBeUndefined()
  expect(world.table()).toBeDefined()
  world.setWanted(wanted(), [], true)
  expect(world.targetOf('Deployment/shop/stray')).toBeNull()
})

test('a workload that was being taken down keeps nobody from their routes while the revision was not read whole', () => {
  const key = 'StatefulSet/shop/former'
  const workloads = new Map<ObjectKey, WorkloadMemory>([[key, emptyMemory('u', 0)]])
  const store: WorldStore = { lastApplied: () => new Map(), workloads: () => workloads, services: () => new Map() }
  const world = createWorld(cluster(), [], store, () => ({}))
  expect(world.table()).toBeUndefined()
  world.setWanted(wanted(), [], false)
  expect(world.targetOf(key)).toBeUndefined()
  expect(world.table()).toBeDefined()
})

test('there is no table before what runs has been looked at, where its memory was lost', () => {
  const pods = new Map([['Deployment/shop/web', [{}]]])
  const node = {
    owners: () => pods.keys(),
    podsOf: (key: string) => pods.get(key) ?? [],
    router: () => ({}),
  } as unknown as NodeReading
  const store: WorldStore = { lastApplied: () => new Map(), workloads: () => new Map(), services: () => new Map() }
  const world = createWorld(cluster(), [node], store, () => ({}))
  expect(world.table()).toBeUndefined()
  world.setPods('Deployment/shop/web', [], [])
  expect(world.table()).toBeDefined()
})

test('Services with a say in a port of the host are due when another comes to ask for it, or does no more', () => {
  const world = worldOf(new Map())
  const [b, c] = [balancer('b'), balancer('c', 81)]
  world.setWanted(wanted(balancer('a', 82), b, c), [], true)
  expect(world.setWanted(wanted(balancer('a', 80), b, c), [], true)).toEqual([A, B])
  expect(world.setWanted(wanted(balancer('a', 81), b, c), [], true)).toEqual([A, B, C])
  expect(world.setWanted(wanted(b, c), [A], true)).toEqual([A, C])
})

test('a Service holds what it has given up until its memory says otherwise', () => {
  const services = new Map([[A, holding('tcp/80')]])
  const world = worldOf(services)
  world.setWanted(wanted(balancer('a', 81), balancer('b')), [], true)
  expect(world.portClaims('tcp/80', B)).toMatchObject([{ key: A, held: true, standing: 'released' }])
  expect(world.portClaims('tcp/80', A)).toMatchObject([{ key: B, held: undefined, standing: 'wanted' }])
  expect(world.rivals(B)).toEqual([A])
  services.set(A, holding('tcp/81'))
  world.serviceMoved(A)
  expect(world.portClaims('tcp/80', B)).toEqual([])
  expect(world.rivals(B)).toEqual([])
})

test.each([
  ['health', 'leaving'],
  ['protected', 'wanted'],
] as const)('a Service that left Git and is retained for %s is %s', (kind, standing) => {
  const world = worldOf(new Map([[A, holding('tcp/80')]]))
  const retained: [ObjectKey, Effective] = [A, { ...loaded(balancer('a')), state: 'retained', kind, reason: '' }]
  world.setWanted(new Map([...wanted(balancer('b')), retained]), [], true)
  expect(world.portClaims('tcp/80', B)).toMatchObject([{ key: A, held: true, standing }])
})

describe('a Job that a CronJob has made', () => {
  const cron = cronJob()
  const tick = keyOf(cron)
  const key = 'Job/shop/tick-100'
  const made = { ...job({ name: 'tick-100' }), owner: tick }
  const memoryOf = (leaving: boolean): WorkloadMemory => {
    const run = { job: made, scheduledAt: 6_000_000, sourceRevision: 'r1', ...(leaving ? { leaving } : {}) }
    return { ...emptyMemory('u', 1), cron: { lastScheduledAt: 6_000_000, lastSuccessAt: 0, runs: [run] } }
  }

  /** A node on which the pods of these owners run. */
  const nodeWith = (...owners: readonly string[]): NodeReading =>
    ({ owners: () => owners, podsOf: (owner: string) => (owners.includes(owner) ? [{}] : []) }) as unknown as NodeReading

  function worldWith(memory: WorkloadMemory | undefined, ...nodes: readonly NodeReading[]) {
    const workloads = new Map<ObjectKey, WorkloadMemory>(memory === undefined ? [] : [[tick, memory]])
    const store: WorldStore = { lastApplied: () => new Map(), workloads: () => workloads, services: () => new Map() }
    const world = createWorld(cluster(), nodes, store, () => ({}))
    world.setWanted(new Map([[tick, { ...loaded(cron as never), state: 'wanted' }]]), [], true)
    return world
  }

  test('is wanted as its CronJob remembers it, though no revision has it', () => {
    const world = worldWith(memoryOf(false))
    expect(world.targetOf(key)).toMatchObject({ object: made, origin: { revision: 'r1' } })
    expect(world.keys()).toEqual([tick, key])
  })

  test('goes when its CronJob says so', () => expect(worldWith(memoryOf(true)).targetOf(key)).toBeNull())

  test('waits for its CronJob where memory was lost, and is judged by nobody else', () =>
    expect(worldWith(undefined, nodeWith(key)).targetOf(key)).toBeUndefined())

  test('of a CronJob that nobody knows goes', () =>
    expect(worldWith(undefined, nodeWith('Job/shop/other-100')).targetOf('Job/shop/other-100')).toBeNull())

  test('a Job that Git has is that of Git', () => {
    const world = worldWith(memoryOf(true))
    const own = job({ name: 'tick-100' })
    world.setWanted(new Map([[key, { ...loaded(own as never), state: 'wanted' }]]), [], true)
    expect(world.targetOf(key)?.object).toBe(own)
  })
})

test("edges of a Service that nothing is known of are somebody's until a whole revision says otherwise: memory may be lost", () => {
  const world = worldOf(new Map())
  expect(world.owned(A)).toBe(true)
  world.setWanted(wanted(balancer('b')), [], false)
  expect(world.owned(A)).toBe(true)
  world.setWanted(wanted(balancer('b')), [], true)
  expect(world.owned(A)).toBe(false)
  expect(world.owned(B)).toBe(true)
  expect(world.owned('Workflow/shop/a')).toBe(false)
})

test('a Service is looked at before the pods that are told of it, until it has been looked at once', () => {
  const services = new Map<ObjectKey, ServiceMemory>()
  const world = worldOf(services)
  const web = 'Deployment/shop/web'
  world.setWanted(wanted(service({}, 'a'), service({ clusterIP: 'None' }, 'b')), [], true)
  expect(world.goingBefore(web)).toEqual([A, B])
  expect(world.goingBefore('Deployment/other/web')).toEqual([])
  expect(world.goingBefore(A)).toEqual([])
  services.set(A, { uid: 'u', createdAt: 1, clusterIP: '10.88.128.1', nodePorts: {} })
  world.serviceMoved(A)
  world.lookedAt(A)
  world.lookedAt(B)
  expect(world.goingBefore(web)).toEqual([])
  expect(world.serviceLinks('shop')).toBe('a=10.88.128.1:80/TCP')
  world.setWanted(wanted(service({ ports: [{ port: 81 }] }, 'a')), [], true)
  expect(world.goingBefore(web)).toEqual([])
  expect(world.serviceLinks('shop')).toBe('a=10.88.128.1:81/TCP')
})

test('a quota that is for some pods alone counts none', () => {
  const world = worldOf(new Map())
  const quota = (name: string, spec: object) => ({
    object: { kind: 'ResourceQuota', metadata: { name, namespace: 'shop' }, body: { spec } },
    state: 'wanted',
  })
  const scoped = quota('scoped', { hard: { pods: '0' }, scopes: ['BestEffort'] })
  const wanted = new Map([
    ['ResourceQuota/shop/all', quota('all', { hard: { pods: '3' } })],
    ['ResourceQuota/shop/scoped', scoped],
    ['ResourceQuota/shop/selected', quota('selected', { hard: { pods: '0' }, scopeSelector: {} })],
  ])
  world.setWanted(wanted as unknown as Map<ObjectKey, Effective>, [], true)
  expect(world.quotas('shop').map(({ metadata }) => metadata.name)).toEqual(['all'])
})

test('what a workload that waits for others before it goes has requested is room for them, unless it comes back', () => {
  const web = deployment({ name: 'web', template: { containers: [app({ resources: { requests: { cpu: '300m' } } })] } })
  const key = keyOf(web)
  const pods = [{ uid: 'p', set: 's', node: 'alpha', placed: true } as PodRecord]
  const sets = [{ name: 's', template: web.spec.template } as SetRecord]
  const workloads = new Map([[key, { ...emptyMemory('u', 0), pods, sets }]])
  const store: WorldStore = { lastApplied: () => new Map(), workloads: () => workloads, services: () => new Map() }
  const world = createWorld(cluster(), [], store, () => ({}))
  const origin = { file: 'a.yaml', line: 1, revision: 'r1' }
  const as = (state: object) => new Map([[key, { object: web, origin, unenforced: [], ...state } as unknown as Effective]])
  const millis = (except?: ObjectKey) => world.requested('alpha', except).cpuMillis
  expect([millis(), millis(key)]).toEqual([300, 0])
  world.setWanted(as({ state: 'retained', kind: 'health' }), [], true)
  expect(millis()).toBe(0)
  world.setPods(key, [], [])
  expect(millis()).toBe(0)
  world.setWanted(as({ state: 'wanted' }), [], true)
  expect(millis()).toBe(300)
  world.setWanted(new Map(), [key], true)
  expect(millis()).toBe(300)
  workloads.delete(key)
  world.forget(key)
  world.setWanted(new Map(), [], true)
  expect(millis()).toBe(0)
})

test('what pods have requested that run and are not remembered yet is taken', () => {
  const spec = deployment({ template: { containers: [app({ resources: { requests: { cpu: '300m' } } })] } }).spec.template.spec
  const memory = {
    workload: { uid: 'w', createdAt: 0 },
    set: { name: 's', hash: 'h', revision: 1, template: { spec } },
    pod: { ip: '10.88.1.1', createdAt: 0, cause: '' },
  }
  const pod = { uid: 'p', sandbox: { labels: { [LABEL.memory]: JSON.stringify(memory) } } }
  const node = { name: 'alpha', owners: () => ['Deployment/shop/web'], podsOf: () => [pod] } as unknown as NodeReading
  const store: WorldStore = { lastApplied: () => new Map(), workloads: () => new Map(), services: () => new Map() }
  expect(createWorld(cluster(), [node], store, () => ({})).requested('alpha')).toEqual({ cpuMillis: 300, memoryBytes: 0 })
})
