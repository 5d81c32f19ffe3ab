import { expect, test } from 'vitest'
import { runningContainers, startUsageSampler, type UsageTarget } from '../../../src/metrics/usage.ts'
import { EngineError } from '../../../src/runtime/engine.ts'
import { busyCluster } from '../../support/status.ts'

const target = (containerId: string): UsageTarget => ({
  node: 'alpha',
  containerId,
  namespace: 'shop',
  pod: containerId,
  container: 'app',
  image: 'i',
})
const stats = { cpuNanos: 1, memoryUsageBytes: 1, memoryWorkingSetBytes: 1, memoryRssBytes: 1, readAt: 1 }

/** A sampler whose rounds begin when `next` is called. */
function stepped(options: Omit<Parameters<typeof startUsageSampler>[0], 'sleep'>) {
  let wake: () => void = () => undefined
  let asleep: () => void = () => undefined
  const sleep = () =>
    new Promise<void>((resolve) => {
      wake = resolve
      asleep()
    })
  const round = () =>
    new Promise<void>((resolve) => {
      asleep = resolve
    })
  const first = round()
  const sampler = startUsageSampler({ ...options, sleep })
  const next = () => {
    const done = round()
    wake()
    return done
  }
  return { sampler, first, next }
}

test('only running containers with an id are asked', () => {
  expect(runningContainers(busyCluster().workloads).map(({ pod, container, node }) => `${node} ${pod}/${container}`)).toEqual([
    'alpha web-7c9f-x2k1q/app',
  ])
})

test('a container that cannot be asked is left out, and asked again in the next round', async () => {
  let broken = true
  const engine = () => ({
    stats: async (id: string) => {
      if (id === 'b' && broken) throw new EngineError('notFound', 'no such container')
      return stats
    },
  })
  const { sampler, first, next } = stepped({ engine, list: () => [target('a'), target('b')] })
  await first
  expect(sampler.samples().map((each) => each.target.containerId)).toEqual(['a'])
  broken = false
  await next()
  expect(sampler.samples().map((each) => each.target.containerId)).toEqual(['a', 'b'])
  sampler.stop()
})

test('a node without an engine is left out', async () => {
  const { sampler, first } = stepped({ engine: () => undefined, list: () => [target('a')] })
  await first
  expect(sampler.samples()).toEqual([])
  sampler.stop()
})

test('never more at once than allowed, and all of them', async () => {
  let running = 0
  let most = 0
  const engine = () => ({
    stats: async () => {
      running += 1
      most = Math.max(most, running)
      await Promise.resolve()
      running -= 1
      return stats
    },
  })
  const { sampler, first } = stepped({
    engine,
    list: () => Array.from({ length: 20 }, (_, at) => target(`c${at}`)),
    concurrency: 3,
  })
  await first
  expect(sampler.samples()).toHaveLength(20)
  expect(most).toBe(3)
  sampler.stop()
})
