/** What the daemon costs while nothing happens. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileOf, keyOf, manifests } from '../app.ts'
import type { Bench, Row } from '../bench.ts'
import { servingPods, type Trireme, workload } from '../trireme.ts'
import { until } from '../wait.ts'

const NAMES = ['idle-a', 'idle-b', 'idle-c', 'idle-d', 'idle-e']
const SETTLE_MS = 15_000
/** Asking is work for the daemon too, and the answer is long. */
const SLOWLY = { limitMs: 300_000, everyMs: 1_000 }
/** Of the kernel's clock, a second; the same on every Linux that Node runs on. */
const TICKS = 100

export async function benchIdle(bench: Bench, trireme: Trireme): Promise<Row[]> {
  const pods = bench.quick ? 30 : 100
  const windowMs = bench.quick ? 20_000 : 50_000
  const pid = trireme.process.pid ?? 0
  const each = pods / NAMES.length
  await trireme.push(Object.fromEntries(NAMES.map((name) => [fileOf(name), manifests(name, '1', { replicas: each })])))
  const served = async (): Promise<boolean> => {
    const status = await trireme.status()
    return NAMES.every((name) => servingPods(status, keyOf(name)).length === each)
  }
  await until(`${pods} pods serve`, served, SLOWLY)
  // Restart policies and probe intervals settle first, as after any rollout.
  await delay(SETTLE_MS)
  const before = cpuSeconds(pid)
  await delay(windowMs)
  const percent = ((cpuSeconds(pid) - before) / (windowMs / 1000)) * 100
  const resident = memory(pid, 'VmRSS')
  bench.say(
    `idle with ${pods} pods: ${percent.toFixed(1)} % of a core, ${resident.toFixed(0)} MB, ${memory(pid, 'VmHWM').toFixed(0)} MB at most`,
  )
  await trireme.push(Object.fromEntries(NAMES.map((name) => [fileOf(name), null])))
  await until(
    'the workloads are gone',
    async () => {
      const status = await trireme.status()
      return NAMES.every((name) => workload(status, keyOf(name)) === undefined)
    },
    SLOWLY,
  )
  return [
    {
      what: `idle with ${pods} pods: memory`,
      trireme: resident,
      unit: 'MB',
      aim: 'under 120 MB',
      met: resident < 120,
      note: `resident set of the daemon, ${memory(pid, 'RssAnon').toFixed(0)} MB of it its own; ${memory(pid, 'VmHWM').toFixed(0)} MB at most since its start`,
    },
    {
      what: `idle with ${pods} pods: CPU`,
      trireme: percent,
      unit: '%',
      aim: 'under 10 % of a core',
      met: percent < 10,
      note: `of one core, over ${windowMs / 1000} s, each pod probed every 2 s`,
    },
  ]
}

/** Time on a processor since the start: utime and stime, fields 14 and 15. @see proc(5) */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

function memory(pid: number, field: 'VmRSS' | 'VmHWM' | 'RssAnon'): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}
