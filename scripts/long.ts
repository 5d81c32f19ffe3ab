/**
 * `npm run test:long`: suites that try what comes by chance, again and again with other seeds, until the time is over.
 *
 *   npm run test:long [-- --minutes 60] [--seed 1] [--runs 10] [suite...]
 *
 * Each round says its seed, with which `--seed` repeats it, how many inputs it tried, and whether they held.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

interface Round {
  readonly ok: boolean
  /** inputs tried */
  readonly inputs: number
  /** what to show of a round that failed */
  readonly output: string
}

interface Suite {
  readonly name: string
  /** @param runs how many times as much as in CI */
  readonly round: (seed: number, runs: number) => Round
  /** needs root and Docker, so that it is asked for by name */
  readonly onlyNamed?: boolean
}

const SUITES: readonly Suite[] = [
  { name: 'simulation', round: simulation },
  { name: 'fuzz', round: fuzz },
  { name: 'chaos', round: chaos, onlyNamed: true },
]

/** Simulated worlds from `seed` on, fifty for each run. */
function simulation(seed: number, runs: number): Round {
  const seeds = 50 * runs
  const args = ['scripts/sim.ts', '--seeds', String(seeds), '--from', String(seed * 10_000)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 256 << 20 })
  return { ok: status === 0, inputs: seeds, output: `${stdout}${stderr}`.slice(-20_000) }
}

/** Chaos on a real engine, a minute for each run. */
function chaos(seed: number, runs: number): Round {
  const args = ['scripts/chaos.ts', '--minutes', String(runs), '--seed', String(seed)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 256 << 20 })
  const scenes = /(\d+) scenes/.exec(stdout)?.[1] ?? '0'
  return { ok: status === 0, inputs: Number(scenes), output: `${stdout}${stderr}`.slice(-20_000) }
}

/** One run of the fuzz tests over `runs` times their usual number of inputs. */
function fuzz(seed: number, runs: number): Round {
  const counts = join(folder, 'counts')
  const env = {
    ...process.env,
    NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
    TRIREME_FUZZ_SEED: String(seed),
    TRIREME_FUZZ_RUNS: String(runs),
    TRIREME_FUZZ_COUNT: counts,
  }
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'fast', '--reporter=dot', 'test/fuzz']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8', maxBuffer: 256 << 20 })
  const tried = existsSync(counts) ? readFileSync(counts, 'utf8').split('\n').map(Number) : []
  rmSync(counts, { force: true })
  return { ok: status === 0, inputs: tried.reduce((sum, count) => sum + count, 0), output: `${stdout}${stderr}`.slice(-20_000) }
}

const { values, positionals } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    runs: { type: 'string', default: '10' },
  },
  allowPositionals: true,
})
const [minutes, first, runs] = [values.minutes, values.seed, values.runs].map(Number) as [number, number, number]
const suites = SUITES.filter(({ name, onlyNamed }) =>
  positionals.length === 0 ? onlyNamed !== true : positionals.includes(name),
)
if (suites.length === 0 || ![minutes, first, runs].every(Number.isFinite)) {
  console.error(`usage: npm run test:long [-- --minutes 60] [--seed 1] [--runs 10] [${SUITES.map(({ name }) => name).join('|')}]`)
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'trireme-long-'))
const end = performance.now() + minutes * 60_000
const totals = { rounds: 0, inputs: 0, failed: 0 }
do {
  for (const { name, round } of suites) {
    const seed = first + totals.rounds
    const started = performance.now()
    const { ok, inputs, output } = round(seed, runs)
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    totals.rounds += 1
    totals.inputs += inputs
    totals.failed += ok ? 0 : 1
    console.log(`${name}: seed ${seed}, ${inputs} inputs in ${seconds} s: ${ok ? 'ok' : 'FAILED'}`)
    if (!ok) console.log(output.replace(/^/gm, '  '))
  }
} while (performance.now() < end)
rmSync(folder, { recursive: true })
console.log(`${totals.rounds} rounds, ${totals.inputs} inputs, ${totals.failed} failed`)
process.exit(totals.failed > 0 ? 1 : 0)
