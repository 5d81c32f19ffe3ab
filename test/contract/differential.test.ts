import { expect, test } from 'vitest'
import { EngineLab } from '../support/engine.ts'
import { type Operation, sequence } from './differential/operations.ts'
import { type EventBook, keepBook, Side } from './differential/side.ts'
import type { FreeTime } from './freetime.ts'
import { contractEngine, SimulatedLab, seededRandom } from './simulated.ts'

/** Sequences, the first seed, and how many at once; more of them with `TRIREME_DIFFERENTIAL=2000`. */
const count = Number(process.env.TRIREME_DIFFERENTIAL ?? 200)
const firstSeed = Number(process.env.TRIREME_DIFFERENTIAL_SEED ?? 1)
const lanes = 6
/** Not those of a run that was killed and left its networks. */
const firstSubnet = (process.pid % 42) * lanes
const length = 30
/** Differences that are told before it ends. */
const told = 10

/** How long the real engine may take until what it tells and shows is complete. */
const patienceMs = 8_000

test(`${count} random sequences of ${length} operations go the same way on Docker and in the simulation`, {
  timeout: 120_000 + count * 3_000,
}, async () => {
  const lab = new EngineLab('differential')
  const ended = new AbortController()
  const events = await keepBook(lab.engine, ended.signal)
  const seeds = Array.from({ length: count }, (_, i) => firstSeed + i)
  const failures: string[] = []
  const lane = async (number: number): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined && failures.length < told; seed = seeds.shift()) {
      const found = await differenceOf(seed, { lab, events, subnet: `10.247.${firstSubnet + number}` })
      if (found !== '') failures.push(found)
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)))
  ended.abort()
  expect(failures.join('\n')).toBe('')
})

interface Place {
  readonly lab: EngineLab
  readonly events: EventBook
  readonly subnet: string
}

/** Runs one sequence on both; the first difference with everything that led to it, or `''`. */
async function differenceOf(seed: number, place: Place): Promise<string> {
  const prefix = `${place.lab.run}-${seed}`
  const { engine, time } = contractEngine(seed)
  const ended = new AbortController()
  const real = new Side({ ...place, prefix })
  const simulated = new Side({
    lab: new SimulatedLab('differential', engine),
    events: await keepBook(engine, ended.signal),
    prefix,
    subnet: place.subnet,
  })
  try {
    const operations = sequence(seededRandom(seed), length)
    for (const [index, operation] of operations.entries()) {
      const found = await compare(operation, real, simulated, time)
      if (found !== '') return report(seed, operations.slice(0, index + 1), found)
    }
    return ''
  } finally {
    ended.abort()
    await real.clean()
  }
}

/** Does one operation on both and waits for what follows from it. */
async function compare(operation: Operation, real: Side, simulated: Side, time: FreeTime): Promise<string> {
  const [outcome, expected] = await Promise.all([real.perform(operation), simulated.perform(operation)])
  if (outcome !== expected) return `Docker: ${outcome}; simulation: ${expected}`
  await time.settled()
  const events = await settled(async () => real.told(), simulated.told())
  if (events !== '') return `events: ${events}`
  const state = await settled(() => real.state(), await simulated.state())
  return state === '' ? '' : `state: ${state}`
}

/** Asks until the answer is the expected one; `''` then, or both after a while. */
async function settled(ask: () => Promise<unknown>, expected: unknown): Promise<string> {
  const wanted = JSON.stringify(expected)
  const deadline = performance.now() + patienceMs
  for (;;) {
    const seen = JSON.stringify(await ask())
    if (seen === wanted) return ''
    if (performance.now() > deadline) return `\n  Docker:     ${seen}\n  simulation: ${wanted}`
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function report(seed: number, operations: readonly Operation[], found: string): string {
  const lines = operations.map((operation, index) => `  ${index} ${JSON.stringify(operation)}`)
  return `seed ${seed} (TRIREME_DIFFERENTIAL_SEED=${seed} TRIREME_DIFFERENTIAL=1):\n${lines.join('\n')}\n${found}`
}
