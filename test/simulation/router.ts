/**
 * What runs in a router, as images/node/agent.sh and router.sh behave: it serves the last table it was given, loads it
 * again when it restarts, and lets one daemon in at a time.
 */
import type { RouteTable } from '../../src/reconcilers/routetable.ts'
import { EngineError, type ExecStream } from '../../src/runtime/engine.ts'
import type { Timers } from '../../src/runtime/timers.ts'
import { type Pipe, pipe } from './stream.ts'

/** The agent gives its lock up after this much silence: ms. */
const IDLE_MS = 60_000

export interface RouterWorld {
  readonly timers: Timers
  /** how long an answer takes, ms */
  readonly latency: () => number
  /** an answer that is `error <why>` instead of `ok`; `''` for none */
  readonly refuse: () => string
  /** what the router serves has changed; called before it is acknowledged */
  readonly served: (before: RouteTable | undefined, after: RouteTable | undefined) => void
}

/** The router of one node, whichever container it runs in at the moment. */
export interface SimulatedRouter {
  /** A process `agent.sh <owner>` in the router's container. */
  connect(owner: string): ExecStream
  /** What new connections are sent by right now; `undefined` while no router runs or its rules are gone. */
  serving(): RouteTable | undefined
  /** The container has started: what is on its volume is loaded. */
  started(): void
  stopped(): void
  /** The volume is gone. */
  erase(): void
  /** Somebody flushes the rules, or the names. */
  flush(what: 'routes' | 'dns'): void
}

interface Agent {
  readonly owner: string
  readonly answers: Pipe
  idle: unknown
  gone: boolean
}

export function simulatedRouter(world: RouterWorld): SimulatedRouter {
  let stored: { readonly table: RouteTable; readonly meta: string } | undefined
  let live: RouteTable | undefined
  let sealed = { routes: true, dns: true }
  let running = false
  let holder: Agent | undefined

  function serve(next: RouteTable | undefined): void {
    const before = live
    live = next
    world.served(before, next)
  }

  function leave(agent: Agent): void {
    if (agent.gone) return
    agent.gone = true
    world.timers.clearTimeout(agent.idle)
    agent.answers.end()
    if (holder === agent) holder = undefined
  }

  function arm(agent: Agent): void {
    world.timers.clearTimeout(agent.idle)
    agent.idle = world.timers.setTimeout(() => leave(agent), IDLE_MS)
  }

  function greet(agent: Agent): void {
    if (agent.gone) return
    if (holder !== undefined && holder.owner !== agent.owner) {
      agent.answers.push(`locked ${holder.owner}\n`)
      leave(agent)
      return
    }
    if (holder !== undefined) leave(holder)
    holder = agent
    arm(agent)
    agent.answers.push('ready 1\n')
  }

  function answer(agent: Agent, request: Buffer): void {
    if (agent.gone) return
    arm(agent)
    const [verb = '', id = '', mode = ''] = request.subarray(0, request.indexOf(10)).toString().split(' ')
    const state = (fine: boolean): string => (fine ? 'same' : 'drift')
    if (verb === 'ping') agent.answers.push(`pong ${id}\n`)
    else if (verb === 'meta')
      agent.answers.push(`meta ${id} ${stored === undefined ? '-' : Buffer.from(stored.meta).toString('base64')}\n`)
    else if (verb === 'check') agent.answers.push(`state ${id} ${state(sealed.routes)} ${state(sealed.dns)}\n`)
    else if (verb === 'apply') agent.answers.push(`${apply(mode, request)} ${id}${''}\n`)
    else leave(agent)
  }

  function apply(mode: string, request: Buffer): string {
    const why = world.refuse()
    // A change builds on rules that are no longer there.
    if (why !== '' || (mode === 'change' && live === undefined)) return 'error'
    const meta = metaOf(request)
    stored = { table: (JSON.parse(meta) as { table: RouteTable }).table, meta }
    sealed = mode === 'full' ? { routes: true, dns: true } : sealed
    serve(stored.table)
    return 'ok'
  }

  return {
    connect(owner) {
      if (!running) throw new EngineError('conflict', 'the router is not running')
      const agent: Agent = { owner, answers: pipe(), idle: undefined, gone: false }
      world.timers.setTimeout(() => greet(agent), world.latency())
      return {
        output: agent.answers.output,
        async write(data) {
          if (agent.gone) throw new EngineError('failed', 'the agent has ended')
          const request = Buffer.from(data as Uint8Array)
          world.timers.setTimeout(() => answer(agent, request), world.latency())
        },
        // The engine tells the process when it likes; until then the lock is held.
        close: () => void world.timers.setTimeout(() => leave(agent), world.latency()),
      }
    },
    serving: () => live,
    started() {
      running = true
      sealed = { routes: true, dns: true }
      serve(stored?.table)
    },
    stopped() {
      running = false
      if (holder !== undefined) leave(holder)
      serve(undefined)
    },
    erase() {
      stored = undefined
    },
    flush(what) {
      sealed = { ...sealed, [what]: false }
      if (what === 'routes') serve(undefined)
    },
  }
}

/** The daemon's own copy of the table, last in the request before its trailer. */
function metaOf(request: Buffer): string {
  const headerEnd = request.indexOf(10)
  const [, , , , change = '0', flows = '0'] = request.subarray(0, headerEnd).toString().split(' ')
  const start = headerEnd + 1 + Number(change) + Number(flows)
  const sizesEnd = request.indexOf(10, start)
  const sizes = request.subarray(start, sizesEnd).toString().split(' ').slice(1).map(Number)
  const skip = sizes.slice(0, 3).reduce((sum, size) => sum + size, 0)
  return request.subarray(sizesEnd + 1 + skip, sizesEnd + 1 + skip + (sizes[3] ?? 0)).toString()
}
