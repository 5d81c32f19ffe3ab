/**
 * Runs applications that others wrote, with a stub in place of every image, on the real engine:
 * `node scripts/run.mjs test/e2e/applications.ts [--keep] [--allow EXCEPTION,...] DIR|FILE...`, one after the other.
 *
 * Each is committed to a repository of its own and followed by a daemon of its own. All workloads that validation
 * lets through must become Ready, all Services with pods behind them must answer, and one Deployment is rolled and
 * rolled back under load. Exits with 0 only if all of that held and no request was lost. `--keep` leaves the
 * containers of each where they are, `--allow` lets pods have what the baseline policy refuses.
 */
import { parseArgs } from 'node:util'
import { policies } from '../../src/model/policy.ts'
import { type Broken, passed, renderOutcome, renderSummary } from '../support/applications/report.ts'
import { type Outcome, runApplication } from '../support/applications/story.ts'
import type { DaemonLab } from '../support/daemon.ts'

const { values, positionals: paths } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, allow: { type: 'string', default: '' } },
  allowPositionals: true,
})
const { keep } = values
const allow = policies.filter((policy) => values.allow.split(',').includes(policy))
if (paths.length === 0) {
  process.stderr.write('usage: applications.ts [--keep] [--allow EXCEPTION,...] DIR|FILE...\n')
  process.exit(2)
}

let current: DaemonLab | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    const removed = keep ? undefined : current?.remove()
    void Promise.resolve(removed).finally(() => process.exit(130))
  })

const outcomes: (Outcome | Broken)[] = []
for (const path of paths) {
  process.stdout.write(`${path}\n`)
  try {
    const outcome = await runApplication(path, {
      keep,
      allow,
      tell: (line) => process.stdout.write(`    ${line}\n`),
      opened: (lab) => {
        current = lab
      },
    })
    outcomes.push(outcome)
    process.stdout.write(renderOutcome(outcome))
  } catch (error) {
    outcomes.push({ name: path, error: (error as Error).message })
    process.stdout.write(`  ${(error as Error).stack}\n`)
  }
}
process.stdout.write(`\n${renderSummary(outcomes)}`)
process.exit(outcomes.every(passed) ? 0 : 1)
