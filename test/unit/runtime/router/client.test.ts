import { expect, test } from 'vitest'
import { buildRouteTable, indexPods } from '../../../../src/reconcilers/routes.ts'
import { type RouterClient, routerClient } from '../../../../src/runtime/router/client.ts'
import { simulatedRouter } from '../../../simulation/router.ts'
import { endpoint, service } from '../../../support/world.ts'
import { FakeTimers } from '../faketimers.ts'

const tableOf = (...pods: readonly number[]) =>
  buildRouteTable(
    [{ service: service(), clusterIP: '10.88.200.1' }],
    indexPods(pods.map((index) => endpoint(index))),
    'cluster.local',
  )

/** A client that holds a simulated router, which answers after `latencyMs` and refuses for as long as `refusal` says why. */
async function held() {
  const timers = new FakeTimers()
  const state = { latencyMs: 1, refusal: '' }
  const router = simulatedRouter({ timers, latency: () => state.latencyMs, refuse: () => state.refusal, served: () => {} })
  router.started()
  const connecting = routerClient({
    engine: { execStream: async (_: string, [, owner]: readonly string[]) => router.connect(owner ?? '') } as never,
    containerId: 'router',
    owner: 'first',
    serviceRange: '10.88.128.0/17',
    dnsAddress: '10.88.128.10',
    timeoutMs: 10_000,
    onLost: () => {},
    now: () => timers.now,
    startTimer: (ms, fire) => {
      const timer = timers.setTimeout(fire, ms)
      return () => timers.clearTimeout(timer)
    },
  })
  const during = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {})
    for (let turn = 0; turn < 20; turn++) await timers.advance(1)
    return work
  }
  const client: RouterClient = await during(connecting)
  return { client, router, timers, state, during }
}

test('a table that the router refuses is an error, and what was served before stays acknowledged', async () => {
  const { client, state, during } = await held()
  await during(client.apply(tableOf(1)))
  state.refusal = 'trouble'
  await expect(during(client.apply(tableOf(2)))).rejects.toMatchObject({ kind: 'rejected' })
  expect(client.acknowledged()).toEqual(tableOf(1))
})

test('a change of rules that are gone is followed by the whole table', async () => {
  const { client, router, during } = await held()
  await during(client.apply(tableOf(1)))
  router.flush('routes')
  await during(client.apply(tableOf(1, 2)))
  expect(router.serving()).toEqual(tableOf(1, 2))
})

test('a table is sent again once its rules are known to be gone, and not before', async () => {
  const { client, router, during } = await held()
  expect(await during(client.apply(tableOf(1)))).toBeGreaterThan(0)
  expect(await during(client.apply(tableOf(1)))).toBe(0)
  router.flush('routes')
  expect(await during(client.check())).toEqual({ nft: false, dns: true })
  await during(client.apply(tableOf(1)))
  expect(router.serving()).toEqual(tableOf(1))
})

test('after names were changed by hand everything is made anew, and is as it should be', async () => {
  const { client, router, during } = await held()
  await during(client.apply(tableOf(1)))
  router.flush('dns')
  expect(await during(client.check())).toEqual({ nft: true, dns: false })
  await during(client.apply(tableOf(2)))
  expect(await during(client.check())).toEqual({ nft: true, dns: true })
})

test('the lock was surely held when a ping was sent that was answered, and not until the answer came', async () => {
  const { client, timers, state } = await held()
  state.latencyMs = 1_500
  const before = client.heardAt()
  await timers.advance(10_000)
  expect(client.heardAt()).toBeGreaterThan(before)
  expect(timers.now - client.heardAt()).toBeGreaterThanOrEqual(1_500)
})
