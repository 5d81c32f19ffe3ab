import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dockerEngine } from '../../../src/runtime/docker/engine.ts'
import type { ContainerView } from '../../../src/runtime/engine.ts'
import { type NodeChange, type NodeObserver, observeNode } from '../../../src/runtime/observer.ts'
import { programs } from '../../contract/programs.ts'
import { EngineLab, eventually } from '../../support/engine.ts'
import { Relay } from '../../support/relay.ts'

const lab = new EngineLab('observer')
const labels = { 'trireme.cluster': lab.run }
const hour = 3_600_000
let relay: Relay
let observer: NodeObserver
let changes: NodeChange[]
let calls: string[]

async function observe(options: { readonly relistMs?: number; readonly timeoutMs?: number } = {}): Promise<void> {
  changes = []
  calls = []
  const { timeoutMs = 20_000, relistMs = hour } = options
  observer = observeNode({
    engine: dockerEngine({ node: 'local', host: relay.host, timeoutMs, onCall: (op) => calls.push(op) }),
    cluster: lab.run,
    now: Date.now,
    timers: { setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
    relistMs,
    signal: new AbortController().signal,
    onChange: (change) => changes.push(change),
  })
  await eventually('listed after the subscription', () => calls.includes('events') && observer.snapshot().reachable)
}

const seen = (id: string): ContainerView | undefined => observer.snapshot().containers.get(id)
const start = (more: Parameters<EngineLab['start']>[1] = {}) =>
  lab.start(programs.idle, { ...more, labels: { ...labels, ...more?.labels } })

beforeAll(() => lab.remove())
beforeEach(async () => {
  relay = new Relay()
  await relay.open()
})
afterEach(async () => {
  await observer.stop()
  await relay.remove()
  await lab.remove()
})
afterAll(() => lab.remove())

describe('what a snapshot shows', () => {
  test('only what carries the label of the cluster, inspected and frozen', async () => {
    const ours = await start()
    await lab.start(programs.idle)
    await lab.start(programs.idle, { labels: { 'trireme.cluster': 'another' } })
    await observe()
    const { node, reachable, error, info, containers } = observer.snapshot()
    expect({ node, reachable, error }).toEqual({ node: 'local', reachable: true, error: '' })
    expect(info!.version).not.toBe('')
    expect([...containers.keys()]).toEqual([ours])
    expect(seen(ours)).toEqual(await lab.engine.inspectContainer(ours))
    expect(Object.isFrozen(seen(ours)!.labels)).toBe(true)
    expect(Object.isFrozen(observer.snapshot())).toBe(true)
  })

  test('an unchanged container is the same value, whatever else changes', async () => {
    const still = await start()
    await observe()
    const [before, view, volumes] = [observer.snapshot(), seen(still), observer.snapshot().volumes]
    const other = await start()
    await eventually('the other one', () => seen(other)?.state === 'running')
    await observer.relist()
    expect(observer.snapshot()).not.toBe(before)
    expect(seen(still)).toBe(view)
    expect(observer.snapshot().volumes).toBe(volumes)
    expect(observer.snapshot()).toBe(observer.snapshot())
  })

  test('many containers are listed at once', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => lab.create(programs.idle, { labels })))
    await observe()
    expect([...observer.snapshot().containers.keys()].sort()).toEqual(ids.sort())
  })
})

describe('what others do is seen without a list', () => {
  test('the life of a container', async () => {
    await observe()
    const id = await start({ labels: { app: 'web' } })
    await eventually('running', () => seen(id)?.state === 'running')
    await lab.otherClient('POST', `/containers/${id}/pause`)
    await eventually('paused', () => seen(id)?.state === 'paused')
    await lab.engine.unpauseContainer(id)
    await eventually('unpaused', () => seen(id)?.state === 'running')
    await lab.engine.renameContainer(id, lab.name('moved'))
    await eventually('renamed', () => seen(id)?.name.includes('moved'))
    await lab.engine.updateContainer(id, { resources: { cpuShares: 77 } })
    await eventually('updated', () => seen(id)?.resources.cpuShares === 77)
    await lab.engine.killContainer(id, 'KILL')
    await eventually('killed', () => seen(id)?.exitCode === 137)
    await lab.engine.removeContainer(id)
    await eventually('gone', () => !observer.snapshot().containers.has(id))
    const told = changes.flatMap((change) => (change.kind === 'objects' ? change.labels : []))
    expect(told.length).toBeGreaterThanOrEqual(6)
    expect(told.every(({ app }) => app === 'web')).toBe(true)
    expect(calls.filter((op) => op === 'listContainers')).toHaveLength(1)
  })

  test('a container taken off its network', async () => {
    const network = lab.network({ subnet: '10.246.81.0/24', labels })
    await lab.engine.createNetwork(network)
    const id = await start({ networkMode: network.name })
    await observe()
    expect(seen(id)!.networks).toHaveProperty([network.name])
    await lab.engine.disconnectNetwork(network.name, id)
    await eventually('disconnected', () => Object.keys(seen(id)!.networks).length === 0)
  })

  test('networks and volumes', async () => {
    await observe()
    const network = lab.network({ subnet: '10.246.82.0/24', labels })
    const volume = lab.volume({ labels })
    await lab.engine.createNetwork(network)
    await lab.engine.createVolume(volume)
    await eventually('the network', () => observer.snapshot().networks.get(network.name)?.subnets[0]?.subnet === '10.246.82.0/24')
    await eventually('the volume', () => observer.snapshot().volumes.get(volume.name)?.labels['trireme.cluster'] === lab.run)
    await lab.engine.removeNetwork(network.name)
    await lab.engine.removeVolume(volume.name)
    await eventually('both gone', () => observer.snapshot().networks.size + observer.snapshot().volumes.size === 0)
  })

  test('foreign containers and executions cost no call', async () => {
    const id = await start()
    await observe()
    calls.length = 0
    await lab.engine.exec(id, ['/bin/true'], { timeoutMs: 20_000, maxBytes: 10 })
    await lab.ended(programs.crash)
    const last = await start()
    await eventually('the last one', () => seen(last)?.state === 'running')
    expect(new Set(calls)).toEqual(new Set(['inspectContainer']))
    expect(changes.filter(({ kind }) => kind === 'objects').length).toBeLessThanOrEqual(3)
  })
})

describe('looking now', () => {
  test('a step reads its own writes', async () => {
    await observe()
    const id = await lab.create(programs.idle, { labels })
    await observer.refresh(id)
    expect(seen(id)!.state).toBe('created')
    await lab.engine.startContainer(id)
    await observer.refresh(id)
    expect(seen(id)!.state).toBe('running')
    await lab.engine.removeContainer(id)
    await observer.refresh(id)
    expect(observer.snapshot().containers.has(id)).toBe(false)
    const volume = lab.volume({ labels })
    await lab.engine.createVolume(volume)
    await observer.refreshShared()
    expect(observer.snapshot().volumes.has(volume.name)).toBe(true)
  })

  test('by name', async () => {
    await observe()
    const config = lab.config(programs.idle, { labels })
    const id = await lab.engine.createContainer(config)
    await observer.refresh(config.name)
    expect(seen(id)!.name).toBe(config.name)
  })

  test('the slow timer lists again', async () => {
    await observe({ relistMs: 50 })
    await eventually('a few lists', () => calls.filter((op) => op === 'listContainers').length >= 3)
    expect(observer.snapshot().reachable).toBe(true)
  })
})

describe('losing the engine', () => {
  test('a dropped event stream is taken up again, and what was missed is listed', async () => {
    const gone = await start()
    await observe()
    await relay.close()
    await lab.engine.removeContainer(gone)
    const born = await start()
    await relay.open()
    await eventually('what was missed', () => seen(born)?.state === 'running' && !observer.snapshot().containers.has(gone))
    expect(observer.snapshot()).toMatchObject({ reachable: true, error: '' })
    await lab.engine.stopContainer(born, 5)
    await eventually('events again', () => seen(born)?.state === 'exited')
  })

  test('a cut that heals at once is healed', async () => {
    await observe()
    relay.cut()
    await eventually('a second subscription', () => calls.filter((op) => op === 'events').length === 2)
    const id = await start()
    await eventually('events again', () => seen(id)?.state === 'running')
  })

  test('an outage is told with its reason, and the last picture stays', async () => {
    const id = await start()
    await observe()
    const { since } = observer.snapshot()
    await relay.close()
    await eventually('unreachable', () => !observer.snapshot().reachable)
    expect(observer.snapshot().error).toContain(relay.path)
    expect(observer.snapshot().since).toBeGreaterThan(since)
    expect(seen(id)!.state).toBe('running')
    await observer.refresh(id)
    expect(observer.snapshot().reachable).toBe(false)
    await relay.open()
    await eventually('reachable', () => observer.snapshot().reachable)
    const all = changes.filter(({ kind }) => kind === 'all')
    expect(all.length).toBeGreaterThanOrEqual(3)
  })

  test('an engine that was never there is waited for', async () => {
    await relay.close()
    changes = []
    const waiting = observe()
    await eventually('the reason', () => observer.snapshot().error.includes('is dockerd running?'))
    expect(observer.snapshot()).toMatchObject({ reachable: false, info: undefined })
    await relay.open()
    await waiting
    expect(observer.snapshot().info!.version).not.toBe('')
  })

  test('an engine that takes calls and answers none is unreachable', async () => {
    const id = await start()
    await observe({ timeoutMs: 500 })
    relay.cut()
    relay.silence(true)
    await eventually('unreachable', () => observer.snapshot().error.includes('did not answer within 500 ms'))
    expect(observer.snapshot().reachable).toBe(false)
    relay.silence(false)
    await eventually('reachable', () => observer.snapshot().reachable && seen(id)?.state === 'running')
  })

  test('after stop nothing is told any more', async () => {
    await observe()
    await observer.stop()
    const told = changes.length
    await start()
    await relay.close()
    await observer.relist()
    expect(changes).toHaveLength(told)
  })
})
