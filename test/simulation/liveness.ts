/** What must come true once nothing goes wrong any more. */
import { keyOf as jobKey } from '../../src/model/types/meta.ts'
import { cronJobOf } from '../../src/reconcilers/derived.ts'
import type { WorkloadMemory } from '../../src/reconcilers/memory.ts'
import { LABEL } from '../../src/reconcilers/names.ts'
import type { WorkloadStatus } from '../../src/reconcilers/status.ts'
import { type Component, NAMESPACE } from './application.ts'
import { imageOf, isSound } from './behaviour.ts'
import { type LivePod, livePods } from './livepods.ts'
import { hasToken } from './manifests.ts'
import { SECRET, Violation } from './safety.ts'
import type { World } from './world.ts'

/** Longest backoff (5 min), longest progress deadline (10 min), and time to work: ms. */
const PATIENCE_MS = 25 * 60_000
const LOOK_MS = 2_000
const QUIET_MS = 90_000

type Workloads = ReadonlyMap<string, WorkloadMemory>

const RELIST_MS = 65_000

/** The world ends as Git wants it, and what cannot work is told as such. */
export async function converges(world: World): Promise<void> {
  const until = world.elapsed() + PATIENCE_MS
  for (;;) {
    await world.run(world.elapsed() + LOOK_MS)
    const wrong = whatIsWrong(world)
    if (wrong.length === 0) return
    if (world.elapsed() >= until) throw new Violation('converges', wrong.join('; '))
  }
}

/** Every CronJob that can runs again, at a time that comes now; then they are suspended, and the last of their Jobs ends. */
export async function runsOnTime(world: World): Promise<void> {
  const since = world.now()
  const schedules = world.application().components.filter(({ schedule }) => schedule !== null)
  if (schedules.length === 0) return
  const until = world.elapsed() + PATIENCE_MS
  const waiting = (): string[] => schedules.filter((one) => !hasRun(one, world, since)).map(keyOf)
  while (waiting().length > 0) {
    if (world.elapsed() >= until) throw new Violation('runs on time', `${waiting().join(', ')} did not run`)
    await world.run(world.elapsed() + LOOK_MS)
  }
  world.suspend()
  await converges(world)
}

/** One whose Jobs take longer than it lets them never comes to a success, and still begins them. */
function hasRun(component: Component, world: World, since: number): boolean {
  const { cronJob } = world.daemon()?.life.running()?.world.statuses.get(keyOf(component)) ?? {}
  const succeeds = isSound(component.behaviour) && component.schedule?.concurrency !== 'Replace'
  return cronJob !== undefined && (succeeds ? cronJob.lastSuccessAt : cronJob.lastScheduledAt) > since
}

/** The next pass is empty, and stays so. */
export async function staysQuiet(world: World): Promise<void> {
  if (!isWholeSound(world)) return
  // What no event told is found by the next full list.
  await world.run(world.elapsed() + RELIST_MS)
  await converges(world)
  const before = world.changes().length
  world.daemon()?.life.running()?.loop.markAll()
  await world.run(world.elapsed() + QUIET_MS)
  // A container that has proved itself is handed to Docker's own restarts, and a token is renewed, minutes later.
  const changes = world.changes().slice(before)
  const isRenewal = (change: string, at: number): boolean => changes.indexOf(change) === at && isPutOfToken(change, world)
  const done = changes.filter((change, at) => !change.startsWith('updateContainer') && !isRenewal(change, at))
  if (done.length > 0) throw new Violation('stays quiet', done.join('; '))
}

/** A token lasts longer than it is looked at here, so a second put would be one too many. */
function isPutOfToken(change: string, world: World): boolean {
  const components = world.application().components.filter(hasToken)
  return components.some(({ name }) => [`${name}-`, `${name}_`].some((pod) => change.startsWith(`putArchive k8s_POD_${pod}`)))
}

/** Nothing that the daemon tells or keeps holds a secret. */
export function tellsNoSecret(world: World): void {
  const daemon = world.daemon()
  if (daemon === undefined) return
  const { store } = daemon
  const told = { status: daemon.status(), events: store.events(5_000), history: store.history(1_000) }
  const kept = [...store.lastApplied().values(), ...store.workloads().values()]
  for (const [what, text] of Object.entries({ ...told, memory: kept })) {
    const found = SECRET.exec(JSON.stringify(text))
    if (found !== null) throw new Violation('secrets stay secret', `${found[0]} is in ${what}`)
  }
}

function isWholeSound(world: World): boolean {
  return world.application().components.every(({ behaviour, replicas }) => replicas === 0 || isSound(behaviour))
}

function whatIsWrong(world: World): string[] {
  const daemon = world.daemon()
  const running = daemon?.life.running()
  if (daemon?.isAlive() !== true || running === undefined) return ['no daemon runs']
  const head = world.head().sha
  const record = daemon.store.source('world')
  if (record?.attempted !== head) return [`revision ${head.slice(0, 8)} is not attempted: ${record?.attempted.slice(0, 8)}`]
  const pods = [...livePods(world.node.containers(), world.node.ranMs).values()]
  const workloads = daemon.store.workloads()
  const components = world.application().components
  return [
    ...components.flatMap((component) => wrongWith(component, running.world.statuses.get(keyOf(component)), pods, workloads)),
    ...(isWholeSound(world) ? [...wholeness(world, record.healthy), ...leftovers(world)] : []),
  ]
}

function keyOf({ kind, name }: Component): string {
  return `${kind}/${NAMESPACE}/${name}`
}

function wrongWith(
  component: Component,
  status: WorkloadStatus | undefined,
  pods: readonly LivePod[],
  workloads: Workloads,
): string[] {
  const { behaviour, version, replicas } = component
  const key = keyOf(component)
  if (status === undefined) return [`${key} has no status`]
  if (component.kind === 'CronJob') return wrongWithRuns(component, status, workloads)
  if (replicas > 0 && !isSound(behaviour)) {
    const deceptive = behaviour.kind === 'flap' || behaviour.kind === 'sick'
    return deceptive || (!status.healthy && status.message !== '') ? [] : [`${key} cannot work, and its status does not say so`]
  }
  if (!status.healthy) return [`${key} is ${status.condition}: ${status.message}`]
  if (component.kind === 'Job') return []
  const image = imageOf(behaviour, version)
  const own = pods.filter(({ owner }) => owner === key)
  const ready = own.filter((pod) => pod.ready && pod.image === image).length
  if (ready !== replicas || own.length !== replicas)
    return [`${key} has ${ready} ready of ${own.length} pods, and should have ${replicas}`]
  return []
}

/** A CronJob is what it should be whatever its Jobs come to; of those that have ended no more are kept than it says. */
function wrongWithRuns({ paused, schedule }: Component, status: WorkloadStatus, workloads: Workloads): string[] {
  const { key, healthy, condition, message, cronJob } = status
  if (!healthy || cronJob === undefined) return [`${key} is ${condition}: ${message}`]
  if (paused && cronJob.active > 0) return [`${key} is suspended, and ${cronJob.active} of its Jobs run`]
  const ends = workloads.get(key)?.cron?.runs.map(({ job }) => workloads.get(jobKey(job))?.job?.end?.result)
  const kept = { Complete: schedule?.keepSucceeded ?? 0, Failed: schedule?.keepFailed ?? 0 }
  return Object.entries(kept).flatMap(([result, limit]) => {
    const count = ends?.filter((end) => end === result).length ?? 0
    return count > limit ? [`${key} keeps ${count} Jobs that are ${result}, and is to keep ${limit}`] : []
  })
}

function wholeness(world: World, healthy: string): string[] {
  const head = world.head().sha
  return healthy === head ? [] : [`revision ${head.slice(0, 8)} is not healthy: ${healthy.slice(0, 8)}`]
}

/** Everything with our label is looked after by somebody. */
function leftovers(world: World): string[] {
  const wanted = new Set(world.application().components.map(keyOf))
  const uids = new Set([...(world.daemon()?.store.workloads().values() ?? [])].flatMap(({ pods }) => pods.map(({ uid }) => uid)))
  const all = [...world.node.containers()]
  const containers = all.filter(({ labels }) => labels[LABEL.role] === 'pod')
  const looks = all.filter(({ labels }) => labels[LABEL.role] === 'look')
  const volumes = [...world.node.volumes()].filter(({ labels }) => labels[LABEL.podUid] !== undefined)
  return [
    ...containers
      .filter(({ labels }) => !uids.has(labels[LABEL.podUid] ?? '') || !wanted.has(wantedAs(labels[LABEL.owner] ?? '')))
      .map(({ name }) => `container ${name} is left`),
    ...looks.map(({ name }) => `container ${name} is left`),
    ...world.node.astray().map((path) => `${path} is left`),
    ...volumes.filter(({ labels }) => !uids.has(labels[LABEL.podUid] ?? '')).map(({ name }) => `volume ${name} is left`),
  ]
}

/** What has to be in Git for the owner of a pod to be there: the CronJob that has made a Job, or the owner itself. */
function wantedAs(owner: string): string {
  return cronJobOf(owner)?.owner ?? owner
}
