/** Fresh seeds for every commit, and the same ones for the same; one that fails is printed with what happened in it. */
import { expect, test } from 'vitest'
import { commitSeed } from '../support/commitseed.ts'
import { runMany } from './many.ts'
import type { Verdict } from './worker.ts'

const SEEDS = Number(process.env.TRIREME_SIM_SEEDS ?? 500)

test(`${SEEDS} fresh worlds: what must always hold holds, and all of them end as Git wants them`, {
  timeout: 900_000,
}, async () => {
  const first = commitSeed() * 1000
  const verdicts: Verdict[] = []
  let given = 0
  await runMany({
    next: () => (given < SEEDS ? first + given++ : undefined),
    onVerdict: (verdict) => verdicts.push(verdict),
  })
  const hours = verdicts.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / 3_600_000
  console.log(`simulation: seeds ${first} to ${first + SEEDS - 1}, ${hours.toFixed(1)} virtual hours`)
  const failed = verdicts.filter(({ violation }) => violation !== '')
  const told = failed.map(
    ({ seed, violation, trace }) => `${trace.join('\n')}\nseed ${seed}: ${violation}\n  npm run sim -- --seed ${seed}`,
  )
  expect(told.join('\n\n')).toBe('')
  expect(verdicts).toHaveLength(SEEDS)
})
