/** The daemon: puts sources, nodes, loop and API together, and takes them apart in order. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Check } from '../api/check.ts'
import { startApi } from '../api/server.ts'
import type { Config } from '../config.ts'
import { pollSource } from '../git/poller.ts'
import type { Logger } from '../logging.ts'
import { timedEngine } from '../metrics/engine.ts'
import { createMetrics, type Metrics } from '../metrics/metrics.ts'
import { runningContainers, startUsageSampler, type UsageSampler } from '../metrics/usage.ts'
import { type Cluster, defineCluster } from '../reconcilers/cluster.ts'
import { LABEL } from '../reconcilers/names.ts'
import type { ClusterStatus, NodeStatus } from '../reconcilers/status.ts'
import { findTools } from '../render/tools.ts'
import { dockerEngine } from '../runtime/docker/engine.ts'
import { type Engine, EngineError } from '../runtime/engine.ts'
import { verifyFiles } from '../runtime/files.ts'
import { createProber } from '../runtime/prober.ts'
import { createProbeRunner } from '../runtime/probes/action.ts'
import { pause } from '../runtime/timers.ts'
import { createVault, type Vault } from '../runtime/vault.ts'
import { openStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import type { Edges } from './edges.ts'
import { readLogs } from './logs.ts'
import { createLoop, type Loop } from './loop.ts'
import { type NodeRuntime, startNode } from './node.ts'
import { pruneConfig } from './preview.ts'
import { makeSource } from './source.ts'
import { findSubnet } from './subnet.ts'
import { createSync, type Sync } from './sync.ts'
import { createWorld, type World } from './world.ts'

export interface Daemon {
  readonly url: string
  status(): ClusterStatus
  sync(): Promise<void>
  /** Resolves with the exit code: when told to stop, when another daemon holds the cluster, or with `once` when all is settled. */
  readonly done: Promise<number>
}

/** How often the engine is asked for while it does not answer: ms. */
const ENGINE_RETRY_MS = 1_000
/** A loop that has had work for this long without a turn is stuck: ms. */
const STUCK_MS = 60_000
const ENGINE_TIMEOUT_MS = 30_000
const SUFFIX = 'bcdfghjklmnpqrstvwxz2456789'

/** Everything that exists once the engine has answered for the first time. */
interface Running {
  readonly cluster: Cluster
  readonly nodes: readonly NodeRuntime[]
  readonly world: World
  readonly loop: Loop
  readonly sync: Sync
  readonly poll: () => Promise<void>
  readonly usage: UsageSampler
}

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
  log.info({ url: api.url, cluster: config.cluster, version: edges.version }, `listening on ${api.url}`)
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

interface Parts {
  readonly store: Store
  readonly vault: Vault
  readonly metrics: Metrics
  readonly log: Logger
  readonly signal: AbortSignal
}

async function assemble(config: Config, edges: Edges, engine: Engine, parts: Parts): Promise<Running> {
  const { store, vault, metrics, log, signal } = parts
  const { now, timers } = edges
  const subnet = await findSubnet(engine, config.cluster, config.podCidr)
  const cluster = defineCluster({
    id: config.cluster,
    domain: config.domain,
    subnet,
    nodeImage: config.nodeImage ?? edges.nodeImage,
    extraLabels: edges.extraLabels ?? {},
  })
  let loop: Loop | undefined
  const prober = createProber({
    timers,
    now,
    random: edges.random,
    runAction: createProbeRunner({ engineOf: () => engine, redact: vault.redact }),
    onChange: (containerId) => {
      for (const node of nodes)
        for (const [owner, pods] of node.pods())
          if (pods.some(({ containers }) => [...containers.values()].flat().some(({ id }) => id === containerId)))
            loop?.queue.add(owner)
    },
  })
  const nodes = [
    await startNode({
      engine,
      cluster,
      owner: `trireme ${edges.version} on ${hostname()}, pid ${process.pid}`,
      timers,
      now,
      redact: vault.redact,
      changed: (keys) => {
        if (keys === 'all') loop?.markAll()
        else for (const key of keys) loop?.queue.add(key)
      },
      failed: (what, error) => log.warn({ err: error }, `cannot ${what}`),
    }),
  ]
  const world = createWorld(cluster, nodes, store, prober.states)
  seedReadiness(world, nodes, prober.seed)
  let held = false
  loop = createLoop({
    world,
    nodes,
    store,
    vault,
    metrics,
    log,
    now,
    timers,
    ids: () => ({
      uid: edges.uuid(),
      suffix: Array.from({ length: 5 }, () => SUFFIX[Math.floor(edges.random() * SUFFIX.length)]).join(''),
    }),
    revision: () => sync.revision(),
    changed: () => {
      prober.sync(world.probes())
      sync.follow()
      if (held || !nodes.every((node) => node.view().router.connected)) return
      held = true
      loop?.markAll()
    },
    active: () => held,
  })
  const source = makeSource(config, edges)
  const sync = createSync({
    config,
    source,
    describe: describeSource(config),
    store,
    world,
    vault,
    metrics,
    log,
    now,
    render: {
      name: source.name,
      namespace: config.namespace,
      allowRemote: config.render.allowRemote,
      cacheDir: join(config.dataDir, 'renders'),
    },
    tools: findTools({ path: edges.environment.PATH ?? '', cacheDir: join(config.dataDir, 'tools') }),
    namespace: config.namespace,
    allow: config.allow,
    prune: pruneConfig(config),
    signal,
    wanted: (keys) => {
      loop?.failures.forgive((_, failure) => failure.kind === 'config')
      for (const key of keys) loop?.queue.add(key)
    },
    note: (reason, message, warning) =>
      loop?.note({ type: warning ? 'Warning' : 'Normal', reason, object: `Source//${source.name}`, message }),
  })
  const poller = pollSource(source, {
    intervalMs: config.intervalMs,
    jitter: 0.1,
    random: edges.random,
    timers,
    now,
    onRevision: (poll) => void sync.take(poll).catch((error: unknown) => log.error({ err: error }, 'cannot take the revision')),
    onFailure: (error) => sync.failed(error),
    onPolled: ({ result, durationMs }) => {
      metrics.gitPoll(source.name, result, durationMs / 1000)
      if (result !== 'failed') sync.fetched()
    },
    signal,
  })
  void verifyFiles({
    targets: () => nodes.flatMap((node) => node.fileTargets()),
    timers,
    digest: vault.digest,
    signal,
    onResult: (volume, digests) => {
      for (const node of nodes)
        if (node.view().volumes.has(volume) && node.filesRead(volume, digests))
          loop?.queue.add(node.view().volumes.get(volume)?.labels[LABEL.owner] ?? '')
    },
    onError: (volume, error) => log.warn({ err: error }, `cannot read back volume ${volume}`),
  })
  const usage = startUsageSampler({
    engine: () => engine,
    list: () => runningContainers({ workloads: [...world.statuses.values()] } as unknown as ClusterStatus),
    sleep: (ms, stop) => pause(timers, ms, stop),
  })
  signal.addEventListener('abort', () => {
    prober.stop()
    usage.stop()
    void poller.stop()
    void source.close()
  })
  loop.markAll()
  return { cluster, nodes, world, loop, sync, usage, poll: () => poller.syncNow() }
}

/** A pod that was ready stays so until its probe has really failed: a restart of the daemon takes nobody out. */
function seedReadiness(world: World, nodes: readonly NodeRuntime[], seed: (containerId: string, ready: boolean) => void): void {
  const ready = new Set(
    [...world.store.workloads().values()].flatMap(({ pods }) =>
      pods.filter(({ readySince }) => readySince > 0).map(({ uid }) => uid),
    ),
  )
  // Pods of a lost store are taken over as they are found.
  for (const node of nodes)
    for (const [owner, pods] of node.pods())
      for (const pod of pods)
        if (ready.has(pod.uid) || !world.store.workloads().has(owner))
          for (const view of [...pod.containers.values()].flat()) if (view.state === 'running') seed(view.id, true)
}

/** Watches for the end: told to stop, locked out, or, with `once`, settled. */
async function follow(config: Config, running: Running, edges: Edges, signal: AbortSignal, log: Logger): Promise<number> {
  while (!signal.aborted) {
    const lockedBy = running.nodes.map((node) => node.lockedBy()).find((who) => who !== '')
    if (lockedBy !== undefined) {
      log.error(
        { cluster: config.cluster },
        `refusing to run: ${lockedBy}. Two daemons must never drive one cluster: stop the other one, or choose another --cluster`,
      )
      return 1
    }
    const settled = config.once ? onceOutcome(running) : undefined
    if (settled !== undefined) {
      log.info({ code: settled.code }, settled.message)
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

function describeSource({ source }: Config): { repo: string; branch: string; path: string } {
  if (source === null) return { repo: '', branch: '', path: '' }
  return source.kind === 'git'
    ? { repo: source.url, branch: source.branch, path: source.path }
    : { repo: source.dir, branch: '', path: source.path }
}

function clusterStatus(
  config: Config,
  edges: Edges,
  startedAt: number,
  running: Running | undefined,
  waiting: string,
): ClusterStatus {
  const head = { cluster: config.cluster, version: edges.version, startedAt }
  if (running === undefined)
    return { ...head, sources: [], workloads: [], services: [], nodes: [unreachableNode(waiting)], unenforced: [] }
  const { world, sync, nodes } = running
  return {
    ...head,
    sources: [sync.status()],
    workloads: sortedByKey(world.statuses),
    services: sortedByKey(world.services),
    nodes: nodes.map((node) => nodeStatus(node, running)),
    unenforced: sync.unenforced(),
  }
}

function sortedByKey<T>(items: ReadonlyMap<string, T>): T[] {
  return [...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}

function nodeStatus(node: NodeRuntime, { world, cluster }: Running): NodeStatus {
  const view = node.view()
  const { info } = view
  return {
    name: node.name,
    reachable: view.reachable,
    message: view.error,
    engineVersion: info?.version ?? '',
    apiVersion: info?.apiVersion ?? '',
    kernel: info?.kernel ?? '',
    os: info?.os ?? '',
    architecture: info?.architecture ?? '',
    cpus: info?.cpus ?? 0,
    memoryBytes: info?.memoryBytes ?? 0,
    pods: [...world.statuses.values()].reduce((sum, { pods }) => sum + pods.filter((pod) => pod.node === node.name).length, 0),
    router: { connected: view.router.connected, address: cluster.routerAddress, message: view.router.error },
  }
}

function unreachableNode(message: string): NodeStatus {
  const unknown = { engineVersion: '', apiVersion: '', kernel: '', os: '', architecture: '', cpus: 0, memoryBytes: 0, pods: 0 }
  return { name: 'local', reachable: false, message, ...unknown, router: { connected: false, address: '', message } }
}

function health(running: Running | undefined, now: number): Check[] {
  const stuck = running !== undefined && running.loop.queue.size() > 0 && now - running.loop.lastTurn() > STUCK_MS
  return [
    {
      name: 'loop',
      level: stuck ? 'fail' : 'ok',
      message: stuck ? `no pass for ${STUCK_MS / 1000} s although objects are due` : '',
      remedy: stuck ? 'restart the daemon' : '',
    },
  ]
}

function ready(running: Running | undefined, waiting: string): Check[] {
  if (running === undefined)
    return [{ name: 'engine', level: 'fail', message: waiting, remedy: 'start Docker, or point --docker at it' }]
  return running.nodes
    .flatMap((node): Check[] => {
      const { reachable, error, router } = node.view()
      return [
        {
          name: `engine ${node.name}`,
          level: reachable ? 'ok' : 'fail',
          message: error,
          remedy: reachable ? '' : 'start Docker, or point --docker at it',
        },
        { name: `router ${node.name}`, level: router.connected ? 'ok' : 'fail', message: router.error, remedy: '' },
      ]
    })
    .concat([
      { name: 'source', level: running.sync.revision() === '' ? 'fail' : 'ok', message: running.sync.status().error, remedy: '' },
    ])
}
