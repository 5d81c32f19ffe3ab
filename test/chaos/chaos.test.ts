/**
 * Whatever can be done by hand, to an application under load, in an order that a seed gives, with the daemon killed at
 * random moments. What is played here in minutes is played for as long as one likes by `npm run chaos`.
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitSeed } from '../support/commitseed.ts'
import { report } from './report.ts'
import { run } from './run.ts'
import { WAYS } from './ways.ts'

const SEED = Number(process.env.TRIREME_CHAOS_SEED ?? commitSeed() % 2 ** 31)
const MINUTES = Number(process.env.TRIREME_CHAOS_MINUTES ?? 1.75)
/** Of the daemon. On a machine that is too slow for them in this time, more of it is given: up to twice as much. */
const KILLS = 50

test('it heals, nothing is left over, and nothing is lost that a healthy replica could have answered', {
  timeout: (2 * MINUTES + 4) * 60_000,
}, async (context) => {
  const logFile = join(tmpdir(), `trireme-chaos-${process.pid}.log`)
  const startedAt = performance.now()
  const goOn = (kills: number): boolean => {
    const minutes = (performance.now() - startedAt) / 60_000
    return minutes < MINUTES || (kills < KILLS && minutes < 2 * MINUTES)
  }
  const outcome = await run({ seed: SEED, only: [], logFile, say: () => undefined, goOn })
  const said = report(outcome)
  await context.annotate(said)
  const { judgement, refusals, broken, traffic } = outcome
  expect({ broken, refusals, lost: judgement.bugs }, `${said}\nthe daemons wrote to ${logFile}`).toEqual({
    broken: '',
    refusals: [],
    lost: [],
  })
  for (const way of WAYS) expect(traffic.answers.get(way)).toBeGreaterThan(100)
  rmSync(logFile)
})
