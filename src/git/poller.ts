import { type Poll, type Source, SourceError } from './source.ts'

export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

/** How one poll ended; for metrics and the status. */
export interface PollOutcome {
  readonly result: 'changed' | 'unchanged' | 'failed'
  readonly durationMs: number
}

export interface PollerOptions {
  /** between the end of a poll and the start of the next, ms */
  readonly intervalMs: number
  /** 0..1: share of the delay that chance may add, so that many daemons do not poll together */
  readonly jitter: number
  /** in [0, 1) */
  readonly random: () => number
  readonly timers: Timers
  /** ms; only differences count */
  readonly now: () => number
  /** a revision that differs from the one told before; the first one also */
  readonly onRevision: (poll: Poll) => void
  /** `consecutive` failures so far, from 1; the next poll follows after `nextDelayMs` */
  readonly onFailure: (error: SourceError, consecutive: number, nextDelayMs: number) => void
  readonly onPolled?: (outcome: PollOutcome) => void
  readonly signal: AbortSignal
}

export interface Poller {
  /** Polls at once; calls while a poll runs share the one that follows it. Resolves when that poll has ended, well or not. */
  syncNow(): Promise<void>
  /** The revision that was told last could not be made use of: the next poll tells it again. */
  forget(): void
  /** Ends a running poll and waits for it; nothing is called back afterwards. */
  stop(): Promise<void>
}

const maxBackoffMs = 5 * 60_000

/**
 * Polls a source for ever: at once, then by interval, and when the source or a caller says that something may have changed.
 *
 * Polls never overlap. After a failure the delay doubles, from the interval up to five minutes; the last revision stays good.
 * Callbacks must not throw.
 */
export function pollSource(source: Source, options: PollerOptions): Poller {
  const stopping = new AbortController()
  const signal = AbortSignal.any([options.signal, stopping.signal])
  let told: string | undefined
  let failures = 0
  let timer: unknown
  let running: Promise<void> | undefined
  let following: Promise<void> | undefined

  function due(): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    if (running === undefined) {
      running = once().finally(() => {
        running = undefined
      })
      return running
    }
    // The running poll may have looked before the change that this call is about.
    following ??= running.then(() => {
      following = undefined
      return due()
    })
    return following
  }

  async function once(): Promise<void> {
    options.timers.clearTimeout(timer)
    const startedAt = options.now()
    const found = await source.poll(signal).catch(asSourceError)
    if (signal.aborted) return
    failures = found instanceof SourceError ? failures + 1 : 0
    const delayMs = delayOf(options, failures)
    const result = found instanceof SourceError ? 'failed' : found.revision.sha === told ? 'unchanged' : 'changed'
    options.onPolled?.({ result, durationMs: options.now() - startedAt })
    if (found instanceof SourceError) options.onFailure(found, failures, delayMs)
    else if (result === 'changed') {
      told = found.revision.sha
      options.onRevision(found)
    }
    if (!signal.aborted) timer = options.timers.setTimeout(() => void due(), delayMs)
  }

  const unwatch = source.watch(() => void due())
  const end = () => {
    unwatch()
    options.timers.clearTimeout(timer)
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  void due()

  return {
    syncNow: due,
    forget() {
      told = undefined
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** ms until the next poll after so many failures in a row: never sooner than the interval, after failures at most five minutes. */
function delayOf({ intervalMs, jitter, random }: PollerOptions, failures: number): number {
  const ceiling = Math.max(maxBackoffMs, intervalMs)
  const base = failures === 0 ? intervalMs : Math.min(ceiling, intervalMs * 2 ** Math.min(failures, 30))
  const delay = base * (1 + jitter * random())
  return Math.round(failures === 0 ? delay : Math.min(ceiling, delay))
}

function asSourceError(error: unknown): SourceError {
  return error instanceof SourceError ? error : new SourceError('failed', `polling failed: ${String(error)}`, { cause: error })
}
