import type { Timers } from '../../src/runtime/timers.ts'

interface Pending {
  readonly at: number
  readonly callback: () => void
}

export interface FreeTime {
  readonly now: () => number
  readonly timers: Timers
  /** Resolves once nothing is to come. */
  settled(): Promise<void>
}

/**
 * Virtual time that runs by itself: whenever the process has nothing else to do, the next timer is due. A day passes in
 * no time, and what waits in real time for something in virtual time never waits long.
 */
export function freeTime(startMs: number): FreeTime {
  const pending = new Set<Pending>()
  let nowMs = startMs
  let running = false

  const step = (): void => {
    const next = [...pending].reduce<Pending | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    )
    running = next !== undefined
    if (next === undefined) return
    pending.delete(next)
    nowMs = Math.max(nowMs, next.at)
    next.callback()
    setImmediate(step)
  }

  return {
    now: () => nowMs,
    settled: () =>
      new Promise((resolve) => {
        const look = (): void => {
          if (pending.size === 0) resolve()
          else setImmediate(look)
        }
        setImmediate(look)
      }),
    timers: {
      setTimeout(callback, ms) {
        const timer = { at: nowMs + Math.max(0, ms), callback }
        pending.add(timer)
        if (!running) setImmediate(step)
        running = true
        return timer
      },
      clearTimeout(timer) {
        pending.delete(timer as Pending)
      },
    },
  }
}
