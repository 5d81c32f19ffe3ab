/**
 * `npm run sim`: the whole daemon in simulated worlds, seed by seed.
 *
 *   npm run sim -- --seed N            one seed, with everything that happened in it
 *   npm run sim -- --seeds N [--from M]
 */
import { parseArgs } from 'node:util'
import { runSeed } from '../test/simulation/run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const first = Number(values.seed ?? values.from)
const count = values.seed === undefined ? Number(values.seeds) : 1
let failed = 0
let virtualMs = 0
const started = performance.now()
for (let seed = first; seed < first + count; seed++) {
  const { violation, trace, tally, ...outcome } = await runSeed(seed)
  virtualMs += outcome.virtualMs
  if (values.seed !== undefined) for (const line of trace) say(line)
  if (violation !== undefined) {
    failed += 1
    say(`seed ${seed}: ${violation.message}`)
  }
  if (values.seed !== undefined) say(JSON.stringify(tally))
}
const seconds = (performance.now() - started) / 1000
say(`${count} seeds, ${failed} failed, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours in ${seconds.toFixed(1)} s`)
process.exit(failed === 0 ? 0 : 1)
