import { setTimeout as delay } from 'node:timers/promises'

/** How often a condition is looked at: the resolution of what is measured, alike for all that are compared. */
const EVERY_MS = 25

/** Asks until the answer is truthy; fails after `limitMs`. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  { limitMs = 120_000, everyMs = EVERY_MS } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const seen = await ask()
    if (seen) return seen
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`)
    await delay(everyMs)
  }
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
