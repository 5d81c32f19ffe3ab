/** Ten thousand objects from bytes to steps, in a process of its own: nothing is warm before the first time. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median, type Row } from '../bench.ts'

const PROGRAM = fileURLToPath(new URL('../plan10k.ts', import.meta.url))
const LAUNCHER = fileURLToPath(new URL('../../../bin/trireme', import.meta.url))
const exec = promisify(execFile)

export interface PlanTimes {
  readonly objects: number
  readonly coldMs: number
  /** one file changed, several times in a row */
  readonly changedMs: readonly number[]
  /** processor time, ms; `… again` for the mean of the changes */
  readonly stages: Readonly<Record<string, number>>
}

export async function benchPlan({
  quick,
  say,
}: {
  readonly quick: boolean
  readonly say: (line: string) => void
}): Promise<Row[]> {
  const all: PlanTimes[] = []
  for (let run = 0; run < (quick ? 1 : 3); run++) {
    const { stdout } = await exec(process.execPath, [...daemonFlags(), PROGRAM])
    const times = JSON.parse(stdout) as PlanTimes
    all.push(times)
    const stages = Object.entries(times.stages).map(([stage, ms]) => `${stage} ${ms.toFixed(0)}`)
    say(
      `${times.objects} objects: cold ${times.coldMs.toFixed(0)} ms (${stages.join(', ')}), one change ${median(times.changedMs).toFixed(0)} ms`,
    )
  }
  const cold = median(all.map(({ coldMs }) => coldMs))
  const changed = median(all.flatMap(({ changedMs }) => changedMs))
  return [
    {
      what: '10,000 objects: read, check, diff, plan; cold',
      trireme: cold,
      unit: 'ms',
      aim: 'under 3 s',
      met: cold < 3_000,
      note: '2,500 applications of Deployment, Service, ConfigMap and Secret, a file each; the process begins cold',
    },
    {
      what: '10,000 objects: one file changed',
      trireme: changed,
      unit: 'ms',
      aim: 'under 50 ms',
      met: changed < 50,
      note: `a ConfigMap and a Deployment in it; ${processor(all, true)} ms of processor time, ${processor(all, false)} ms when cold`,
    },
  ]
}

/** What the daemon is started with: it trades some speed for memory. */
function daemonFlags(): string[] {
  const flags = /^flags="(.*)"$/m.exec(readFileSync(LAUNCHER, 'utf8'))?.[1]
  if (flags === undefined) throw new Error(`${LAUNCHER} does not say how the daemon is started`)
  return flags.split(' ')
}

function processor(all: readonly PlanTimes[], again: boolean): string {
  const sums = all.map(({ stages }) =>
    Object.entries(stages).reduce((sum, [name, ms]) => (name.endsWith(' again') === again ? sum + ms : sum), 0),
  )
  return median(sums).toFixed(0)
}
