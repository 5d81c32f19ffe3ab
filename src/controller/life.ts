/** The life of a daemon: finds the engine, drives it until told to stop, and lets go of it. */
import type { Config } from '../config.ts'
import type { Logger } from '../logging.ts'
import { timedEngine } from '../metrics/engine.ts'
import { EngineError } from '../runtime/engine.ts'
import { pause } from '../runtime/timers.ts'
import { assemble, type FoundEngine, type Parts, type Running } from './assemble.ts'
import type { Edges } from './edges.ts'
import { findSubnet } from './subnet.ts'

/** How often the engine is asked for while it does not answer: ms. */
const ENGINE_RETRY_MS = 1_000
/** How often it is looked whether the end has come: ms. */
const FOLLOW_MS = 250

export interface Life {
  /** `undefined` until the engine has answered for the first time */
  running(): Running | undefined
  /** why there is nothing running yet */
  waiting(): string
  /** Resolves with the exit code. Rejects with a mistake of ours only. */
  readonly done: Promise<number>
}

/** Begins at once. */
export function live(config: Config, edges: Edges, parts: Omit<Parts, 'signal'>): Life {
  let running: Running | undefined
  let waiting = 'the engine has not answered yet'
  const stopping = new AbortController()
  const signal = AbortSignal.any([edges.signal, stopping.signal])

  async function begin(): Promise<number> {
    try {
      const found = await findEngine(config, edges, parts, signal, (message) => {
        if (waiting !== message) parts.log.warn(message)
        waiting = message
      })
      if (found === undefined) return 0
      running = await assemble(config, edges, found, { ...parts, signal })
      return await follow(config, running, edges, signal, parts.log)
    } finally {
      stopping.abort()
      await takeApart(running)
    }
  }

  return { running: () => running, waiting: () => waiting, done: begin() }
}

/** Waits for the engine; its host's name is the node's. `undefined` when told to stop before. Errors: a subnet that cannot be. */
async function findEngine(
  config: Config,
  edges: Edges,
  { metrics }: Pick<Parts, 'metrics'>,
  signal: AbortSignal,
  waits: (why: string) => void,
): Promise<FoundEngine | undefined> {
  while (!signal.aborted) {
    try {
      const { name } = await edges.openEngine(config, 'local').info()
      const engine = timedEngine(edges.openEngine(config, name === '' ? 'local' : name), metrics, edges.now)
      return { engine, subnet: await findSubnet(engine, config.cluster, config.podCidr) }
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      waits(`waiting for the Docker Engine at ${config.docker}: ${error.message}`)
      await pause(edges.timers, ENGINE_RETRY_MS, signal)
    }
  }
  return undefined
}

/** Watches for the end: told to stop, locked out, or, with `once`, settled. */
async function follow(config: Config, running: Running, edges: Edges, signal: AbortSignal, log: Logger): Promise<number> {
  while (!signal.aborted) {
    const lockedBy = running.nodes.map((node) => node.lockedBy()).find((who) => who !== '')
    if (lockedBy !== undefined) {
      log.error(
        `refusing to run: ${lockedBy}. Two daemons must never drive one cluster: stop the other one, or choose another --cluster`,
      )
      return 1
    }
    const settled = config.once ? onceOutcome(running) : undefined
    if (settled !== undefined) {
      log[settled.code === 0 ? 'info' : 'error']({ code: settled.code }, settled.message)
      return settled.code
    }
    await pause(edges.timers, FOLLOW_MS, signal)
  }
  return 0
}

function onceOutcome({ sync, world }: Running): { code: number; message: string } | undefined {
  const status = sync.status()
  if (status.error !== '') return { code: 1, message: status.error }
  if (!sync.rendered()) return undefined
  const failed = [...world.statuses.values()].find(({ condition }) => condition === 'Failed')
  if (failed !== undefined) return { code: 1, message: `${failed.key}: ${failed.message}` }
  const conflict = [...world.services.values()].find(({ condition }) => condition === 'PortConflict')
  if (conflict !== undefined) return { code: 1, message: `${conflict.key}: ${conflict.message}` }
  if (!sync.settled()) return undefined
  if (status.problems.length > 0) return { code: 1, message: status.problems.join('; ') }
  return { code: 0, message: `revision ${status.attempted} is healthy` }
}

async function takeApart(running: Running | undefined): Promise<void> {
  if (running === undefined) return
  // Waiting steps (a stop with its grace) go on in the engine; the next daemon finds them where they are.
  void running.loop.stop()
  for (const node of running.nodes) await node.stop()
}
