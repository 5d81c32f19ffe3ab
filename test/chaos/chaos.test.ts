/**
 * Everything that can happen by hand, to an application under load. Every act once, in an order that its seed gives, with
 * the daemon killed at random moments; longer and with other seeds by `npm run chaos`.
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { report } from './report.ts'
import { run } from './run.ts'
import { WAYS } from './ways.ts'

const SEED = Number(process.env.TRIREME_CHAOS_SEED ?? 2026)
const MINUTES = Number(process.env.TRIREME_CHAOS_MINUTES ?? 2)

test('whatever is done by hand, it heals, nothing is left over, and nothing is lost that a healthy replica could have answered', {
  timeout: (MINUTES + 4) * 60_000,
}, async (context) => {
  const logFile = join(tmpdir(), `trireme-chaos-${process.pid}.log`)
  const endsAt = performance.now() + MINUTES * 60_000
  const outcome = await run({ seed: SEED, only: [], logFile, say: () => undefined, goOn: () => performance.now() < endsAt })
  await context.annotate(report(outcome))
  const { judgement, refusals, broken, traffic } = outcome
  expect(broken, `${report(outcome)}\nthe daemons wrote to ${logFile}`).toBe('')
  expect(judgement.bugs).toEqual([])
  expect(refusals).toEqual([])
  for (const way of WAYS) expect(traffic.answers.get(way)).toBeGreaterThan(100)
  rmSync(logFile)
})
