/**
 * `npm run bench`: what Trireme takes for what its users wait for, beside Docker's own Swarm on the same engine.
 *
 *   npm run bench [-- --quick] [--markdown] [--only heal,create,roll,push,service,plan,idle]
 *
 * As root on Linux it starts an engine of its own, in a network namespace of its own, and leaves this machine's
 * engine and its swarm state alone. Elsewhere only `plan` can be measured, which needs none.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { NODE_IMAGE } from '../src/runtime/images.ts'
import type { Row } from '../test/bench/bench.ts'
import { benchPlan } from '../test/bench/cases/plan.ts'
import { renderMarkdown, renderTable } from '../test/bench/table.ts'
import { openOwnEngine, ownEngineObstacle } from '../test/support/ownengine.ts'

const INSIDE = fileURLToPath(new URL('../test/bench/inside.ts', import.meta.url))
const CASES = ['heal', 'create', 'roll', 'push', 'service', 'plan', 'idle'] as const
const IMAGES = [NODE_IMAGE, 'trireme/stub:1', 'trireme/demo:v1']

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    only: { type: 'string', default: CASES.join() },
  },
})
const chosen = values.only.split(',').filter((name) => name !== '')
const wrong = chosen.filter((name) => !CASES.some((known) => known === name))
if (wrong.length > 0) {
  process.stderr.write(`bench: --only ${wrong.join()}: choose from ${CASES.join()}\n`)
  process.exit(2)
}

const say = (line: string): void => void process.stdout.write(`  ${line}\n`)
const rows: Row[] = []
const onEngine = chosen.filter((name) => name !== 'plan')
if (onEngine.length > 0) rows.push(...(await measureOnEngine(onEngine)))
if (chosen.includes('plan')) rows.push(...(await benchPlan({ quick: values.quick, say })))
process.stdout.write(`\n${values.markdown ? renderMarkdown(rows) : renderTable(rows)}\n`)
process.exit(rows.every(({ met }) => met) ? 0 : 1)

async function measureOnEngine(cases: readonly string[]): Promise<readonly Row[]> {
  const obstacle = ownEngineObstacle()
  if (obstacle !== '') {
    say(`left out: ${cases.join(', ')}: ${obstacle}`)
    return []
  }
  say(`starting an engine of its own with ${IMAGES.join(', ')}`)
  const lab = await openOwnEngine('bench', IMAGES)
  const stop = (): void => void lab.close().then(() => process.exit(130))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await runInside(lab, cases)
  } finally {
    await lab.close()
  }
}

/** Addresses of pods and of the daemon exist only in the engine's network namespace: so the work is done there. */
async function runInside(
  lab: { readonly enter: readonly string[]; readonly host: string; readonly dir: string },
  cases: readonly string[],
) {
  const results = join(mkdtempSync(join(tmpdir(), 'trireme-bench-rows-')), 'rows.json')
  appendFileSync(results, '')
  const [command = '', ...words] = [
    ...[...lab.enter, process.execPath, '--disable-warning=ExperimentalWarning', INSIDE],
    ...[lab.host, lab.dir, results, values.quick ? 'quick' : 'full', cases.join()],
  ]
  const child = spawn(command, words, { stdio: 'inherit' })
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  const text = readFileSync(results, 'utf8')
  rmSync(join(results, '..'), { recursive: true })
  if (code !== 0) throw new Error('the measurements ended early')
  return JSON.parse(text) as Row[]
}
