/**
 * One size, measured from nothing: prints its `Measured` as JSON.
 *
 *   node test/bench/scale/scenario.ts <pods> <workloads>
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../bench.ts'
import { type ScaleDaemon, startDaemon } from './daemon.ts'
import { type ScaleEngine, scaleEngine } from './engine.ts'
import { scaleSource, workloadKey } from './source.ts'

/** All durations in ms. */
export interface Measured {
  readonly pods: number
  readonly workloads: number
  /** from nothing until the revision is healthy, by the clock and in processor time */
  readonly convergence: number
  readonly convergenceCpu: number
  /** of all passes until convergence */
  readonly passMedian: number
  readonly passP99: number
  /** processor time of everything that follows from one change, until all is healthy again */
  readonly commitCpu: number
  readonly scaleCpu: number
  readonly deathCpu: number
  readonly commitFirstStep: number
  readonly commitHealthy: number
  readonly deathFirstStep: number
  readonly deathHealthy: number
  /** processor time in one second of rest */
  readonly idleCpu: number
  /** processor time of each */
  readonly scrape: number
  readonly scrapeBytes: number
  readonly status: number
  readonly heapMb: number
  readonly rssMb: number
  /** sent to the router for one commit */
  readonly commitRouterBytes: number
}

const ROUNDS = 5
/** Usage is sampled every 15 s, which is part of being at rest. */
const REST_MS = 15_000
/** Nothing takes more processor time than this until it is healthy: ms, and for each pod. */
const PATIENCE_MS = 60_000
const PATIENCE_A_POD_MS = 20
/** Who waits without working waits for ever: by the clock it gets so many times as much. */
const CLOCK_FACTOR = 10

const [pods = 1_000, workloads = 100] = process.argv.slice(2).map(Number)
const dir = mkdtempSync(join(tmpdir(), 'trireme-scale-'))
try {
  process.stdout.write(`${JSON.stringify(await measure())}\n`)
} finally {
  rmSync(dir, { recursive: true })
}
process.exit()

async function measure(): Promise<Measured> {
  const replicas = pods / workloads
  const engine = scaleEngine(Date.now)
  const source = scaleSource(workloads, replicas, Date.now)
  const passes: number[] = []
  const [started, cpuBefore] = [performance.now(), spent()]
  const daemon = startDaemon({
    engine: engine.engine,
    source,
    dataDir: dir,
    subnet: '10.0.0.0/8',
    passed: (_, seconds) => passes.push(seconds * 1000),
  })
  await healthy(daemon)
  const convergence = performance.now() - started
  const convergenceCpu = spent() - cpuBefore
  const sorted = passes.toSorted((a, b) => a - b)
  const idleCpu = await rest(REST_MS)
  const lab = { daemon, engine, idleCpu }
  const commits = []
  const scales = []
  const deaths = []
  for (let round = 0; round < ROUNDS; round++) {
    const index = Math.floor((workloads * (round + 0.5)) / ROUNDS)
    const commit = async (change: Parameters<typeof source.commit>[1]): Promise<void> => {
      source.commit(index, change)
      await daemon.running()?.poll()
    }
    commits.push(await observe(lab, () => commit({ version: 2 })))
    scales.push(await observe(lab, () => commit({ replicas: replicas + 1 })))
    deaths.push(await observe(lab, () => engine.removeOne(workloadKey(index), round)))
  }
  let scrapeBytes = 0
  const scrape = await timed(async () => {
    scrapeBytes = 0
    for await (const piece of daemon.metrics.metrics()) scrapeBytes += piece.length
  })
  const status = await timed(async () => void JSON.stringify(daemon.status()))
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return {
    pods,
    workloads,
    convergence,
    convergenceCpu,
    passMedian: sorted[Math.floor(sorted.length / 2)] ?? 0,
    passP99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    commitCpu: median(commits.map(({ cpu }) => cpu)),
    scaleCpu: median(scales.map(({ cpu }) => cpu)),
    deathCpu: median(deaths.map(({ cpu }) => cpu)),
    commitFirstStep: median(commits.map(({ firstStep }) => firstStep)),
    commitHealthy: median(commits.map(({ healthyAgain }) => healthyAgain)),
    deathFirstStep: median(deaths.map(({ firstStep }) => firstStep)),
    deathHealthy: median(deaths.map(({ healthyAgain }) => healthyAgain)),
    idleCpu,
    scrape,
    scrapeBytes,
    status,
    heapMb: heapUsed / 2 ** 20,
    rssMb: rss / 2 ** 20,
    commitRouterBytes: median(commits.map(({ routerBytes }) => routerBytes)),
  }
}

interface Lab {
  readonly daemon: ScaleDaemon
  readonly engine: ScaleEngine
  readonly idleCpu: number
}

async function observe({ daemon, engine, idleCpu }: Lab, change: () => Promise<void>) {
  const [cpuBefore, before, bytesBefore, madeBefore] = [spent(), performance.now(), engine.routerBytes(), engine.made()]
  await change()
  let firstStep = 0
  while (firstStep === 0) {
    if (engine.made() > madeBefore) firstStep = performance.now() - before
    else await sleep(1)
  }
  await healthy(daemon)
  const healthyAgain = performance.now() - before
  const cpu = Math.max(0, spent() - cpuBefore - (idleCpu * healthyAgain) / 1000)
  const routerBytes = engine.routerBytes() - bytesBefore
  await settled(daemon)
  return { firstStep, healthyAgain, cpu, routerBytes }
}

/** The newest revision is healthy, and every workload of it is at this moment. */
async function healthy(daemon: ScaleDaemon): Promise<void> {
  const patience = PATIENCE_MS + pods * PATIENCE_A_POD_MS
  const [spentBy, until] = [spent() + patience, performance.now() + CLOCK_FACTOR * patience]
  while (daemon.running()?.sync.settled() !== true) {
    if (spent() > spentBy || performance.now() > until)
      throw new Error(`not healthy after ${patience} ms of processor time: ${JSON.stringify(daemon.running()?.sync.status())}`)
    await sleep(Math.min(250, 5 + pods / 200))
  }
}

/** Nothing is under way or due: what one change leaves to do is not charged to the next. */
async function settled(daemon: ScaleDaemon): Promise<void> {
  const loop = daemon.running()?.loop
  while ((loop?.queue.size() ?? 0) > 0 || (loop?.executor.inFlight.size ?? 0) > 0) await sleep(20)
  await sleep(200)
}

async function rest(ms: number): Promise<number> {
  const before = spent()
  await sleep(ms)
  return ((spent() - before) * 1000) / ms
}

/** Processor time, median of three. */
async function timed(work: () => Promise<void>): Promise<number> {
  const times = []
  for (let run = 0; run < 3; run++) {
    const before = spent()
    await work()
    times.push(spent() - before)
  }
  return median(times)
}

function spent(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
