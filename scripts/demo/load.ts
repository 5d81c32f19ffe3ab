/** A constant, bounded load of requests, each one accounted for. */
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export interface Target {
  /** such as `Service` */
  readonly name: string
  readonly url: string
}

export interface Outcome {
  readonly target: string
  /** whether the connection was to be kept for the next request */
  readonly kept: boolean
  /** ms as `performance.now()` counts them */
  readonly startedAt: number
  readonly endedAt: number
  /** `''` when it was answered with 200 and a whole page */
  readonly error: string
}

export interface Load {
  /** ids of requests that have ended so far: every outcome in the order of their ends */
  readonly outcomes: readonly Outcome[]
  /** Resolves once every request that has begun by now has ended. */
  settled(): Promise<void>
  /** Resolves once `count` more requests have ended. */
  more(count: number): Promise<void>
  stop(): Promise<void>
}

/** Requests at once for each address and each way to connect. */
const WORKERS = 2
/** Between the end of one request and the begin of the next, of one worker: ms. */
const GAP_MS = 40
const TIMEOUT_MS = 5_000

/** Begins at once, and goes on until `stop`. */
export function startLoad(targets: readonly Target[], signal: AbortSignal): Load {
  const outcomes: Outcome[] = []
  const open = new Set<Promise<void>>()
  const stopping = new AbortController()
  const stop = AbortSignal.any([signal, stopping.signal])
  let counters: { readonly at: number; readonly resolve: () => void }[] = []

  async function work(target: Target, kept: boolean): Promise<void> {
    const agent = kept ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined
    while (!stop.aborted) {
      const asked = ask(target, agent)
      const ended = asked.then((outcome) => {
        outcomes.push(outcome)
        for (const { at, resolve } of counters) if (outcomes.length >= at) resolve()
        counters = counters.filter(({ at }) => outcomes.length < at)
      })
      open.add(ended)
      await ended
      open.delete(ended)
      await delay(GAP_MS, undefined, { signal: stop }).catch(() => undefined)
    }
    agent?.destroy()
  }

  const workers = targets.flatMap((target) =>
    [true, false].flatMap((kept) => Array.from({ length: WORKERS }, () => work(target, kept))),
  )
  return {
    outcomes,
    settled: async () => void (await Promise.all(open)),
    more: (count) =>
      new Promise((resolve, reject) => {
        counters.push({ at: outcomes.length + count, resolve })
        stop.addEventListener('abort', () => reject(stop.reason), { once: true })
      }),
    async stop() {
      stopping.abort()
      await Promise.all(workers)
    },
  }
}

/** One request; never rejects. Without an agent the connection is made for it alone. */
function ask({ name, url }: Target, agent: Agent | undefined): Promise<Outcome> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const end = (error: string): void => {
      clearTimeout(timer)
      resolve({ target: name, kept: agent !== undefined, startedAt, endedAt: performance.now(), error })
    }
    const outgoing = request(url, { agent: agent ?? false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('error', (error) => end(`cut off: ${error.message}`))
      answer.on('end', () => end(answer.statusCode === 200 ? '' : `HTTP ${answer.statusCode}: ${lastLine(text)}`))
    })
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS)
    outgoing.on('error', (error) => end(`${outgoing.reusedSocket ? 'on a kept connection: ' : ''}${error.message}`))
    outgoing.end()
  })
}

function lastLine(page: string): string {
  return (page.trim().split('\n').at(-1) ?? '').replace(/<[^>]*>/g, '')
}
