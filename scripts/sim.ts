/**
 * `npm run sim`: the whole daemon in simulated worlds, each from its seed.
 *
 *   npm run sim -- --seed N                  replays one seed and prints everything that happens in it
 *   npm run sim -- --seeds N [--from M]      that many, from M on (default: fresh ones)
 *   npm run sim -- --minutes N [--from M]    as many as there is time for
 *
 * `--bail` stops at the first that fails, `--workers N` runs so many at a time (default: as many as there are processors).
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { runMany } from '../test/simulation/many.ts'
import { runSeed } from '../test/simulation/run.ts'
import type { Verdict } from '../test/simulation/worker.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    minutes: { type: 'string' },
    from: { type: 'string' },
    bail: { type: 'boolean', default: false },
    workers: { type: 'string' },
  },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)

// Not `exit`: what was written may still be on its way through a pipe.
process.exitCode = (values.seed === undefined ? await many() : await one(Number(values.seed))) ? 0 : 1

async function one(seed: number): Promise<boolean> {
  const { violation, trace, tally, virtualMs } = await runSeed(seed)
  for (const line of trace) say(line)
  say(`seed ${seed}: ${violation?.message ?? 'everything held'}`)
  say(JSON.stringify({ virtualSeconds: Math.round(virtualMs / 1000), ...tally }))
  return violation === undefined
}

async function many(): Promise<boolean> {
  const first = values.from === undefined ? Math.floor(Date.now() / 1000) * 1000 : Number(values.from)
  const startedAt = performance.now()
  const endsAt = values.minutes === undefined ? Number.POSITIVE_INFINITY : startedAt + Number(values.minutes) * 60_000
  const count = values.minutes === undefined ? Number(values.seeds) : Number.POSITIVE_INFINITY
  say(`seeds from ${first}, at ${commit()}`)
  const verdicts: Verdict[] = []
  let given = 0
  let failed = false
  await runMany({
    workers: values.workers === undefined ? undefined : Number(values.workers),
    next: () => (given < count && performance.now() < endsAt && !(failed && values.bail) ? first + given++ : undefined),
    onVerdict(verdict) {
      verdicts.push({ ...verdict, trace: [] })
      if (verdict.violation === '') return
      failed = true
      explain(verdict)
    },
  })
  return summarize(verdicts, (performance.now() - startedAt) / 1000)
}

function explain({ seed, violation, trace }: Verdict): void {
  for (const line of trace) say(`  ${line}`)
  say(`seed ${seed} at ${commit()}: ${violation}`)
  say(`  again: npm run sim -- --seed ${seed}`)
}

function summarize(verdicts: readonly Verdict[], seconds: number): boolean {
  const sum = (of: (verdict: Verdict) => number): number => verdicts.reduce((total, verdict) => total + of(verdict), 0)
  const failed = verdicts.filter(({ violation }) => violation !== '').length
  const faults = sum(({ faults: all }) => Object.values(all).reduce((a, b) => a + b, 0))
  say(
    `${verdicts.length} seeds, ${failed} failed: ${(sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(1)} virtual hours, ` +
      `${sum(({ commits }) => commits)} commits, ${faults} faults, ${sum(({ daemons }) => daemons)} daemons, ` +
      `${sum(({ operations }) => operations)} engine operations, in ${seconds.toFixed(0)} s (${(verdicts.length / seconds).toFixed(1)} seeds a second)`,
  )
  return failed === 0 && verdicts.length > 0
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'no commit'
  }
}
