import type { NftOptions } from '../../reconcilers/nft.ts'
import type { RouteTable } from '../../reconcilers/routetable.ts'
import { sameTable } from '../../reconcilers/tablediff.ts'
import type { Engine } from '../engine.ts'
import { RouterError } from './error.ts'
import { type Exchange, openExchange, type StartTimer } from './exchange.ts'
import { applyRequest, tableOf } from './request.ts'

/** Where the node image keeps the agent. */
const agentPath = '/usr/local/lib/trireme/agent.sh'

/** Well inside the silence after which another daemon may take the lock (`silence_seconds` in the agent): ms. */
const pingIntervalMs = 2_000

export interface RouterOptions extends NftOptions {
  readonly engine: Pick<Engine, 'execStream'>
  readonly containerId: string
  /** who holds the router, in one line of up to 200 characters; told to whoever is refused */
  readonly owner: string
  /** Called once when the connection ends by itself; never after `close`. */
  readonly onLost: (reason: RouterError) => void
  readonly startTimer: StartTimer
  readonly now: () => number
  /** how long one answer may take, ms */
  readonly timeoutMs: number
}

/** One daemon's exclusive hold on one node's router. */
export interface RouterClient {
  /**
   * Resolves once the router serves `table` and nothing else, with the bytes that were sent. A table equal to the acknowledged one is not
   * sent, unless the router is known to have drifted.
   *
   * Errors: `rejected`, `lost`, `timeout`.
   */
  apply(table: RouteTable): Promise<number>
  /** The table that was applied last, by this daemon or one before it; `undefined` when there is none. */
  acknowledged(): RouteTable | undefined
  /**
   * Whether the live rules and names still are what was applied; `false` where something else changed them.
   * The next `apply` then makes everything anew. Errors: `lost`, `timeout`.
   */
  check(): Promise<{ readonly nft: boolean; readonly dns: boolean }>
  /** When the last ping that was answered was sent, ms since the epoch: until then the lock was surely held. */
  heardAt(): number
  /** Ends the agent, which frees the router for another daemon. */
  close(): void
}

/**
 * Connects to the router in `containerId` and takes its lock.
 *
 * Errors: `locked` when another daemon has it, `lost`, `timeout`, and the engine's own from starting the agent.
 */
export async function routerClient(options: RouterOptions): Promise<RouterClient> {
  const stream = await options.engine.execStream(options.containerId, [agentPath, ownerLine(options.owner)])
  let ended: RouterError | undefined
  let onEnd = (error: RouterError): void => {
    ended = error
  }
  const exchange = openExchange(stream, {
    timeoutMs: options.timeoutMs,
    startTimer: options.startTimer,
    onEnd: (error) => onEnd(error),
  })
  try {
    await greet(exchange)
    const applied = await storedTable(exchange, options)
    const live = await check(exchange)
    const client = connected(exchange, options, applied, live.nft && live.dns)
    if (ended) throw ended
    const pings = keepAlive(exchange, options)
    onEnd = (error) => {
      pings.stop()
      options.onLost(error)
    }
    return {
      ...client,
      heardAt: pings.heardAt,
      close() {
        pings.stop()
        exchange.close()
      },
    }
  } catch (error) {
    exchange.close()
    throw error
  }
}

function ownerLine(owner: string): string {
  return owner.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
}

async function greet(exchange: Exchange): Promise<void> {
  const greeting = await exchange.greeting()
  if (greeting.startsWith('locked ')) {
    throw new RouterError('locked', `the router already serves another daemon: ${greeting.slice('locked '.length)}`)
  }
  if (greeting !== 'ready 1') {
    throw new RouterError('lost', `the router speaks another protocol: ${greeting.slice(0, 200)}; it must be made again`)
  }
}

async function storedTable(exchange: Exchange, options: NftOptions): Promise<RouteTable | undefined> {
  const [, meta = '-'] = await exchange.ask((id) => `meta ${id}\n`)
  return tableOf(meta, options)
}

async function check(exchange: Exchange): Promise<{ nft: boolean; dns: boolean }> {
  const [, nft, dns] = await exchange.ask((id) => `check ${id}\n`)
  return { nft: nft === 'same', dns: dns === 'same' }
}

function connected(
  exchange: Exchange,
  options: NftOptions,
  applied: RouteTable | undefined,
  liveIsApplied: boolean,
): Omit<RouterClient, 'close' | 'heardAt'> {
  let acknowledged = applied
  let trusted = liveIsApplied
  let turn: Promise<unknown> = Promise.resolve()
  let sent = 0

  const send = async (previous: RouteTable | undefined, next: RouteTable): Promise<string | undefined> => {
    // Until the answer says otherwise, what is live is not known.
    trusted = false
    const [verb, ...words] = await exchange.ask((id) => {
      const request = applyRequest(id, previous, next, options)
      sent += request.length
      return request
    })
    if (verb !== 'ok') return words.join(' ').trim() || 'no reason given'
    acknowledged = next
    trusted = true
    return undefined
  }

  const applyNow = async (next: RouteTable): Promise<number> => {
    const before = sent
    if (trusted && acknowledged && sameTable(acknowledged, next)) return 0
    const base = trusted && acknowledged?.domain === next.domain ? acknowledged : undefined
    let refusal = await send(base, next)
    // A change fails when the live rules are not what they were; the whole table does not depend on them.
    if (refusal !== undefined && base) refusal = await send(undefined, next)
    if (refusal !== undefined) throw new RouterError('rejected', `the router refused the route table: ${refusal}`)
    return sent - before
  }

  return {
    apply(table) {
      const applied = turn.then(() => applyNow(table))
      turn = applied.catch(() => {})
      return applied
    },
    acknowledged: () => acknowledged,
    async check() {
      const live = await check(exchange)
      trusted = trusted && live.nft && live.dns
      return live
    },
  }
}

function keepAlive(
  exchange: Exchange,
  { startTimer, now }: Pick<RouterOptions, 'startTimer' | 'now'>,
): { readonly heardAt: () => number; readonly stop: () => void } {
  let callOff = (): void => {}
  let heardAt = now()
  const next = (): void => {
    callOff = startTimer(pingIntervalMs, () => {
      const sentAt = now()
      const answered = (): void => {
        heardAt = sentAt
        next()
      }
      exchange.ask((id) => `ping ${id}\n`).then(answered, () => {})
    })
  }
  next()
  return { heardAt: () => heardAt, stop: () => callOff() }
}
