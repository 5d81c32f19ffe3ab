/** The daemon as a process: its memory, its API, and the life between them. */
import { startApi } from '../api/server.ts'
import type { Config } from '../config.ts'
import { createMetrics } from '../metrics/metrics.ts'
import type { ClusterStatus } from '../reconcilers/status.ts'
import type { Engine } from '../runtime/engine.ts'
import { pause } from '../runtime/timers.ts'
import { createTokenSigner } from '../runtime/tokens.ts'
import { createVault } from '../runtime/vault.ts'
import { loadTokenKey } from '../store/tokenkey.ts'
import { takeCondition } from './conditions.ts'
import type { Edges } from './edges.ts'
import { type Life, live } from './life.ts'
import { readLogs } from './logs.ts'
import { clusterStatus, health, ready } from './report.ts'

export interface Daemon {
  readonly url: string
  status(): ClusterStatus
  sync(): Promise<void>
  /** Resolves with the exit code: when told to stop, when another daemon holds the cluster, or with `once` when all is settled. */
  readonly done: Promise<number>
}

/** Starts everything. Errors: `StoreError`, `ConfigError`, or the API's own when its port is taken. */
export async function startDaemon(config: Config, edges: Edges): Promise<Daemon> {
  const notices: string[] = []
  const store = edges.openStore({
    dir: config.dataDir,
    now: edges.now,
    random: edges.randomBytes,
    onNotice: (message) => notices.push(message),
  })
  const vault = createVault(store.digestKey())
  const log = edges.logger(vault)
  for (const notice of notices) log.warn(notice)
  const tokens = createTokenSigner({
    issuer: () => issuerOf(config, api.port),
    loadKey: () => loadTokenKey(config.dataDir, edges, (notice) => log.warn(notice)),
    uuid: edges.uuid,
  })
  const startedAt = edges.now()
  let life: Life | undefined
  const running = () => life?.running()
  const waiting = () => life?.waiting() ?? 'starting'
  const poll = async () => running()?.poll()
  const engineOf = (name: string): Engine | undefined => running()?.nodes.find((node) => node.name === name)?.engine

  const status = (): ClusterStatus => clusterStatus(config, edges, startedAt, running(), waiting())
  const turn = () => pause(edges.timers, 0, edges.signal)
  const metrics = createMetrics({ version: edges.version, status, usage: () => running()?.usage.samples() ?? [], turn })
  const webhookSecret = config.webhookSecretFile === undefined ? '' : (await edges.readText(config.webhookSecretFile)).trim()
  const api = await startApi(
    {
      registry: metrics,
      status,
      events: (limit) => store.events(limit),
      logs: (query, signal) => readLogs(status(), query, engineOf, signal, vault.redact, edges.now),
      condition: (condition) => takeCondition(running(), store, condition),
      sync: () => void poll(),
      health: () => health(running(), edges.now()),
      ready: () => ready(running(), waiting()),
      openid: tokens,
      webhookSecret,
      failed: (error) => log.error({ err: error }, 'request failed'),
    },
    config.listen,
  )
  log.info({ url: api.url, version: edges.version }, `listening on ${api.url}`)
  life = live(config, edges, { store, vault, tokens, metrics, log })
  const done = life.done.finally(async () => {
    await api.close()
    store.close()
  })
  return { url: api.url, status, sync: poll, done }
}

/** Who signs tokens: what the operator says, else where the API listens. */
function issuerOf({ serviceAccountIssuer, listen: { host } }: Config, port: number): string {
  if (serviceAccountIssuer !== undefined) return serviceAccountIssuer
  const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}
