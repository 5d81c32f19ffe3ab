/**
 * Running a function on many hostile inputs. `TRIREME_FUZZ_RUNS` multiplies the number of inputs, `TRIREME_FUZZ_SEED`
 * repeats a run, and `TRIREME_FUZZ_COUNT` names a file that takes one line of how many inputs each test has tried.
 */
import { appendFileSync } from 'node:fs'
import fc from 'fast-check'

const factor = Number(process.env.TRIREME_FUZZ_RUNS ?? 1)
/** Of a test that tries many inputs, however many are asked for. */
export const patienceMs = 60_000 * Math.max(1, factor)
const seed = process.env.TRIREME_FUZZ_SEED

/** Milliseconds of this thread's own work that one input may take, however busy the machine is. */
const mostCpuMs = 1000

/** Milliseconds after which an input that does nothing any more counts as hanging; far above every deadline in the tests. */
const mostWaitMs = 15_000

/** Tries `runs` inputs (times the factor); each may take at most a second of computing. Shrinks what fails. */
export async function tryAll<T>(input: fc.Arbitrary<T>, runs: number, check: (input: T) => Promise<void> | void): Promise<void> {
  let tried = 0
  const property = fc.asyncProperty(input, async (one) => {
    tried += 1
    await withinASecond(() => check(one))
  })
  const numRuns = Math.max(1, Math.round(runs * factor))
  try {
    await fc.assert(property, { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) })
  } finally {
    count(tried)
  }
}

/** Errors: when `work` computes for longer than a second, or never ends. */
export async function withinASecond<T>(work: () => Promise<T> | T): Promise<T> {
  const before = process.threadCpuUsage()
  const hung = Promise.withResolvers<never>()
  const timer = setTimeout(() => hung.reject(new Error(`one input was not done with after ${mostWaitMs} ms`)), mostWaitMs)
  const result = await Promise.race([(async () => work())(), hung.promise]).finally(() => clearTimeout(timer))
  const { user, system } = process.threadCpuUsage(before)
  const ms = (user + system) / 1000
  if (ms > mostCpuMs) throw new Error(`one input took ${Math.round(ms)} ms of computing, more than ${mostCpuMs}`)
  return result
}

function count(inputs: number): void {
  const file = process.env.TRIREME_FUZZ_COUNT
  if (file !== undefined) appendFileSync(file, `${inputs}\n`)
}
