import { startApi } from '../api/server.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../logging.ts'
import { timedEngine } from '../metrics/engine.ts'
import { createMetrics, type Metrics } from '../metrics/metrics.ts'
import type { ClusterStatus } from '../reconcilers/status.ts'
import { dockerEngine } from '../runtime/docker/engine.ts'
import { type Engine, EngineError } from '../runtime/engine.ts'
import { pause } from '../runtime/timers.ts'
import { createVault } from '../runtime/vault.ts'
import { openStore } from '../store/sqlite.ts'
import { assemble, type Running } from './assemble.ts'
import type { Edges } from './edges.ts'
import { readLogs } from './logs.ts'
import { clusterStatus, health, ready } from './report.ts'

export interface Daemon {
  readonly url: string
  status(): ClusterStatus
  sync(): Promise<void>
  /** Resolves with the exit code: when told to stop, when another daemon holds the cluster, or with `once` when all is settled. */
  readonly done: Promise<number>
}

/** How often the engine is asked for while it does not answer: ms. */
const ENGINE_RETRY_MS = 1_000
const ENGINE_TIMEOUT_MS = 30_000

/** Starts everything. Errors: `StoreError`, `ConfigError`, or the API's own when its port is taken. */
export async function startDaemon(config: Config, edges: Edges): Promise<Daemon> {
  const notices: string[] = []
  const store = openStore({
    dir: config.dataDir,
    now: edges.now,
    random: edges.randomBytes,
    onNotice: (message) => notices.push(message),
  })
  const vault = createVault(store.digestKey())
  const log = edges.logger(vault)
  for (const notice of notices) log.warn(notice)
  const startedAt = edges.now()
  let running: Running | undefined
  let waiting = 'the engine has not answered yet'

  const status = (): ClusterStatus => clusterStatus(config, edges, startedAt, running, waiting)
  const metrics = createMetrics({ version: edges.version, status, usage: () => running?.usage.samples() ?? [] })
  const webhookSecret = config.webhookSecretFile === undefined ? '' : (await edges.readText(config.webhookSecretFile)).trim()
  const api = await startApi(
    {
      registry: metrics,
      status,
      events: (limit) => store.events(limit),
      logs: (query, signal) => readLogs(status(), query, engineOf, signal, vault.redact),
      sync: () => void running?.poll(),
      health: () => health(running, edges.now()),
      ready: () => ready(running, waiting),
      webhookSecret,
      failed: (error) => log.error({ err: error }, 'request failed'),
    },
    config.listen,
  )
  log.info({ url: api.url, version: edges.version }, `listening on ${api.url}`)
  const engineOf = (name: string): Engine | undefined => running?.nodes.find((node) => node.name === name)?.engine

  const stopping = new AbortController()
  const signal = AbortSignal.any([edges.signal, stopping.signal])
  const done = live()

  async function live(): Promise<number> {
    let code = 0
    try {
      const engine = await findEngine(config, metrics, edges, signal, (message) => {
        if (waiting !== message) log.warn(message)
        waiting = message
      })
      if (engine !== undefined) {
        running = await assemble(config, edges, engine, { store, vault, metrics, log, signal })
        code = await follow(config, running, edges, signal, log)
      }
    } finally {
      stopping.abort()
      await takeApart(running)
      await api.close()
      store.close()
    }
    return code
  }

  return { url: api.url, status, sync: async () => running?.poll(), done }
}

/** Waits for the engine; its host's name is the node's. `undefined` when told to stop before. */
async function findEngine(
  config: Config,
  metrics: Metrics,
  edges: Edges,
  signal: AbortSignal,
  waits: (why: string) => void,
): Promise<Engine | undefined> {
  const options = { host: config.docker, timeoutMs: ENGINE_TIMEOUT_MS }
  while (!signal.aborted) {
    try {
      const { name } = await dockerEngine({ ...options, node: 'local' }).info()
      return timedEngine(dockerEngine({ ...options, node: name === '' ? 'local' : name }), metrics, edges.now)
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
    await pause(edges.timers, 250, signal)
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
