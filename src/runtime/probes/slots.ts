/** A bound on what runs at the same time; the rest waits in order. */
export interface Slots {
  /** Runs `work` once a slot is free; skipped when `signal` has aborted by then. */
  run(work: () => Promise<void>, signal: AbortSignal): void
}

export function createSlots(limit: number): Slots {
  const waiting: { readonly work: () => Promise<void>; readonly signal: AbortSignal }[] = []
  let running = 0

  const next = (): void => {
    while (running < limit) {
      const turn = waiting.shift()
      if (turn === undefined) return
      if (turn.signal.aborted) continue
      running += 1
      void turn.work().finally(() => {
        running -= 1
        next()
      })
    }
  }

  return {
    run(work, signal) {
      waiting.push({ work, signal })
      next()
    },
  }
}
