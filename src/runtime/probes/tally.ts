/** From attempts to a result: thresholds, as pure arithmetic. */
import type { Probe } from '../../model/types/pod.ts'
import type { ProbeState } from '../../reconcilers/observed.ts'
import type { ProbeAnswer } from './answer.ts'

/** A probe's state and how far the next one is. */
export interface Tally extends ProbeState {
  /** what the last attempts were, all alike */
  readonly streak: 'none' | 'success' | 'failure'
  readonly length: number
}

export function emptyTally(result: ProbeState['result'], now: number): Tally {
  return { result, since: now, lastAnswer: '', streak: 'none', length: 0 }
}

/** An attempt that could not be made is shown and not counted. */
export function countAttempt(before: Tally, attempt: ProbeAnswer, probe: Probe, now: number): Tally {
  if ('error' in attempt) return { ...before, lastAnswer: `not probed: ${attempt.error}` }
  const streak = attempt.ok ? 'success' : 'failure'
  const length = before.streak === streak ? before.length + 1 : 1
  const threshold = attempt.ok ? probe.successThreshold : probe.failureThreshold
  const result = length >= threshold ? streak : before.result
  return { result, since: result === before.result ? before.since : now, lastAnswer: attempt.answer, streak, length }
}
