/**
 * `npm run chaos`: everything that can happen by hand, one thing after another, to an application under load.
 *
 *   npm run chaos [-- --minutes 10] [--seed N] [--only 'act,act'] [--log file]
 *
 * As root on Linux, on an engine of its own. The same seed plays the same script; how quickly is the machine's.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { acts } from '../test/chaos/acts/all.ts'
import { report } from '../test/chaos/report.ts'
import { run } from '../test/chaos/run.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string', default: '' },
    log: { type: 'string', default: join(tmpdir(), `trireme-chaos-${process.pid}.log`) },
  },
})
const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
const only = values.only.split(',').filter((name) => name !== '')
const unknown = only.filter((name) => !acts.some((act) => act.name === name))
if (!Number.isFinite(minutes) || !Number.isInteger(seed) || unknown.length > 0) {
  process.stderr.write(`chaos: --minutes and --seed take numbers, --only some of: ${acts.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
say(`seed ${seed}; the daemons write to ${values.log}`)
const endsAt = performance.now() + minutes * 60_000
const stopped = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort())
const outcome = await run({
  seed,
  only,
  logFile: values.log,
  say,
  signal: stopped.signal,
  goOn: () => performance.now() < endsAt,
})
say(report(outcome))
const { judgement, refusals, broken } = outcome
process.exit(judgement.bugs.length === 0 && refusals.length === 0 && broken === '' ? 0 : 1)
