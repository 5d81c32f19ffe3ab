/** What simulated worlds have found, each as the shortest story that shows it. */
import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Application, Component } from './application.ts'
import { converges, runsOnTime, tellsNoSecret } from './liveness.ts'
import { livePods } from './livepods.ts'
import { createWorld, type World } from './world.ts'

let world: World
afterEach(() => world?.close())

const fair = { calm: false, size: 2, stormMs: 0, commitEveryMs: 1, faultEveryMs: 1, sound: true }

function component(name: string, change: Partial<Component> = {}): Component {
  return {
    name,
    kind: 'Deployment',
    replicas: 2,
    behaviour: { kind: 'ok', afterMs: 0 },
    version: 1,
    recreate: false,
    parallel: false,
    surge: 1,
    unavailable: 0,
    minReadySeconds: 0,
    deadlineSeconds: 600,
    graceSeconds: 5,
    preStopSeconds: 0,
    liveness: false,
    sidecar: false,
    before: [],
    paused: false,
    schedule: null,
    config: null,
    service: 'ClusterIP',
    ...change,
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const application = (...components: Component[]): Application => ({ components, values: {} })

/** @param seed of what is left to chance: latencies and orders */
async function settled(seed: number, ...components: Component[]): Promise<World> {
  world = createWorld(seed, { climate: fair, application: application(...components) })
  await converges(world)
  return world
}

test.each(upTo(8))(
  'a workload that left Git goes, though nothing is remembered of it and no route to it has to change (%i)',
  async (seed) => {
    await settled(seed, component('stays'), component('leaves', { behaviour: { kind: 'deaf', afterMs: 0 }, graceSeconds: 30 }))
    world.commit(application(component('stays')), 'leaves goes')
    await world.run(world.elapsed() + 20_000)
    world.strike({ kind: 'engineFalls', how: 'powerLoss', downMs: 1_000 })
    world.strike({ kind: 'loseStore' })
    await converges(world)
  },
)

test('a pod in the table that a router comes back with is not stopped while the router is down', async () => {
  await settled(1, component('web', { kind: 'Pod', replicas: 1 }))
  world.commit(application(component('web', { kind: 'Pod', replicas: 1, version: 2 })), 'another pod')
  for (let turn = 0; turn < 200; turn++) {
    await world.run(world.elapsed() + 100)
    world.strike({ kind: 'meddle', how: 'killRouter' })
  }
  await converges(world)
})

test('what is being taken down is not made again for a newer revision that lacks it too', async () => {
  await settled(1, component('stays'), component('leaves', { behaviour: { kind: 'deaf', afterMs: 0 }, graceSeconds: 30 }))
  world.commit(application(component('stays')), 'leaves goes')
  await world.run(world.elapsed() + 20_000)
  world.commit(application(component('stays', { version: 2, behaviour: { kind: 'ok', afterMs: 15_000 } })), 'a slow rollout')
  await converges(world)
  const gone = world.trace.findIndex((line) => line.includes('left Git'))
  expect(world.trace.slice(gone).filter((line) => line.includes('create leaves'))).toEqual([])
})

test.each(upTo(12))('secret values of a new revision are there although the last one is read beside it (%i)', async (seed) => {
  const config = { configMap: 'web-config', secret: 'web-secret', mounted: false }
  const web = component('web', { config })
  const values = { 'web-config': 'plain', 'web-secret': `hush-${'a'.repeat(24)}` }
  world = createWorld(seed, { climate: fair, application: { components: [web], values } })
  await converges(world)
  world.strike({ kind: 'killDaemon', downMs: 1_000 })
  world.commit({ components: [web], values: { ...values, 'web-secret': `hush-${'b'.repeat(24)}` } }, 'another secret')
  await converges(world)
})

test.each(upTo(8))('a daemon outlives an engine that fails in its first moments (%i)', async (seed) => {
  await settled(seed, component('web'))
  world.strike({ kind: 'engineTrouble', oneIn: 2, forMs: 5_000 })
  world.strike({ kind: 'killDaemon', downMs: 10 })
  await converges(world)
  expect(world.trace.filter((line) => line.includes('fatal'))).toEqual([])
})

describe('a program that prints its environment as it crashes gives no secret away', () => {
  const config = { configMap: 'web-config', secret: 'web-secret', mounted: false }
  const web = component('web', { config, behaviour: { kind: 'crash', afterMs: 500 } })
  const values = (letter: string) => ({ 'web-config': 'a plain value', 'web-secret': `hush-${letter.repeat(24)}` })
  const told = (): string => JSON.stringify(world.daemon()?.status())

  /** Looks again and again, for what is told wrongly may be told for a moment only. */
  async function watch(ms: number): Promise<void> {
    for (const end = world.elapsed() + ms; world.elapsed() < end; ) {
      await world.run(world.elapsed() + 20)
      tellsNoSecret(world)
    }
  }

  beforeEach(async () => {
    world = createWorld(1, { climate: fair, application: { components: [web], values: values('a') } })
    await world.run(30_000)
  })

  test('to the daemon that made it', async () => {
    await watch(10_000)
    expect(told()).toContain('a plain value')
  })

  test('to a daemon that has just been started, and knows no secret yet', async () => {
    world.strike({ kind: 'killDaemon', downMs: 1_000 })
    await watch(10_000)
    expect(told()).toContain('a plain value')
  })

  test('to a daemon without memory, when Git has another secret now', async () => {
    world.strike({ kind: 'remote', state: 'unreachable', forMs: 5_000 })
    world.commit({ components: [web], values: values('b') }, 'another secret')
    world.strike({ kind: 'loseStore' })
    await watch(30_000)
  })
})

test('a world waits for nothing but its clock, so that a seed is the same story on a busy machine', async () => {
  // Whatever would be asked of the disk beside the loop waits behind these.
  const busy = upTo(8).map(() => promisify(pbkdf2)('', '', 300_000, 64, 'sha512'))
  await settled(1, component('web'))
  await Promise.all(busy)
})

test('a port of the host that two Services want passes on when its holder leaves Git', async () => {
  await settled(1, component('first', { service: 'LoadBalancer' }))
  const second = component('second', { service: 'LoadBalancer' })
  world.commit(application(component('first', { service: 'LoadBalancer' }), second), 'second comes')
  await world.run(world.elapsed() + 60_000)
  const condition = (): string | undefined => world.daemon()?.life.running()?.world.services.get('Service/shop/second')?.condition
  expect(condition()).toBe('PortConflict')
  world.commit(application(second), 'first goes')
  await converges(world)
  expect(condition()).toBe('Ready')
})

test('a preStop hook that a killed daemon had begun does not begin again', async () => {
  const slow = component('slow', { replicas: 1, preStopSeconds: 20, graceSeconds: 60 })
  await settled(1, component('stays'), slow)
  world.commit(application(component('stays')), 'slow goes')
  await world.run(world.elapsed() + 20_000)
  const begun = (): number => world.trace.filter((line) => line.includes('hook') && line.includes('preStop')).length
  expect(begun()).toBe(1)
  world.strike({ kind: 'killDaemon', downMs: 1_000 })
  await converges(world)
  expect(begun()).toBe(1)
})

test.each([
  ['by the daemon that read it', false],
  ['by one that was started since', true],
])('a pod of a revision whose secret is not in Git any more is replaced with its value: %s', async (_, restart) => {
  const config = { configMap: 'web-config', secret: 'web-secret', mounted: false }
  const web = component('web', { config, replicas: 1, service: null })
  const value = (letter: string) => ({ 'web-config': 'plain', 'web-secret': `hush-${letter.repeat(24)}` })
  world = createWorld(1, { climate: fair, application: { components: [web], values: value('a') } })
  await converges(world)
  const broken = { ...web, version: 2, behaviour: { kind: 'never' } } as const
  world.commit({ components: [broken], values: value('b') }, 'never ready, with another secret')
  await world.run(world.elapsed() + 60_000)
  if (restart) world.strike({ kind: 'killDaemon', downMs: 1_000 })
  await world.run(world.elapsed() + 30_000)
  const serving = () => [...livePods(world.node.containers(), world.node.ranMs).values()].filter(({ ready }) => ready)
  const [before] = serving()
  for (let turn = 0; turn < 20 && serving().some(({ uid }) => uid === before?.uid); turn++) {
    world.strike({ kind: 'meddle', how: 'removeSandbox' })
    await world.run(world.elapsed() + 2_000)
  }
  await world.run(world.elapsed() + 60_000)
  expect(serving().map(({ image }) => image)).toEqual([before?.image])
  expect(serving()[0]?.uid).not.toBe(before?.uid)
})

test('a revision that was found while the disk was full is taken once there is room, without another commit', async () => {
  await settled(1, component('web'))
  world.strike({ kind: 'fullDisk', forMs: 60_000 })
  world.commit(application(component('web', { version: 2 })), 'another image')
  await world.run(world.elapsed() + 60_000)
  await converges(world)
})

test('what a pod needs no longer goes, and the revision is healthy, though the disk was full when its turn came', async () => {
  const config = { configMap: 'web-config', secret: 'web-secret', mounted: false }
  const values = { 'web-config': 'plain', 'web-secret': `hush-${'a'.repeat(24)}` }
  world = createWorld(1, { climate: fair, application: { components: [component('web', { config })], values } })
  await converges(world)
  world.commit(
    application(component('web', { version: 2, behaviour: { kind: 'ok', afterMs: 15_000 } })),
    'no config, slowly ready',
  )
  await world.run(world.elapsed() + 16_000)
  for (let turn = 0; turn < 30; turn++) {
    await world.run(world.elapsed() + 4_000)
    world.strike({ kind: 'fullDisk', forMs: 3_000 })
  }
  await converges(world)
})

test('a CronJob goes on while its daemon is killed again and again: each minute once, and no two at once', async () => {
  const schedule = { everyMinutes: 1, concurrency: 'Forbid', keepSucceeded: 2, keepFailed: 1 } as const
  const report = component('report', {
    kind: 'CronJob',
    replicas: 1,
    behaviour: { kind: 'done', afterMs: 30_000 },
    schedule,
    service: null,
  })
  world = createWorld(1, { climate: { ...fair, calm: true }, application: application(report) })
  for (let turn = 0; turn < 30; turn++) {
    await world.run(world.elapsed() + 20_000)
    world.strike({ kind: 'killDaemonInOperation', operations: 1 + (turn % 7), done: turn % 2 === 0, downMs: 1_000 })
  }
  const ran = new Set(world.trace.flatMap((line) => /create (report-\d+)/.exec(line)?.[1] ?? []))
  expect(ran.size).toBeGreaterThanOrEqual(9)
  world.calm()
  await converges(world)
  await runsOnTime(world)
})

test('a token is renewed while its pod runs, whatever becomes of the daemon meanwhile', async () => {
  const config = { configMap: 'web-config', secret: 'web-secret', mounted: true }
  const values = { 'web-config': 'plain', 'web-secret': `hush-${'a'.repeat(24)}` }
  world = createWorld(1, {
    climate: { ...fair, calm: true },
    application: { components: [component('web', { config })], values },
  })
  await converges(world)
  const running = () => [...livePods(world.node.containers(), world.node.ranMs).keys()].sort()
  const before = running()
  for (let turn = 0; turn < 6; turn++) {
    await world.run(world.elapsed() + 900_000)
    world.strike({ kind: 'killDaemon', downMs: 30_000 })
  }
  await converges(world)
  expect(running()).toEqual(before)
  const renewals = world.trace.filter((line) => line.includes('its token is to be renewed'))
  // Each of both pods every 8 minutes, and after each start of a daemon.
  expect(renewals.length).toBeGreaterThanOrEqual(2 * 12)
})

test('a container that was being started when its engine was killed, and can never start again, is made anew', async () => {
  let met = 0
  for (const seed of upTo(8)) {
    await settled(seed, component('web', { replicas: 1 }))
    world.commit(application(component('web', { replicas: 8 })), 'more of them')
    await world.run(world.elapsed() + 60_000, () => [...world.node.containers()].some(({ state }) => state === 'created'))
    await world.run(world.elapsed() + 4 * seed)
    world.strike({ kind: 'engineFalls', how: 'crash', downMs: 500 })
    await world.run(world.elapsed() + 100)
    met += world.node.stuck().length
    await converges(world)
    expect(world.node.stuck()).toEqual([])
    world.close()
  }
  expect(met).toBeGreaterThan(0)
})
