/** When a probe is attempted, as pure arithmetic. All times in ms. */
import type { Probe } from '../../model/types/pod.ts'
import type { ProbeKind } from '../../reconcilers/observed.ts'

/** The first attempt is made within this time of the moment it may be made. */
const SOON_MS = 200
/** A container that has never been ready is asked this often for so long. */
const EAGER = { everyMs: 1_000, forMs: 30_000 }
/** At first more often still, except through exec, which costs the node a process. */
const HASTY = { everyMs: 200, forMs: 3_000 }

/**
 * From the start of one attempt to the start of the next.
 *
 * Deliberately unlike the kubelet: a readiness probe that has never succeeded, as that of a port, is attempted five times a
 * second for three seconds and once a second up to half a minute, however long its period. Readiness
 * failures before the first success change nothing, so this alters how soon a rollout goes on and nothing else.
 *
 * @param openMs since attempts may be made
 */
export function intervalMs(kind: ProbeKind, probe: Probe, everSucceeded: boolean, openMs: number): number {
  const period = probe.periodSeconds * 1000
  if (kind === 'liveness' || kind === 'startup' || kind === 'storage' || everSucceeded || openMs >= EAGER.forMs) return period
  const hasty = openMs < HASTY.forMs && probe.exec === undefined
  return Math.min(period, hasty ? HASTY.everyMs : EAGER.everyMs)
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
