import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../../scripts/demo/load.ts'
import { evidenceOf, HEAD, renderRow, tallyOf } from '../../../../scripts/demo/timeline.ts'

function outcome(startedAt: number, error = ''): Outcome {
  return { target: 'Service', kept: true, startedAt, endedAt: startedAt + 7, error }
}

describe('tallyOf', () => {
  const outcomes = [outcome(10), outcome(30, 'ECONNREFUSED'), outcome(20), outcome(40, 'ECONNRESET')]

  test('a request belongs to the chapter in which it began', () => {
    expect(tallyOf(outcomes, 10, 40)).toEqual({ requests: 3, lost: [outcomes[1]] })
    expect(tallyOf(outcomes, 40, 50)).toEqual({ requests: 1, lost: [outcomes[3]] })
  })

  test('two chapters side by side share no request and lose none', () => {
    const parts = [tallyOf(outcomes, 0, 30), tallyOf(outcomes, 30, 100)]
    expect(parts.map(({ requests }) => requests)).toEqual([2, 2])
  })
})

test('evidence says when, where, how and why, and is bounded', () => {
  const lost = Array.from({ length: 10 }, (_, index) => outcome(1_000 + index, 'ECONNREFUSED'))
  const evidence = evidenceOf({ requests: 99, lost }, 500)
  expect(evidence[0]).toBe('at 0.500 s, Service, kept connection, after 7 ms: ECONNREFUSED')
  expect(evidence).toHaveLength(9)
  expect(evidence.at(-1)).toBe('and 2 more')
})

test('rows stand under their heads, and what has no place in a row stands below it', () => {
  const tally = { requests: 812, lost: [] }
  const rows = [
    renderRow({ at: 4_123, step: 'converge', tookMs: 4_123, lines: ['web 3/3', 'more'] }),
    renderRow({ at: 12_000, step: 'roll', tookMs: 5_550, tally, lines: ['5 pods replaced'] }),
  ]
  expect([HEAD, ...rows].join('\n')).toBe(
    [
      '     AT  STEP           TOOK   REQUESTS   LOST  WHAT HAPPENED',
      '  4.1 s  converge      4.1 s                    web 3/3',
      '                                                more',
      ' 12.0 s  roll          5.5 s        812      0  5 pods replaced',
    ].join('\n'),
  )
})
