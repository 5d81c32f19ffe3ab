/**
 * `npm test`: the fast suites, then simulated worlds, then those that need a real engine, and one line that sums them up.
 *
 *   npm test [-- --fast] [path...]
 *
 * Paths narrow both; `--fast` leaves out the simulated worlds and the engine.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Totals {
  readonly passed: number
  readonly failed: number
}

const args = process.argv.slice(2)
const paths = args.filter((arg) => arg !== '--fast')
const projects = args.includes('--fast') ? ['fast'] : ['fast', 'simulation', 'engine']
const folder = mkdtempSync(join(tmpdir(), 'trireme-test-'))

/** Runs one project. A run that ends without a report, or fails outside of any test, counts as one failure. */
function runProject(project: string): Totals {
  const report = join(folder, `${project}.json`)
  const filters = paths.length > 0 ? [...paths, '--passWithNoTests'] : []
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const env = { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' }
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters, ...filters],
    { stdio: 'inherit', env },
  )
  if (!existsSync(report)) return { passed: 0, failed: status === 0 ? 0 : 1 }
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number
    numFailedTests: number
  }
  return { passed: numPassedTests, failed: status === 0 ? numFailedTests : Math.max(numFailedTests, 1) }
}

const started = performance.now()
const totals = projects.map(runProject)
rmSync(folder, { recursive: true })
const sum = (key: keyof Totals) => totals.reduce((total, each) => total + each[key], 0)
console.log(`${sum('passed')} passed, ${sum('failed')} failed in ${((performance.now() - started) / 1000).toFixed(0)} s`)
process.exit(sum('failed') > 0 ? 1 : 0)
