import { LABEL } from '../reconcilers/names.ts'
import {
  type ContainerView,
  type Engine,
  EngineError,
  type EngineEvent,
  type EngineInfo,
  type NetworkView,
  type VolumeView,
} from './engine.ts'
import { type Change, type Labels, labelsOf, ObjectCache } from './observer/cache.ts'
import { coalesce, gate } from './observer/coalesce.ts'
import { hintOf, type Known } from './observer/hints.ts'
import { CLUSTER_LABEL, type NodeSnapshot } from './snapshot.ts'
import { pause, type Timers } from './timers.ts'

/** Inspections under way at once after a burst of events. */
const parallelInspects = 8

/** Pause before the first attempt to reconnect, doubling up to the longest: ms. */
const firstPauseMs = 200
const longestPauseMs = 2_000

/**
 * What changed: anything may have (the engine came or went), or the containers, networks and volumes with
 * these labels did.
 */
export interface NodeChange {
  readonly kind: 'all' | 'objects'
  readonly labels: readonly Labels[]
  readonly containers: readonly Change<ContainerView>[]
  readonly volumes: readonly Change<VolumeView>[]
}

export interface ObserverOptions {
  readonly engine: Engine
  /** only objects with this value of the cluster label are seen */
  readonly cluster: string
  /** called after the snapshot has changed, never during `observeNode` itself */
  readonly onChange: (change: NodeChange) => void
  readonly now: () => number
  readonly timers: Timers
  /** ms between full lists while nothing else asks for one */
  readonly relistMs?: number
  /** ends the observation, as `stop` does */
  readonly signal: AbortSignal
}

export interface NodeObserver {
  /** The same value until something changes; its maps are live, their values frozen. */
  snapshot(): NodeSnapshot
  /**
   * Looks at one container, by id or name, now: what the snapshot shows afterwards was asked for after this
   * call. Never rejects; an engine that does not answer is unreachable from then on.
   */
  refresh(id: string): Promise<void>
  /** The same for the networks and volumes, which are listed as a whole. */
  refreshShared(): Promise<void>
  /** The same for the volumes of one pod, by its uid. */
  refreshVolumes(podUid: string): Promise<void>
  /** Lists everything again. Never rejects, as above. */
  relist(): Promise<void>
  /** Ends the observation; the snapshot stays as it is, and `onChange` is not called again. */
  stop(): Promise<void>
}

/**
 * Keeps a picture of one node, fed by its events, a full list at every (re)connect and a slow timer.
 *
 * Events are hints that something is worth a look: they are lossy, so none is believed. The subscription
 * comes before the list, so nothing falls between the two. Reconnects for ever.
 *
 * Starts at once; await `relist` to have the first picture.
 */
export function observeNode(options: ObserverOptions): NodeObserver {
  const { engine, timers, now, onChange, relistMs = 60_000 } = options
  const filter = [`${CLUSTER_LABEL}=${options.cluster}`]
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])

  const containers = new ObjectCache<ContainerView>(({ id }) => id)
  const networks = new ObjectCache<NetworkView>(({ name }) => name)
  const volumes = new ObjectCache<VolumeView>(({ name }) => name)
  let info: EngineInfo | undefined
  let reach = { reachable: false, since: now(), error: `node ${engine.node} has not been observed yet` }
  let current: NodeSnapshot | undefined
  /** The subscription under way; aborting it leads to a reconnect. */
  let session = new AbortController()
  /** whether the session got as far as a full list */
  let listed = false

  const changed = (change: NodeChange): void => {
    current = undefined
    for (const volume of change.volumes) notePod(volume)
    if (!signal.aborted) onChange(change)
  }

  /** names by pod uid */
  const volumesOfPod = new Map<string, Set<string>>()

  function notePod({ before, after }: Change<VolumeView>): void {
    const view = after ?? before
    const uid = view?.labels[LABEL.podUid]
    if (view === undefined || uid === undefined) return
    const names = volumesOfPod.get(uid) ?? new Set<string>()
    if (after === undefined) names.delete(view.name)
    else names.add(view.name)
    if (names.size === 0) volumesOfPod.delete(uid)
    else volumesOfPod.set(uid, names)
  }

  const changedObjects = (what: Changed): void => {
    const change = changeOf('objects', what)
    if (change.labels.length > 0) changed(change)
  }

  /** The engine did not answer: the session is over, and what is known is old. */
  const lost = (cause: unknown): void => {
    session.abort()
    const error = cause instanceof Error ? cause.message : String(cause)
    if (!reach.reachable && reach.error === error) return
    reach = { reachable: false, since: reach.reachable ? now() : reach.since, error }
    changed(changeOf('all', {}))
  }

  /** Runs an observation. When it fails the session is over, unless that is over already. */
  const observe = async (ask: () => Promise<void>): Promise<void> => {
    const mine = session
    try {
      await ask()
    } catch (error) {
      if (!signal.aborted && !mine.signal.aborted) lost(error)
    }
  }

  const listShared = coalesce(async () => {
    const [networkTicket, volumeTicket] = [networks.ticket(), volumes.ticket()]
    const [networkViews, volumeViews] = await Promise.all([engine.listNetworks(filter), engine.listVolumes(filter)])
    changedObjects({
      networks: networks.putList(networkViews, networkTicket),
      volumes: volumes.putList(volumeViews, volumeTicket),
    })
  })

  const refreshShared = (): Promise<void> => observe(listShared)

  /** All volumes in one list would be longer with every pod, and asked for with each. */
  const listVolumesOf = async (podUid: string): Promise<void> => {
    const ticket = volumes.ticket()
    const views = await engine.listVolumes([...filter, `${LABEL.podUid}=${podUid}`])
    const known = [...(volumesOfPod.get(podUid) ?? [])]
    changedObjects({ volumes: volumes.putPart(views, known, ticket) })
  }

  const volumeLists = new Map<string, () => Promise<void>>()

  const refreshVolumes = (podUid: string): Promise<void> => {
    const again = volumeLists.get(podUid) ?? coalesce(() => observe(() => through(() => listVolumesOf(podUid))))
    volumeLists.set(podUid, again)
    return again().finally(() => volumeLists.delete(podUid))
  }

  /** The list may be from before it was made: a pod is not given up for that. Where nothing else can be found out, the list decides. */
  const lookAgain = async (id: string): Promise<void> => {
    try {
      await through(() => inspect(id))
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'unreachable') throw error
    }
  }

  const listAll = async (): Promise<void> => {
    const mine = session
    const ticket = containers.ticket()
    const [engineInfo, views] = await Promise.all([engine.info(), engine.listContainers(filter), listShared()])
    await Promise.all(containers.unlisted(views, ticket).map(lookAgain))
    // A list of a session that is over may be from before what the next one has seen.
    if (mine.signal.aborted) return
    if (JSON.stringify(info) !== JSON.stringify(engineInfo)) [info, current] = [engineInfo, undefined]
    listed = true
    const changes = containers.putList(views, ticket)
    for (const id of inspects.keys()) if (!containers.has(id)) inspects.delete(id)
    if (reach.reachable) return changedObjects({ containers: changes })
    reach = { reachable: true, since: now(), error: '' }
    changed(changeOf('all', { containers: changes }))
  }

  const relist = coalesce(() => observe(listAll))

  const inspects = new Map<string, () => Promise<void>>()
  const through = gate(parallelInspects)

  const inspect = async (id: string): Promise<void> => {
    const ticket = containers.ticket()
    const view = await engine.inspectContainer(id)
    const ours = view?.labels[CLUSTER_LABEL] === options.cluster ? view : undefined
    changedObjects({ containers: containers.put(view?.id ?? id, ours, ticket) })
  }

  /** One container that cannot be looked at is no reason to give up the engine: the list decides. */
  const inspectOrList = async (id: string): Promise<void> => {
    try {
      await through(() => inspect(id))
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'unreachable') throw error
      // Not while it holds one of the places: the list has to look at some itself.
      await relist()
    }
  }

  const refresh = (id: string): Promise<void> => {
    const again = inspects.get(id) ?? coalesce(() => observe(() => inspectOrList(id)))
    inspects.set(id, again)
    return again().finally(() => {
      if (!containers.has(id)) inspects.delete(id)
    })
  }

  const known: Known = {
    cluster: options.cluster,
    // A container that has just been created may be under its first inspection still.
    container: (id) => containers.has(id) || inspects.has(id),
    network: (name) => networks.has(name),
    volume: (name) => volumes.has(name),
  }

  const look = (event: EngineEvent): void => {
    const hint = hintOf(event, known)
    if (hint?.kind === 'container') void refresh(hint.id)
    else if (hint?.kind === 'volumes') void refreshVolumes(hint.podUid)
    else if (hint?.kind === 'shared') void refreshShared()
  }

  /** One subscription, from connect to drop. Throws when there is none. */
  const watch = async (): Promise<void> => {
    session = new AbortController()
    const alive = AbortSignal.any([signal, session.signal])
    for await (const event of engine.events(0, alive)) {
      if (event.type === 'other' && event.action === 'subscribed') void relist()
      else look(event)
    }
  }

  const run = async (): Promise<void> => {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      listed = false
      await watch().catch((error: unknown) => {
        if (!signal.aborted) lost(error)
      })
      if (listed) pauseMs = firstPauseMs
      if (!signal.aborted) await pause(timers, pauseMs, signal)
    }
  }

  const tick = async (): Promise<void> => {
    while (!signal.aborted) {
      await pause(timers, relistMs, signal)
      if (!signal.aborted && reach.reachable) await relist()
    }
  }

  const running = Promise.all([run(), tick()])

  return {
    snapshot() {
      current ??= Object.freeze({
        node: engine.node,
        ...reach,
        info,
        containers: containers.views(),
        networks: networks.views(),
        volumes: volumes.views(),
      })
      return current
    },
    refresh,
    refreshShared,
    refreshVolumes,
    relist,
    async stop() {
      ended.abort()
      await running
    },
  }
}

interface Changed {
  readonly containers?: readonly Change<ContainerView>[]
  readonly volumes?: readonly Change<VolumeView>[]
  readonly networks?: readonly Change<NetworkView>[]
}

function changeOf(kind: NodeChange['kind'], { containers = [], volumes = [], networks = [] }: Changed): NodeChange {
  return { kind, containers, volumes, labels: [...labelsOf(networks), ...labelsOf(volumes), ...labelsOf(containers)] }
}
