/** The story as a table that grows by one row a chapter, and the judgement of its load. */
import type { Outcome } from './load.ts'

/** Requests that began in one chapter. */
export interface Tally {
  readonly requests: number
  readonly lost: readonly Outcome[]
}

export interface Row {
  /** since the story began: ms */
  readonly at: number
  readonly step: string
  readonly tookMs?: number
  readonly tally?: Tally
  /** the first one stands beside the numbers, the others below it */
  readonly lines: readonly string[]
}

const WIDTHS = { at: 7, step: 10, took: 7, requests: 9, lost: 5 }
const INDENT = ' '.repeat(Object.values(WIDTHS).reduce((sum, width) => sum + width + 2, 0))
const SHOWN = 8

export const HEAD = [
  'AT'.padStart(WIDTHS.at),
  'STEP'.padEnd(WIDTHS.step),
  'TOOK'.padStart(WIDTHS.took),
  'REQUESTS'.padStart(WIDTHS.requests),
  'LOST'.padStart(WIDTHS.lost),
  'WHAT HAPPENED',
].join('  ')

export function renderRow({ at, step, tookMs, tally, lines: [first = '', ...others] }: Row): string {
  const cells = [
    seconds(at).padStart(WIDTHS.at),
    step.padEnd(WIDTHS.step),
    (tookMs === undefined ? '' : seconds(tookMs)).padStart(WIDTHS.took),
    String(tally?.requests ?? '').padStart(WIDTHS.requests),
    String(tally?.lost.length ?? '').padStart(WIDTHS.lost),
    first,
  ]
  return [cells.join('  ').trimEnd(), ...others.map((line) => INDENT + line)].join('\n')
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

/** The outcomes that began from `from` on, and before `to`. */
export function tallyOf(outcomes: readonly Outcome[], from: number, to: number): Tally {
  const own = outcomes.filter(({ startedAt }) => startedAt >= from && startedAt < to)
  return { requests: own.length, lost: own.filter(({ error }) => error !== '') }
}

/** How they were lost: the first few, each with when it began since `zero`, where it went and how it ended. */
export function evidenceOf({ lost }: Tally, zero: number): string[] {
  const shown = lost
    .slice(0, SHOWN)
    .map(
      ({ target, kept, startedAt, endedAt, error }) =>
        `at ${((startedAt - zero) / 1000).toFixed(3)} s, ${target}, ${kept ? 'kept' : 'new'} connection, after ${Math.round(endedAt - startedAt)} ms: ${error}`,
    )
  return lost.length > SHOWN ? [...shown, `and ${lost.length - SHOWN} more`] : shown
}
