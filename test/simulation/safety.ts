/**
 * What must hold at every moment, whatever happens. It looks at the world as it is, not as the daemon sees it; of the
 * daemon it reads only what it has promised: its memory and its status.
 */

import type { LoadedObject } from '../../src/model/types/loaded.ts'
import type { Deployment, Job, Pod, ReplicaSet } from '../../src/model/types/workload.ts'
import { runOf } from '../../src/reconcilers/derived.ts'
import type { WorkloadMemory } from '../../src/reconcilers/memory.ts'
import { LABEL, SANDBOX } from '../../src/reconcilers/names.ts'
import type { Backend, RouteTable } from '../../src/reconcilers/routetable.ts'
import type { ContainerConfig, ContainerView, VolumeView } from '../../src/runtime/engine.ts'
import type { SourceRecord } from '../../src/store/store.ts'
import { behaviourOf, isSound } from './behaviour.ts'
import { type Commitments, commitments, type Pledge, pledgeOf } from './bounds.ts'
import type { Daemon } from './daemon.ts'
import { isInit, type LivePod, livePods, type RanMs } from './livepods.ts'
import { JOB_PARALLELISM } from './manifests.ts'
import { type Schedules, watchSchedules } from './schedules.ts'

/** Kinds that a simulated repository holds. */
const hasReplicas: ReadonlySet<string> = new Set(['Deployment', 'ReplicaSet', 'StatefulSet'])
const runs: ReadonlySet<string> = new Set([...hasReplicas, 'DaemonSet', 'Pod'])

/** What a value of a simulated Secret looks like. */
const VALUE = /hush-[0-9a-f]{24}/
/** How a token begins. */
const TOKEN = /eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+/
export const SECRET = new RegExp(`${VALUE.source}|${TOKEN.source}`)

export class Violation extends Error {
  readonly invariant: string
  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`)
    this.invariant = invariant
    this.name = 'Violation'
  }
}

export interface SafetyWorld {
  readonly ranMs: RanMs
  /** ms since the world began, whatever its clocks say */
  elapsed(): number
  containers(): Iterable<ContainerView>
  volumes(): readonly VolumeView[]
  daemon(): Daemon | undefined
  serving(): RouteTable | undefined
  isForeign(target: string): boolean
  /** nobody but the daemon has touched pods, router or engine: then nothing but the daemon can be to blame */
  readonly calm: boolean
}

export interface Safety {
  /** Before the daemon has an engine operation done. */
  asked(op: string, args: readonly unknown[]): void
  /** After anything has changed in the engine or the router. */
  look(): void
  /** The daemon has written down how far its source has come. */
  recorded(record: SourceRecord): void
  /** The daemon has taken an object on as it is now: each counts, also one that is replaced before anything else happens. */
  applied(key: string, object: LoadedObject): void
  /** The daemon has begun to take an object down: nothing is promised of it any more, also if it comes back. */
  forgot(key: string): void
  /** The data directory is gone: nothing tells any more what has completed in a half removed pod, or of a Job without pods. */
  memoryLost(): void
  /** Times that have passed come again. */
  clockSetBack(): void
  served(before: RouteTable | undefined, after: RouteTable | undefined): void
  signalled(view: ContainerView, signal: string): void
  said(line: string): void
}

/** How long a token is good for, and how long a daemon that has just started may take to renew those of the one before it: ms. */
const TOKEN_MS = 600_000
const SETTLE_MS = 60_000

const CHANGES = /^(create|start|stop|kill|remove|rename|update|unpause|connect|disconnect|put)/

export function createSafety(world: SafetyWorld): Safety {
  const promised: Commitments = commitments()
  const schedules: Schedules = watchSchedules(fail)
  const applied = new Map<string, { readonly object: unknown; readonly text: string }>()
  /** init containers that have completed, by pod and name */
  const completed = new Set<string>()
  /** since when the sandboxes of pods run: in one that was started anew an init container may complete again */
  const sandboxes = new Map<string | undefined, number>()
  const completedSince = new Map<string, number | undefined>()
  /** of Jobs, as last taken on */
  const templates = new Map<string, string>()
  /** the template that a Job has last come to its end with, by key */
  const ended = new Map<string, string>()
  /** when the last token was written, by pod */
  const tokens = new Map<string, number>()
  let leading: { readonly daemon: Daemon; readonly since: number } | undefined
  let healthy = ''

  function fail(invariant: string, message: string): never {
    throw new Violation(invariant, message)
  }

  /** What the daemon has taken on: from what it has applied, and what it says is whole. */
  function follow(daemon: Daemon): void {
    const { store, life } = daemon
    const last = store.lastApplied()
    const world = life.running()?.world
    // Nothing is promised of what has left Git.
    for (const key of applied.keys())
      if (!last.has(key) || world?.targetOf(key) === null) {
        applied.delete(key)
        promised.forget(key)
      }
    for (const [key, { object }] of last) {
      if (object.kind !== 'Deployment' && object.kind !== 'ReplicaSet' && object.kind !== 'Pod') continue
      const pledge = take(key, object)
      if (world?.targetOf(key) === null) continue
      if (world !== undefined && !world.isDue(key) && world.statuses.get(key)?.healthy === true) promised.settle(key, pledge)
    }
  }

  /** What an object promises from now on. */
  function take(key: string, object: unknown): Pledge {
    const pledge = pledgeOf(object as Deployment | ReplicaSet | Pod)
    const known = applied.get(key)
    if (known?.object === object) return pledge
    const text = JSON.stringify(pledge)
    applied.set(key, { object, text })
    if (known !== undefined && known.text !== text) promised.change(key, pledge)
    return pledge
  }

  function keepsServing(key: string, pods: ReadonlyMap<string, LivePod>, table: RouteTable): void {
    const commitment = promised.of(key)
    const [, namespace, name] = key.split('/')
    const route = table.services.find((one) => one.namespace === namespace && one.name === name)
    if (commitment === undefined || route === undefined) return
    const uids = new Set(route.ports.flatMap(({ backends }) => backends.map(({ uid }) => uid)))
    const ready = [...uids].filter((uid) => pods.get(uid)?.ready === true).length
    if (ready < commitment.floor)
      fail('keeps serving', `${key} has ${ready} pods that are ready and routed, and promised ${commitment.floor}`)
  }

  /**
   * A Job has no more pods at once than it may, and what has ended does not begin again, unless its template was another
   * one meanwhile, it left Git, or its memory was lost.
   */
  function runsOnce(key: string, { job, pods, sets }: WorkloadMemory, applied: boolean): void {
    if (job === undefined) return
    const active = pods.filter(({ set, deletion, outcome }) => set === job.set && deletion === undefined && outcome === undefined)
    if (active.length > JOB_PARALLELISM) fail('stays bounded', `${key} has ${active.length} pods at once`)
    if (sets.some(({ recovered }) => recovered)) ended.delete(key)
    if (job.end === null && ended.get(key) === job.set) fail('runs once', `${key} had ended, and runs again`)
    if (job.end !== null && applied) ended.set(key, job.set)
    else ended.delete(key)
  }

  function staysBounded(daemon: Daemon): void {
    const workloads = daemon.store.workloads()
    for (const key of ended.keys()) if (!workloads.has(key)) ended.delete(key)
    for (const [key, memory] of workloads) {
      const run = runOf(workloads, key)
      runsOnce(key, memory, daemon.store.lastApplied().has(key) || (run !== undefined && run.leaving !== true))
      const ceiling = promised.of(key)?.ceiling
      const staying = memory.pods.filter(({ deletion }) => deletion === undefined).length
      if (ceiling !== undefined && staying > ceiling) fail('stays bounded', `${key} has ${staying} pods, and may have ${ceiling}`)
    }
  }

  function noteCompleted(views: readonly ContainerView[]): void {
    for (const { labels, startedAt } of views)
      if (labels[LABEL.containerName] === SANDBOX) sandboxes.set(labels[LABEL.podUid], startedAt)
    for (const view of views) {
      const place = placeOf(view.labels)
      if (!isInit(view) || view.state !== 'exited' || view.exitCode !== 0) continue
      completed.add(place)
      if (!completedSince.has(place)) completedSince.set(place, sandboxes.get(view.labels[LABEL.podUid]))
    }
  }

  /** Init containers complete once in a pod, before what is written after them is made. */
  function startsInOrder({ name: called, labels, image }: ContainerConfig): void {
    if (labels[LABEL.role] !== 'pod') return
    // An old list may lack a container that is there, and the engine refuses a second one of its name.
    if ([...world.containers()].some((view) => view.name === called)) return
    const [uid, name = ''] = [labels[LABEL.podUid], labels[LABEL.containerName]]
    const place = placeOf(labels)
    if (isInit({ image }) && completed.has(place) && completedSince.get(place) === sandboxes.get(uid))
      fail('init containers run once', `${name} of ${uid} has completed`)
    for (const { pods, sets } of world.daemon()?.store.workloads().values() ?? []) {
      const record = pods.find((pod) => pod.uid === uid)
      const spec = sets.find((set) => set.name === record?.set)?.template.spec
      if (spec === undefined || name === SANDBOX) continue
      const all = [...spec.initContainers, ...spec.containers]
      for (const earlier of spec.initContainers.slice(
        0,
        all.findIndex((one) => one.name === name),
      ))
        if (isInit(earlier) && !completed.has(placeOf({ ...labels, [LABEL.containerName]: earlier.name })))
          fail('containers start in order', `${name} of ${record?.name} is made, and ${earlier.name} has not completed`)
    }
  }

  /** A volume goes with the pod that it was made for, and not before; that of a claim never does. */
  function keepsVolumes(volume: string): void {
    const claim = world.volumes().find(({ name }) => name === volume)?.labels[LABEL.claim]
    if (claim !== undefined) fail('volumes stay', `${volume} of the claim ${claim} is removed`)
    for (const { pods } of world.daemon()?.store.workloads().values() ?? [])
      for (const { uid, name, deletion } of pods)
        if (deletion === undefined && volume.includes(uid))
          fail('volumes stay', `${volume} of ${name} is removed, and the pod is to stay`)
  }

  function namesAreUnique(pods: ReadonlyMap<string, LivePod>): void {
    const names = new Map<string, string>()
    for (const { uid, name } of pods.values()) {
      const other = names.get(name)
      if (other !== undefined) fail('one pod of a name', `${name} is both ${other} and ${uid}`)
      names.set(name, uid)
    }
  }

  /** What a pod of ours is known by is written into it in time; while no daemon runs, nobody does that. */
  function tokensAreGood(daemon: Daemon, pods: ReadonlyMap<string, LivePod>): void {
    const now = world.elapsed()
    if (leading?.daemon !== daemon) leading = { daemon, since: now }
    if (now - leading.since < SETTLE_MS) return
    for (const [uid, at] of tokens) {
      const pod = pods.get(uid)
      if (pod === undefined) tokens.delete(uid)
      else if (pod.ready && now - at > TOKEN_MS) fail('tokens are good', `that of ${pod.name} has expired`)
    }
  }

  /** No address leads to a pod that the route does not name: addresses are reused, identities are not. */
  function routesLeadWhereTheySay(pods: ReadonlyMap<string, LivePod>, table: RouteTable): void {
    const byAddress = new Map([...pods.values()].map((pod) => [pod.ip, pod]))
    for (const backend of backendsOf(table)) {
      const found = byAddress.get(backend.ip)
      if (found !== undefined && found.uid !== backend.uid)
        fail('routes lead where they say', `${backend.ip} is routed as ${backend.pod} and belongs to ${found.name}`)
    }
  }

  /** What the daemon has applied is the revision that it calls healthy. */
  function healthIsTrue(revision: string, daemon: Daemon): void {
    const pods = livePods(world.containers(), world.ranMs)
    for (const [key, { object }] of daemon.store.lastApplied()) {
      if (!hasReplicas.has(object.kind)) continue
      const { replicas, template } = (object as Deployment).spec
      const image = template.spec.containers[0]?.image
      const own = [...pods.values()].filter((pod) => pod.owner === key && pod.image === image)
      const ready = own.filter((pod) => pod.ready || !isSound(behaviourOf(pod.image))).length
      if (ready < replicas)
        fail(
          'healthy is true',
          `revision ${revision.slice(0, 8)} is called healthy, and ${key} has ${ready} of ${replicas} ready pods`,
        )
    }
  }

  return {
    asked(op, args) {
      if (!CHANGES.test(op)) return
      const target = String(op === 'connectNetwork' || op === 'disconnectNetwork' ? args[1] : args[0])
      if (typeof args[0] === 'string' && world.isForeign(target)) fail('foreign is untouched', `${op} ${target}`)
      if (op === 'removeVolume') keepsVolumes(target)
      if (op === 'putArchive' && TOKEN.test(Buffer.from(args[2] as Uint8Array).toString('latin1')))
        tokens.set(target.split('_').at(-2) ?? '', world.elapsed())
      if (op === 'createContainer') startsInOrder(args[0] as ContainerConfig)
      if (op === 'createContainer' && world.calm) schedules.creates(args[0] as ContainerConfig)
      if (op === 'createContainer' && SECRET.test(JSON.stringify({ ...(args[0] as object), env: [], entrypoint: [], cmd: [] })))
        fail('secrets stay secret', `a container is created with a secret outside its environment`)
    },
    look() {
      const daemon = world.daemon()
      const views = [...world.containers()]
      noteCompleted(views)
      const pods = livePods(views, world.ranMs)
      const table = world.serving()
      namesAreUnique(pods)
      if (table !== undefined) routesLeadWhereTheySay(pods, table)
      if (daemon === undefined || !daemon.isAlive()) return
      follow(daemon)
      staysBounded(daemon)
      schedules.look(views, daemon.store.workloads())
      if (world.calm) {
        tokensAreGood(daemon, pods)
        if (table !== undefined) for (const key of applied.keys()) keepsServing(key, pods, table)
      }
    },
    recorded({ healthy: revision }) {
      const before = healthy
      healthy = revision
      const daemon = world.daemon()
      if (world.calm && daemon !== undefined && revision !== before && revision !== '') healthIsTrue(revision, daemon)
    },
    applied(key, { object }) {
      if (object.kind === 'Job' && templates.get(key) !== JSON.stringify((object as Job).spec.template)) {
        templates.set(key, JSON.stringify((object as Job).spec.template))
        ended.delete(key)
      }
      if (runs.has(object.kind)) take(key, object)
      schedules.applied(key, object)
    },
    forgot(key) {
      schedules.forgot(key)
      ended.delete(key)
      applied.delete(key)
      promised.forget(key)
    },
    clockSetBack: schedules.forgotTimes,
    memoryLost() {
      schedules.forgotTimes()
      completedSince.clear()
      const owners = new Set([...world.containers()].map(({ labels }) => labels[LABEL.owner]))
      for (const key of ended.keys()) if (!owners.has(key)) ended.delete(key)
    },
    served(before, after) {
      if (!world.calm || after === undefined) return
      const known = new Set(backendsOf(before).map(({ uid }) => uid))
      const pods = livePods(world.containers(), world.ranMs)
      for (const { uid, pod, ip } of backendsOf(after)) {
        const found = pods.get(uid)
        if (known.has(uid)) continue
        if (found === undefined || found.ip !== ip)
          fail('routes lead to pods', `${pod} at ${ip} is routed and does not run there`)
        if (isSound(behaviourOf(found.image)) && !found.ready) fail('routed pods are ready', `${pod} is routed and not ready`)
      }
    },
    signalled(view, signal) {
      // Somebody's copy of a container is no part of its pod.
      if (!view.name.startsWith('k8s_')) return
      const uid = view.labels[LABEL.podUid]
      const owner = view.labels[LABEL.owner]
      const daemon = world.daemon()
      if (uid === undefined || owner === undefined || daemon === undefined) return
      const record = daemon.store
        .workloads()
        .get(owner)
        ?.pods.find((pod) => pod.uid === uid)
      // A single container may be ended in place, for failing its liveness probe.
      if (record !== undefined && record.deletion === undefined) return
      // Without its sandbox a pod has no address: nobody reaches what is left of it, whatever a route says.
      if (!livePods(world.containers(), world.ranMs).has(uid)) return
      if (backendsOf(world.serving()).some((backend) => backend.uid === uid))
        fail('route before drain', `${view.name} gets SIG${signal} while it is routed`)
    },
    said(line) {
      const found = SECRET.exec(line)
      if (found !== null) fail('secrets stay secret', `a log line holds ${found[0]}: ${line.slice(0, 300)}`)
    },
  }
}

function placeOf(labels: ContainerView['labels']): string {
  return `${labels[LABEL.podUid]}/${labels[LABEL.containerName]}`
}

function backendsOf(table: RouteTable | undefined): Backend[] {
  return table?.services.flatMap(({ ports }) => ports.flatMap(({ backends }) => backends)) ?? []
}
