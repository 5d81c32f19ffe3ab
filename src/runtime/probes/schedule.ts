/** When a probe is attempted, as pure arithmetic. All times in ms. */
import type { Probe } from '../../model/types.ts'
import type { ProbeKind } from '../../reconcilers/observed.ts'

/** The first attempt is made within this time of the moment it may be made. */
export const SOON_MS = 200
/** A container that has never been ready is asked this often … */
export const EAGER_MS = 1_000
/** … for so long. */
export const EAGER_FOR_MS = 30_000

/**
 * From the start of one attempt to the start of the next.
 *
 * Deliberately unlike the kubelet: a readiness probe that has never succeeded is attempted every second in
 * its first half minute, however long its period. Readiness failures before the first success change
 * nothing, so this alters how soon a rollout goes on and nothing else.
 *
 * @param openMs since attempts may be made
 */
export function intervalMs(kind: ProbeKind, probe: Probe, everSucceeded: boolean, openMs: number): number {
  const period = probe.periodSeconds * 1000
  const eager = kind === 'readiness' && !everSucceeded && openMs < EAGER_FOR_MS
  return eager ? Math.min(period, EAGER_MS) : period
}

/**
 * From now to the first attempt.
 *
 * @param ageMs since the container started
 * @param spreadMs 0, or the time over which the first attempts of containers found at a start are spread
 * @param random in [0, 1)
 */
export function firstDelayMs(probe: Probe, ageMs: number, spreadMs: number, random: number): number {
  const waitMs = Math.max(0, probe.initialDelaySeconds * 1000 - ageMs)
  return waitMs + random * (waitMs === 0 && spreadMs > 0 ? spreadMs : Math.min(SOON_MS, probe.periodSeconds * 1000))
}
