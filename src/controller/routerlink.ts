/** The daemon's hold on one node's router: connects when it runs, reconnects when it is lost, and looks for drift. */
import { LABEL } from '../reconcilers/names.ts'
import type { RouterView } from '../reconcilers/observed.ts'
import type { RouteTable } from '../reconcilers/routetable.ts'
import type { ContainerView, Engine } from '../runtime/engine.ts'
import { EngineError } from '../runtime/engine.ts'
import { type RouterClient, routerClient } from '../runtime/router/client.ts'
import { RouterError } from '../runtime/router/error.ts'
import type { Timers } from '../runtime/timers.ts'

const RECONNECT_FIRST_MS = 200
const RECONNECT_MAX_MS = 5_000
/** Nothing tells when rules or names are changed by hand, so they are compared this often: ms. */
const CHECK_INTERVAL_MS = 5_000
const ANSWER_TIMEOUT_MS = 10_000
/** A daemon that has not heard of its router for so long may have been taken for dead: it acts no more until it has. */
const DOUBT_MS = 5_000
/**
 * The router keeps each table as a whole, so the daemon makes and sends it as a whole. Large ones follow each other no
 * faster than this, which leaves most of a processor to everything else; what changes meanwhile goes with the next.
 */
const BYTES_PER_MS = 25_000

export interface RouterLink {
  /** Told of the router's container as observed, whenever it changes. */
  sync(container: ContainerView | undefined): void
  view(): RouterView
  /** another daemon holds this router: who, `''` when none does */
  lockedBy(): string
  /** no other daemon can have taken the router over unnoticed: `false` when it has, or when an answer is overdue */
  sure(): boolean
  apply(table: RouteTable): Promise<void>
  close(): void
}

export interface RouterLinkOptions {
  readonly engine: Engine
  readonly serviceRange: string
  readonly dnsAddress: string
  /** who this daemon is, in one line */
  readonly owner: string
  readonly timers: Timers
  readonly now: () => number
  /** @param routes whether what the router serves may be something else now: every workload's pods may be routed or not */
  readonly changed: (routes: boolean) => void
}

export function createRouterLink(options: RouterLinkOptions): RouterLink {
  const { timers } = options
  let running: { id: string; startedAt: number } | undefined
  let client: RouterClient | undefined
  /** kept while the connection is lost, or the router is down: it goes on serving it, and begins with it when it comes back */
  let acknowledged: RouteTable | undefined
  let applying: RouteTable | undefined
  let connecting = false
  let closed = false
  let error = 'no router runs'
  let lockedBy = ''
  let drift: RouterView['drift'] = []
  let seen = ''
  let delayMs = RECONNECT_FIRST_MS
  let retry: unknown
  let checker: unknown
  let resting = false

  function startTimer(ms: number, fire: () => void): () => void {
    const timer = timers.setTimeout(fire, ms)
    return () => timers.clearTimeout(timer)
  }

  function lose(reason: RouterError | EngineError): void {
    client = undefined
    drift = []
    error = reason.message
    lockedBy = reason.kind === 'locked' ? reason.message : ''
    timers.clearTimeout(checker)
    options.changed(false)
    if (!closed) retry = timers.setTimeout(() => void connect(), delayMs)
    delayMs = Math.min(RECONNECT_MAX_MS, delayMs * 2)
  }

  async function connect(): Promise<void> {
    if (closed || connecting || client !== undefined || running === undefined) return
    connecting = true
    const target = running
    try {
      const { engine, owner, serviceRange, dnsAddress } = options
      const made = await routerClient({
        engine,
        owner,
        serviceRange,
        dnsAddress,
        containerId: target.id,
        startTimer,
        timeoutMs: ANSWER_TIMEOUT_MS,
        now: options.now,
        onLost: lose,
      })
      if (closed) return made.close()
      client = made
      acknowledged = made.acknowledged()
      delayMs = RECONNECT_FIRST_MS
      error = lockedBy = ''
      options.changed(true)
      armCheck()
    } catch (caught) {
      if (!(caught instanceof RouterError || caught instanceof EngineError)) throw caught
      lose(caught)
    } finally {
      connecting = false
    }
  }

  /** A table of up to a few hundred pods is over at once. */
  function rest(bytes: number): void {
    const ms = Math.floor(bytes / BYTES_PER_MS)
    if (ms === 0 || closed) return
    resting = true
    timers.setTimeout(() => {
      resting = false
      options.changed(false)
    }, ms)
  }

  function armCheck(): void {
    timers.clearTimeout(checker)
    checker = timers.setTimeout(() => void check(), CHECK_INTERVAL_MS)
  }

  async function check(): Promise<void> {
    const current = client
    if (current === undefined) return
    try {
      const { nft, dns } = await current.check()
      const found: RouterView['drift'] = [...(nft ? [] : (['routes'] as const)), ...(dns ? [] : (['dns'] as const))]
      const changed = found.join() !== drift.join()
      drift = found
      if (changed) options.changed(false)
    } catch (caught) {
      // A lost connection has already been told to `onLost`; anything else would be a mistake of ours.
      if (!(caught instanceof RouterError)) throw caught
    }
    if (client === current) armCheck()
  }

  return {
    sync(container) {
      const now = container?.state === 'running' ? { id: container.id, startedAt: container.startedAt } : undefined
      const same = now?.id === running?.id && now?.startedAt === running?.startedAt
      running = now
      if (container !== undefined && now !== undefined) seen = attached(container) ? (container.labels[LABEL.spec] ?? '') : ''
      if (same) return
      timers.clearTimeout(retry)
      delayMs = RECONNECT_FIRST_MS
      void connect()
    },
    view: () => ({ connected: client !== undefined, error, acknowledged, applying, drift, seen, resting }),
    lockedBy: () => lockedBy,
    sure: () => lockedBy === '' && (client === undefined || options.now() - client.heardAt() < DOUBT_MS),
    async apply(table) {
      if (client === undefined) throw new RouterError('lost', `the router is not connected: ${error}`)
      applying = table
      try {
        rest(await client.apply(table))
      } finally {
        applying = undefined
      }
      acknowledged = client?.acknowledged() ?? table
      drift = []
      options.changed(false)
    },
    close() {
      closed = true
      timers.clearTimeout(retry)
      timers.clearTimeout(checker)
      client?.close()
    },
  }
}

function attached({ networks }: ContainerView): boolean {
  return Object.keys(networks).length > 0
}
