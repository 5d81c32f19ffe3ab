/** Timers as an argument, so that tests own the time. */
export interface Timers {
  /** Calls back once, after `ms`. */
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

const NEVER = new AbortController().signal

/** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
export function pause(timers: Timers, ms: number, signal: AbortSignal = NEVER): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const end = (): void => {
      timers.clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = timers.setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
