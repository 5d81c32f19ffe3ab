/** The suites that a mutant has to get past, the cheapest first. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from '../../test/mutants/mutant.ts'
import { headCommit } from '../../test/support/commitseed.ts'
import type { Place } from './place.ts'

export interface Verdict {
  /** the suite that noticed, `''` for none */
  readonly suite: string
  /** the test or the seed, and what it says; `undefined` for a mutant that survived */
  readonly killer: string | undefined
  /** why the failure of a suite says nothing about the mutant, `''` where it does */
  readonly doubt: string
  readonly seconds: number
}

/** A test or seed that failed, and how it is asked again. */
interface Failed {
  readonly what: string
  readonly again: Asked
}

/** What is run: arguments for Node, and what is added to the environment. */
interface Asked {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

interface Suite {
  readonly name: string
  /** `undefined` for a suite that has nothing to say of this mutant */
  readonly asked: (mutant: Mutant, place: Place) => Asked | undefined
  readonly failure: (place: Place, output: string) => Failed
}

/** A mutant that makes something go on for ever is noticed too: ms. */
const PATIENCE_MS = 600_000
const REPORT = 'mutant-report.json'
/** In the copies chance is that of the commit, so that a test that failed can be asked again. */
const COMMIT = headCommit()
const VITEST = ['--run', '--config=test/mutants/vitest.config.ts', '--maxWorkers=1', '--no-isolate', '--bail=1']
const REPORTING = ['--reporter=json', `--outputFile.json=${REPORT}`]

function vitest(tests: string, ...what: readonly string[]): Asked {
  return { args: ['node_modules/vitest/vitest.mjs', ...what, ...VITEST, ...REPORTING], env: { MUTANT_TESTS: tests } }
}

function simulate(first: number, count: number): Asked {
  return { args: ['scripts/sim.ts', '--from', String(first), '--seeds', String(count), '--bail', '--workers', '1'], env: {} }
}

function suites(seeds: number): Suite[] {
  return [
    {
      name: 'own tests',
      asked({ file }, { folder }) {
        const own = file.replace(/^src\/(.*)\.ts$/, 'test/unit/$1.test.ts')
        return existsSync(join(folder, own)) ? vitest(own) : undefined
      },
      failure: failedTest,
    },
    // Of all others only those that import the file, however indirectly: no other can tell.
    { name: 'unit tests', asked: ({ file }) => vitest('test/unit/**/*.test.ts', 'related', file), failure: failedTest },
    { name: 'properties', asked: ({ file }) => vitest('test/property/**/*.test.ts', 'related', file), failure: failedTest },
    { name: 'scenarios', asked: ({ file }) => vitest('test/simulation/*.test.ts', 'related', file), failure: failedTest },
    { name: 'seeds', asked: () => (seeds === 0 ? undefined : simulate(1, seeds)), failure: failedSeed },
  ]
}

/** Which suite notices the mutant. */
export async function hunt(mutant: Mutant, place: Place, seeds: number): Promise<Verdict> {
  const startedAt = performance.now()
  const seconds = (): number => (performance.now() - startedAt) / 1000
  try {
    const [suite, killer] = (await findKiller(mutant, place, seeds)) ?? ['', undefined]
    return { suite, killer, doubt: '', seconds: seconds() }
  } catch (error) {
    if (!(error instanceof ProvesNothing)) throw error
    return { suite: '', killer: undefined, doubt: error.message, seconds: seconds() }
  }
}

class ProvesNothing extends Error {}

/** The suite and what fails in it. A failure counts when the same test fails again, and passes without the mutant. */
async function findKiller(mutant: Mutant, place: Place, seeds: number): Promise<[string, string] | undefined> {
  for (const { name, asked: ask, failure } of suites(seeds)) {
    const asked = ask(mutant, place)
    if (asked === undefined) continue
    place.breakIt(mutant)
    const { ok, output } = await node(place, asked).finally(() => place.mend(mutant))
    if (ok) continue
    const { what, again } =
      output === undefined ? { what: `no end in ${PATIENCE_MS / 1000} s`, again: asked } : failure(place, output)
    await prove(mutant, again, place, what)
    return [name, what]
  }
  return undefined
}

/** What has passed without any mutant. */
const proved = new Set<string>()

async function prove(mutant: Mutant, asked: Asked, place: Place, what: string): Promise<void> {
  place.breakIt(mutant)
  const again = await node(place, asked).finally(() => place.mend(mutant))
  if (again.ok) throw new ProvesNothing(`${what}: fails only sometimes`)
  const text = JSON.stringify(asked)
  if (proved.has(text)) return
  const without = await node(place, asked)
  if (!without.ok) throw new ProvesNothing(`${what}: fails without the mutant too\n${without.output ?? ''}`)
  proved.add(text)
}

const running = new Set<() => void>()

/** Ends whatever runs, for whoever is told to stop. */
export function endAll(): void {
  for (const end of running) end()
}

/** @returns whether it ended well, and what it printed; `undefined` when it had to be ended */
function node({ folder }: Place, asked: Asked): Promise<{ readonly ok: boolean; readonly output: string | undefined }> {
  rmSync(join(folder, REPORT), { force: true })
  const env = { ...process.env, TRIREME_COMMIT: COMMIT, ...asked.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' }
  // A group of its own, so that nothing it started outlives it.
  const child = spawn(process.execPath, asked.args, { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = (): void => void process.kill(-(child.pid ?? 0), 'SIGKILL')
  let output = ''
  let late = false
  const listen = (text: string): void => {
    output += text
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', listen)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      late = true
      end()
    }, PATIENCE_MS)
    running.add(end)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      running.delete(end)
      resolve({ ok: code === 0, output: late ? undefined : output })
    })
  })
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

function failedTest({ folder }: Place, output: string): Failed {
  if (!existsSync(join(folder, REPORT))) throw new ProvesNothing(`the suite ended without a report:\n${output}`)
  const { testResults } = JSON.parse(readFileSync(join(folder, REPORT), 'utf8')) as Report
  for (const { name, message, assertionResults } of testResults) {
    const file = name.slice(name.indexOf('test/'))
    const failed = assertionResults.find(({ status }) => status === 'failed')
    const why = failed?.failureMessages[0] ?? message
    if (failed === undefined && why === '') continue
    // A mutant that does not even run says nothing about the tests.
    if (/^(ReferenceError|SyntaxError)/.test(why)) throw new ProvesNothing(`${file}: the mutant does not run: ${why}`)
    return { what: `${file}: ${failed?.fullName ?? why.slice(0, 200)}`, again: vitest(file) }
  }
  throw new ProvesNothing(`the suite failed and names no test:\n${output}`)
}

function failedSeed(_: Place, output: string): Failed {
  const [, seed, why] = /^seed (\d+) at [^:]*: (.*)$/m.exec(output) ?? []
  if (seed === undefined) throw new ProvesNothing(`the simulation failed and names no seed:\n${output}`)
  if (/ReferenceError|SyntaxError/.test(output)) throw new ProvesNothing(`the mutant does not run: ${why}`)
  return { what: `seed ${seed}: ${why}`, again: simulate(Number(seed), 1) }
}
