/** One node as the controller holds it: its engine, what is observed of it, its router, and what steps left behind. */
import { isDeepStrictEqual } from 'node:util'
import type { Cluster } from '../reconcilers/cluster.ts'
import { routerOf } from '../reconcilers/infrastructure.ts'
import { LABEL, SANDBOX, SANDBOX_VOLUMES } from '../reconcilers/names.ts'
import type { ImageState, MessageSource, NodeView, ObservedPod } from '../reconcilers/observed.ts'
import { writersAbove } from '../reconcilers/places.ts'
import { type ContainerView, type Engine, EngineError } from '../runtime/engine.ts'
import type { VolumeTarget } from '../runtime/files.ts'
import { readMessage } from '../runtime/lastmessage.ts'
import type { Change } from '../runtime/observer/cache.ts'
import { gate } from '../runtime/observer/coalesce.ts'
import { type NodeChange, observeNode } from '../runtime/observer.ts'
import { readTail } from '../runtime/tails.ts'
import type { Timers } from '../runtime/timers.ts'
import { createNodeIndex, type NodeIndex } from './nodeindex.ts'
import { createRouterLink, type RouterLink } from './routerlink.ts'
import type { StepSite } from './steps.ts'

/** What planning reads of a node. */
export interface NodeReading extends Omit<NodeIndex, 'take'> {
  readonly name: string
  view(): NodeView
  router(): NodeView['router']
  /** names of containers whose postStart hook has ended well */
  readonly hooks: ReadonlySet<string>
  /** Last log lines of a container that ended, read when they are first asked for while all of these secret values are known. */
  tail(containerId: string, secrets: readonly string[]): readonly string[]
  /** What a container that ended has left as its message, read likewise. */
  message(containerId: string, source: MessageSource, secrets: readonly string[]): string
}

export interface NodeRuntime extends NodeReading {
  readonly engine: Engine
  readonly site: StepSite
  /** file volumes of running pods, to be read back */
  fileTargets(): readonly VolumeTarget[]
  /** Takes what was read back; whether it differs from what was known. */
  filesRead(volume: string, digests: Readonly<Record<string, string>>): boolean
  lockedBy(): string
  /** no other daemon can have taken this node over unnoticed */
  sure(): boolean
  stop(): Promise<void>
}

export interface NodeOptions {
  readonly engine: Engine
  readonly cluster: Cluster
  readonly owner: string
  /** folder of the operator's seccomp profiles */
  readonly seccompRoot: string
  readonly timers: Timers
  readonly now: () => number
  readonly redact: (text: string) => string
  /** whether the secret value with this digest is known, so that `redact` takes it out */
  readonly knows: (digest: string) => boolean
  /** keys (owners of what changed) to look at again; `all` after a reconnect */
  readonly changed: (keys: readonly string[] | 'all') => void
  /** an error that no step reports */
  readonly failed: (what: string, error: unknown) => void
}

const PULLS_PER_REGISTRY = 3

/** A gate for each name. */
function gates(limit: number): <T>(name: string, call: () => Promise<T>) => Promise<T> {
  const all = new Map<string, ReturnType<typeof gate>>()
  return (name, call) => {
    const own = all.get(name) ?? gate(limit)
    all.set(name, own)
    return own(call)
  }
}

export function nodeKey(name: string): string {
  return `Node//${name}`
}

/** Resolves once the engine has been asked for the first time, whether it answered or not. */
export async function startNode(options: NodeOptions): Promise<NodeRuntime> {
  const { engine, cluster } = options
  const images = new Map<string, ImageState>()
  const files = new Map<string, Readonly<Record<string, string>>>()
  const put = new Map<string, Readonly<Record<string, string>>>()
  const tokens = new Map<string, number>()
  const hooks = new Set<string>()
  const tails = new Map<string, readonly string[]>()
  const messages = new Map<string, string>()
  const stopping = new AbortController()
  const own = nodeKey(engine.node)
  const router: RouterLink = createRouterLink({
    engine,
    owner: options.owner,
    serviceRange: cluster.serviceRange,
    dnsAddress: cluster.dnsAddress,
    timers: options.timers,
    now: options.now,
    changed: (routes) => options.changed(routes ? 'all' : [own]),
  })
  const observer = observeNode({
    engine,
    cluster: cluster.id,
    timers: options.timers,
    now: options.now,
    signal: stopping.signal,
    onChange: (change) => {
      notice(change)
      if (change.kind === 'all') return options.changed('all')
      options.changed([own, ...change.labels.flatMap(ownersOf)])
    },
  })
  const index = createNodeIndex(engine.node)

  /** What only the difference between before and after tells. */
  function notice(change: NodeChange): void {
    index.take(change)
    router.sync(routerOf({ cluster, node: { containers: index.apart() } }))
    change.containers.forEach(noticeOne)
  }

  function forgetFiles(volume: string): void {
    files.delete(volume)
    tokens.delete(volume)
  }

  function forget(id: string, name: string): void {
    tails.delete(id)
    messages.delete(id)
    hooks.delete(name)
  }

  /** A sandbox that started anew has empty memory-backed volumes; a container that ended anew leaves other last words. */
  function noticeOne({ before, after }: Change<ContainerView>): void {
    if (before !== undefined && after === undefined) forget(before.id, before.name)
    if (after === undefined) return
    const restarted = before !== undefined && before.startedAt > 0 && after.startedAt > before.startedAt
    // An edge loads its rules anew, which is to be waited for again.
    if (restarted && after.labels[LABEL.role] === 'edge') forget(after.id, after.name)
    if (after.labels[LABEL.role] !== 'pod') return
    if (after.state === 'exited' && before?.state !== 'exited') {
      tails.delete(after.id)
      messages.delete(after.id)
    }
    if (restarted && after.labels[LABEL.containerName] === SANDBOX) for (const mount of after.mounts) forgetFiles(mount.name)
  }

  /** Keeps nothing at first, so that it is asked for once, and then what `read` gives. */
  async function fetchOnce<T>(kept: Map<string, T>, view: ContainerView, nothing: T, read: () => Promise<T>): Promise<void> {
    kept.set(view.id, nothing)
    try {
      kept.set(view.id, await read())
      options.changed(ownersOf(view.labels))
    } catch (error) {
      // A container on its way out has no last words any more.
      const gone = error instanceof EngineError && (error.kind === 'notFound' || error.kind === 'conflict')
      if (!gone) options.failed(`read the last words of ${view.name}`, error)
    }
  }

  function view(): NodeView {
    const { reachable, error, info, containers, networks, volumes } = observer.snapshot()
    const left = { images, files, put, tokens, router: router.view() }
    return { name: engine.node, reachable, error, info, containers, networks, volumes, ...left }
  }

  await observer.relist()

  return {
    ...index,
    name: engine.node,
    engine,
    view,
    router: router.view,
    hooks,
    site: {
      engine,
      images,
      files,
      put,
      tokens,
      hooks,
      refresh: observer.refresh,
      refreshShared: observer.refreshShared,
      refreshVolumes: observer.refreshVolumes,
      podOfVolume: (name) => observer.snapshot().volumes.get(name)?.labels[LABEL.podUid],
      writersAbove(volume, part) {
        const { containers, volumes } = observer.snapshot()
        return writersAbove(containers.values(), volumes.get(volume), part)
      },
      applyRoutes: (table) => router.apply(table),
      seccompRoot: options.seccompRoot,
      pulling: gates(PULLS_PER_REGISTRY),
    },
    tail(id, secrets) {
      const view = observer.snapshot().containers.get(id)
      if (view !== undefined && !tails.has(id) && secrets.every(options.knows))
        void fetchOnce(tails, view, [], () => readTail({ engine, containerId: id, redact: options.redact }))
      return tails.get(id) ?? []
    },
    message(id, source, secrets) {
      const view = observer.snapshot().containers.get(id)
      if (view !== undefined && !messages.has(id) && secrets.every(options.knows))
        void fetchOnce(messages, view, '', () => readMessage(engine, id, source, options.redact))
      return messages.get(id) ?? ''
    },
    fileTargets: () => fileTargets(engine, [...index.owners()].flatMap(index.podsOf), view()),
    filesRead(volume, digests) {
      const known = files.get(volume)
      const differs = known === undefined || !isDeepStrictEqual(known, digests)
      files.set(volume, digests)
      return differs
    },
    lockedBy: router.lockedBy,
    sure: router.sure,
    async stop() {
      stopping.abort()
      router.close()
      await observer.stop()
    },
  }
}

function ownersOf(labels: Readonly<Record<string, string>>): string[] {
  const owner = labels[LABEL.owner] ?? labels[LABEL.service]
  return owner === undefined ? [] : [owner]
}

/** A projected volume with a Secret or a token is not among them: its files have digests of several kinds. */
const READ_BACK: ReadonlySet<string> = new Set(['configMap', 'secret', 'downwardAPI', 'projected'])

function fileTargets(engine: Engine, pods: readonly ObservedPod[], node: NodeView): VolumeTarget[] {
  return pods.flatMap(({ sandbox }) => {
    if (sandbox === undefined || sandbox.state !== 'running') return []
    return sandbox.mounts.flatMap((mount) => {
      const [kind = '', name = ''] = (node.volumes.get(mount.name)?.labels[LABEL.volume] ?? '').split('/')
      if (!READ_BACK.has(kind)) return []
      return [
        { engine, volume: mount.name, container: sandbox.id, path: `${SANDBOX_VOLUMES}/${name}`, secret: kind === 'secret' },
      ]
    })
  })
}
