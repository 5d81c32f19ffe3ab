/** Tables for planners that name each pod: pods in words, and what comes of them. */
import { describe, expect, test } from 'vitest'
import type { Removal } from '../../../src/reconcilers/sight.ts'

interface Row<Rules, Want> {
  readonly rules: Rules
  /** unless there is one, the row is called after what it says */
  readonly name?: string
  readonly seen: string
  readonly want: Want
}

/** A test for each row: `play` makes of what is seen what is wanted. */
export function table<Rules, Want>(
  title: string,
  play: (rules: Rules, seen: string) => Want,
  rows: readonly Row<Rules, Want>[],
): void {
  describe(title, () => {
    for (const { rules, name, seen, want } of rows) test(name ?? `${seen}: ${want}`, () => expect(play(rules, seen)).toBe(want))
  })
}

/** Moves in words: what is made, then each pod that goes with the reason, such as `-2 stale`. */
export function movesText(created: readonly string[], remove: readonly Removal[]): string {
  return [...created.map((one) => `+${one}`), ...remove.map(({ uid, reason }) => `-${uid} ${reason}`)].join(', ')
}
