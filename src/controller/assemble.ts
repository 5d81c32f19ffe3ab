/** The parts of a running daemon, wired to each other. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { type Poller, pollSource } from '../git/poller.ts'
import type { Source } from '../git/source.ts'
import type { Logger } from '../logging.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { runningContainers, startUsageSampler, type UsageSampler } from '../metrics/usage.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import { type Cluster, defineCluster } from '../reconcilers/cluster.ts'
import { LABEL } from '../reconcilers/names.ts'
import type { Failure } from '../reconcilers/observed.ts'
import { findTools } from '../render/tools.ts'
import { clearUnfinished } from '../render/unfinished.ts'
import type { Engine } from '../runtime/engine.ts'
import { verifyFiles } from '../runtime/files.ts'
import { createProber, type Prober } from '../runtime/prober.ts'
import { pause } from '../runtime/timers.ts'
import type { TokenSigner } from '../runtime/tokens.ts'
import type { Vault } from '../runtime/vault.ts'
import type { Store } from '../store/store.ts'
import type { Edges } from './edges.ts'
import { createLoop, type Loop } from './loop.ts'
import { type NodeRuntime, startNode } from './node.ts'
import { readyRuns } from './readyruns.ts'
import { createSync, type Sync } from './sync.ts'
import { createWorld, type World } from './world.ts'

/** What pod names end in: Kubernetes' alphabet, without vowels and look-alikes. */
const SUFFIX = 'bcdfghjklmnpqrstvwxz2456789'

/** Everything that exists once the engine has answered for the first time. */
export interface Running {
  readonly cluster: Cluster
  readonly nodes: readonly NodeRuntime[]
  readonly world: World
  readonly loop: Loop
  readonly sync: Sync
  readonly poll: () => Promise<void>
  readonly usage: UsageSampler
}

export interface Parts {
  readonly store: Store
  readonly vault: Vault
  readonly tokens: TokenSigner
  readonly metrics: Metrics
  readonly log: Logger
  readonly signal: AbortSignal
}

/** An engine that has answered, and the subnet that the cluster has or gets on it. */
export interface FoundEngine {
  readonly engine: Engine
  readonly subnet: string
}

/** Makes everything that needs the engine, and sets it going. */
export async function assemble(config: Config, edges: Edges, { engine, subnet }: FoundEngine, parts: Parts): Promise<Running> {
  const due: Due = { keys: () => undefined, all: () => undefined }
  const cluster = makeCluster(config, edges, subnet)
  const nodes = [await makeNode(config, cluster, edges, engine, parts, due)]
  const prober = makeProber(nodes, edges, engine, parts, due)
  const world = createWorld(cluster, nodes, parts.store, prober.states, prober.sync)
  for (const id of readyRuns(parts.store.workloads(), nodes)) prober.seed(id, true)
  const source = edges.openSource(config)
  const { loop, sync } = makeLoop(config, edges, parts, { world, nodes, source, due })
  const failed = (error: unknown): void => parts.log.error({ err: error }, 'cannot take up the last revision')
  void sync.resume().catch(failed)
  const poller = startPolling(config, edges, parts, source, sync)
  startReadingBack(nodes, edges, parts, due)
  const usage = startUsageSampler({
    engine: () => engine,
    list: () => runningContainers([...world.statuses.values()]),
    sleep: (ms, stop) => pause(edges.timers, ms, stop),
  })
  parts.signal.addEventListener('abort', () => {
    prober.stop()
    usage.stop()
    void poller.stop()
    void source.close()
  })
  loop.markAll()
  return { cluster, nodes, world, loop, sync, usage, poll: () => poller.syncNow() }
}

/** How what is observed reaches the loop; wired once there is one. */
interface Due {
  keys: (keys: readonly ObjectKey[]) => void
  all: () => void
}

/** The cluster as this configuration has it. */
export function makeCluster(config: Config, edges: Pick<Edges, 'nodeImage' | 'extraLabels'>, subnet: string): Cluster {
  const nodeImage = config.nodeImage ?? edges.nodeImage
  const { nodeLabels, nodeTaints, nodeResources, nodeAllocatable } = config
  return defineCluster({
    id: config.cluster,
    domain: config.domain,
    subnet,
    nodeImage,
    nodeLabels,
    nodeTaints,
    nodeResources,
    nodeAllocatable,
    extraLabels: edges.extraLabels ?? {},
  })
}

function makeNode(
  { seccompProfileRoot }: Config,
  cluster: Cluster,
  edges: Edges,
  engine: Engine,
  { vault, log }: Parts,
  due: Due,
): Promise<NodeRuntime> {
  return startNode({
    engine,
    cluster,
    seccompRoot: seccompProfileRoot,
    // Two daemons may well have the same host name and process id: containers have 1.
    owner: `trireme ${edges.version} on ${hostname()}, pid ${process.pid} (${edges.uuid().slice(0, 8)})`,
    timers: edges.timers,
    now: edges.now,
    redact: vault.redact,
    knows: (digest) => vault.get(digest) !== undefined,
    changed: (keys) => (keys === 'all' ? due.all() : due.keys(keys)),
    failed: (what, error) => log.warn({ err: error }, `cannot ${what}`),
  })
}

function makeProber(nodes: readonly NodeRuntime[], edges: Edges, engine: Engine, { vault }: Parts, due: Due): Prober {
  const ownerOf = (containerId: string): ObjectKey[] =>
    nodes.flatMap((node) => node.view().containers.get(containerId)?.labels[LABEL.owner] ?? [])
  return createProber({
    timers: edges.timers,
    now: edges.now,
    random: edges.random,
    runAction: edges.probeRunner({ engineOf: () => engine, redact: vault.redact, timers: edges.timers }),
    onChange: (containerId) => due.keys(ownerOf(containerId)),
  })
}

interface LoopParts {
  readonly world: World
  readonly nodes: readonly NodeRuntime[]
  readonly source: Source
  readonly due: Due
}

/** A folder of the data directory, which this process has alone: what one before it did not finish is gone. */
function ownFolder(config: Config, name: string): string {
  const folder = join(config.dataDir, name)
  clearUnfinished(folder)
  return folder
}

function makeLoop(
  config: Config,
  edges: Edges,
  parts: Parts,
  { world, nodes, source, due }: LoopParts,
): { loop: Loop; sync: Sync } {
  const { now, timers } = edges
  /** Every router has been held once: only then is it sure that no other daemon drives this cluster. */
  let held = false
  const loop = createLoop({
    ...parts,
    world,
    nodes,
    now,
    timers,
    ids: () => ({ uid: edges.uuid(), suffix: suffix(edges.random) }),
    revision: () => sync.revision(),
    changed: () => {
      sync.follow()
      if (held || !nodes.every((node) => node.view().router.connected)) return
      held = true
      loop.markAll()
    },
    active: () => held,
  })
  const sync = createSync({
    ...parts,
    config,
    source,
    world,
    now,
    render: {
      name: source.name,
      namespace: config.namespace,
      allowRemote: config.render.allowRemote,
      cacheDir: ownFolder(config, 'renders'),
    },
    tools: findTools({ path: edges.environment.PATH ?? '', cacheDir: ownFolder(config, 'tools') }),
    wanted: (keys) => {
      // What was missing, credentials and images among it, may have come with this revision.
      const isMended = ({ kind }: Failure): boolean => ['config', 'imageDenied', 'imageNotFound'].includes(kind)
      const waiting = [...loop.failures.all.values()].some(isMended)
      loop.failures.forgive((_, failure) => isMended(failure))
      if (waiting) due.all()
      else due.keys(keys)
      loop.askWaiting()
    },
    note: (reason, message, warning) =>
      loop.note({ type: warning ? 'Warning' : 'Normal', reason, object: `Source//${source.name}`, message }),
  })
  due.keys = (keys) => {
    for (const key of keys) loop.queue.add(key)
  }
  due.all = () => {
    // Nothing was wrong with those steps themselves: they need not wait once the engine is back.
    loop.failures.forgive((_, failure) => failure.kind === 'unreachable')
    loop.markAll()
  }
  return { loop, sync }
}

function suffix(random: () => number): string {
  return Array.from({ length: 5 }, () => SUFFIX[Math.floor(random() * SUFFIX.length)]).join('')
}

function startPolling(config: Config, edges: Edges, { metrics, signal }: Parts, source: Source, sync: Sync): Poller {
  const poller = pollSource(source, {
    intervalMs: config.intervalMs,
    jitter: 0.1,
    random: edges.random,
    timers: edges.timers,
    now: edges.now,
    onRevision: (poll) => void sync.take(poll).then((taken) => (taken ? undefined : poller.forget())),
    onFailure: (error) => sync.failed(error),
    onPolled: ({ result, durationMs }) => {
      metrics.gitPoll(source.name, result, durationMs / 1000)
      if (result !== 'failed') sync.fetched()
    },
    signal,
  })
  return poller
}

/** Nothing tells when somebody edits a file in a volume, so what was put there is read back, slowly and for ever. */
function startReadingBack(nodes: readonly NodeRuntime[], edges: Edges, { vault, log, signal }: Parts, due: Due): void {
  void verifyFiles({
    targets: () => nodes.flatMap((node) => node.fileTargets()),
    timers: edges.timers,
    digest: vault.digest,
    signal,
    onResult: (volume, digests) => {
      const holders = nodes.filter((node) => node.view().volumes.has(volume) && node.filesRead(volume, digests))
      due.keys(holders.flatMap((node) => node.view().volumes.get(volume)?.labels[LABEL.owner] ?? []))
    },
    onError: (volume, error) => log.warn({ err: error }, `cannot read back volume ${volume}`),
  })
}
