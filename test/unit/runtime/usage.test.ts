import { expect, test } from 'vitest'
import type { PodUsage } from '../../../src/model/types/pod.ts'
import { type Engine, EngineError } from '../../../src/runtime/engine.ts'
import { runProbe } from '../../../src/runtime/probes/action.ts'
import { createVolumeCounts, probeUsage } from '../../../src/runtime/probes/volumes.ts'

const site = (engine: Partial<Engine>) => ({
  engine: engine as Engine,
  containerId: 'c1',
  address: '10.0.0.2',
  namedPorts: {},
})
const timers = { setTimeout: () => 0, clearTimeout: () => undefined }
const unreachable = () => Promise.reject(new EngineError('unreachable', 'no answer'))

const engine = (volumes: Record<string, number>, written = 0): Partial<Engine> => ({
  volumeBytes: () => Promise.resolve(new Map(Object.entries(volumes))),
  writtenBytes: () => Promise.resolve(written),
})

const cache = { name: 'cache', source: 'v-cache', limit: { bytes: 100, text: '100' } }
const free = { name: 'free', source: 'v-free' }
const total = { bytes: 1000, text: '1k' }

for (const { name, usage, held, written = 0, want } of [
  { name: 'a volume at its limit', usage: { volumes: [cache] }, held: { 'v-cache': 100 }, want: { ok: true } },
  {
    name: 'a volume over its limit',
    usage: { volumes: [free, cache] },
    held: { 'v-cache': 101 },
    want: { ok: false, answer: 'Usage of EmptyDir volume "cache" exceeds the limit "100".' },
  },
  { name: 'a volume that is not counted', usage: { volumes: [cache] }, held: {}, want: { ok: true } },
  { name: 'a pod at its limit', usage: { volumes: [free], total }, held: { 'v-free': 400 }, written: 300, want: { ok: true } },
  {
    name: 'a pod whose volumes and containers are over it together',
    usage: { volumes: [free], total },
    held: { 'v-free': 401 },
    written: 300,
    want: { ok: false, answer: 'Pod ephemeral local storage usage exceeds the total limit of containers 1k.' },
  },
] as const)
  test(name, async () => {
    const asked: PodUsage = { containers: ['c1', 'c2'], ...usage }
    expect(await probeUsage(asked, site(engine(held, written)), createVolumeCounts(timers))).toMatchObject(want)
  })

test('a pod without volumes is counted without asking the engine about all of its volumes', async () => {
  const asked: PodUsage = { volumes: [], containers: ['c1'], total }
  const only = { writtenBytes: () => Promise.resolve(1001) }
  expect(await probeUsage(asked, site(only), createVolumeCounts(timers))).toMatchObject({ ok: false })
})

test('an engine that cannot count evicts nobody', async () => {
  const bounds = { timeoutMs: 1000, signal: new AbortController().signal }
  const asked = { storage: { limitBytes: 1 } }
  const said = await runProbe(asked, site({ writtenBytes: unreachable }), bounds, { redact: (text) => text })
  expect(said).toEqual({ error: 'no answer' })
  const usage = { volumes: [cache], containers: [] }
  expect(await probeUsage(usage, site({ volumeBytes: unreachable }), createVolumeCounts(timers))).toEqual({ error: 'no answer' })
})

test('pods that ask share one count, which is made anew only after a while, or when it failed', async () => {
  let asked = 0
  const later: (() => void)[] = []
  const counts = createVolumeCounts({ setTimeout: (work) => later.push(work), clearTimeout: () => undefined })
  const one = { volumeBytes: () => (++asked === 1 ? unreachable() : Promise.resolve(new Map())) } as Partial<Engine> as Engine
  await expect(Promise.all([counts(one), counts(one)])).rejects.toThrow('no answer')
  await Promise.all([counts(one), counts(one)])
  await counts(one)
  expect(asked).toBe(2)
  for (const work of later) work()
  await counts(one)
  expect(asked).toBe(3)
})
