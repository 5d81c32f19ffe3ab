/** Keys that are due, each once, in the order they became so; and keys that will be due at a time. */
import type { ObjectKey } from '../model/types/meta.ts'
import type { Timers } from '../runtime/timers.ts'
import { createSchedule } from './schedule.ts'

export interface Queue {
  /** Marks a key as due now. */
  add(key: ObjectKey): void
  /** Marks a key as due at `at` (ms since the epoch), or earlier if it already was to be. */
  addAt(key: ObjectKey, at: number): void
  /** The key that has been due longest, which is then no longer due; `undefined` when none is. */
  take(): ObjectKey | undefined
  size(): number
  stop(): void
}

/** Longest a timer may be set for; longer waits are looked at again then. */
const MAX_TIMER_MS = 60_000

/** @param due called whenever a key has become due, at most once until the next `take` */
export function createQueue(options: { readonly now: () => number; readonly timers: Timers; readonly due: () => void }): Queue {
  const ready = new Set<ObjectKey>()
  const later = createSchedule()
  let timer: unknown
  let timerAt = Number.POSITIVE_INFINITY
  /** what the clock has shown last */
  let seenAt = 0

  function add(key: ObjectKey): void {
    ready.add(key)
    options.due()
  }

  /** After the clock was set back nobody can tell how long keys have waited: all are looked at again. */
  function tellTime(): number {
    const now = options.now()
    const isSetBack = now < seenAt
    seenAt = now
    if (isSetBack) release(Number.POSITIVE_INFINITY)
    return now
  }

  function release(until: number): void {
    for (const key of later.takeUntil(until)) add(key)
  }

  function arm(): void {
    const now = tellTime()
    const next = later.nextAt()
    if (next === undefined || next === timerAt) return
    if (timer !== undefined) options.timers.clearTimeout(timer)
    timerAt = next
    timer = options.timers.setTimeout(wake, Math.min(MAX_TIMER_MS, Math.max(0, next - now)))
  }

  function wake(): void {
    timer = undefined
    timerAt = Number.POSITIVE_INFINITY
    release(tellTime())
    arm()
  }

  return {
    add,
    addAt(key, at) {
      later.set(key, at)
      arm()
    },
    take() {
      const [key] = ready
      if (key !== undefined) ready.delete(key)
      return key
    },
    size: () => ready.size,
    stop() {
      if (timer !== undefined) options.timers.clearTimeout(timer)
      later.clear()
      ready.clear()
    },
  }
}
