/**
 * Makes `run` safe to ask for at any time: one at a time, and whoever asks while it runs gets one more
 * run, shared by all who asked meanwhile. So each caller's promise covers a run that began after its call.
 */
export function coalesce(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  const start = (): Promise<void> => {
    const current = run().finally(() => {
      if (running === current) running = undefined
    })
    running = current
    return current
  }

  return () => {
    if (!running) return start()
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined
        // Somebody may have begun a run in the very moment between the two.
        return running ?? start()
      })
    return next
  }
}

/** At most `limit` of the calls given to it under way at once; the others wait in order. */
export function gate(limit: number): <T>(call: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = limit
  return async (call) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await call()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
