/** What must come true once nothing goes wrong any more. */
import { LABEL } from '../../src/reconcilers/names.ts'
import type { WorkloadStatus } from '../../src/reconcilers/status.ts'
import { type Component, NAMESPACE } from './application.ts'
import { imageOf, isSound } from './behaviour.ts'
import { type LivePod, livePods } from './livepods.ts'
import { SECRET, Violation } from './safety.ts'
import type { World } from './world.ts'

/** Longest backoff (5 min), longest progress deadline (10 min), and time to work: ms. */
const PATIENCE_MS = 25 * 60_000
const LOOK_MS = 2_000
const QUIET_MS = 90_000
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

/** The next pass is empty, and stays so. */
export async function staysQuiet(world: World): Promise<void> {
  if (!isWholeSound(world)) return
  // What no event told is found by the next full list.
  await world.run(world.elapsed() + RELIST_MS)
  await converges(world)
  const before = world.changes().length
  world.daemon()?.life.running()?.loop.markAll()
  await world.run(world.elapsed() + QUIET_MS)
  // A container that has proved itself is handed to Docker's own restarts, minutes later.
  const done = world
    .changes()
    .slice(before)
    .filter((change) => !change.startsWith('updateContainer'))
  if (done.length > 0) throw new Violation('stays quiet', done.join('; '))
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
  const components = world.application().components
  return [
    ...components.flatMap((component) => wrongWith(component, running.world.statuses.get(keyOf(component)), pods)),
    ...(isWholeSound(world) ? [...wholeness(world, record.healthy), ...leftovers(world)] : []),
  ]
}

function keyOf({ kind, name }: Component): string {
  return `${kind}/${NAMESPACE}/${name}`
}

function wrongWith(component: Component, status: WorkloadStatus | undefined, pods: readonly LivePod[]): string[] {
  const { behaviour, version, replicas } = component
  const key = keyOf(component)
  if (status === undefined) return [`${key} has no status`]
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

function wholeness(world: World, healthy: string): string[] {
  const head = world.head().sha
  return healthy === head ? [] : [`revision ${head.slice(0, 8)} is not healthy: ${healthy.slice(0, 8)}`]
}

/** Everything with our label is looked after by somebody. */
function leftovers(world: World): string[] {
  const wanted = new Set(world.application().components.map(keyOf))
  const uids = new Set([...(world.daemon()?.store.workloads().values() ?? [])].flatMap(({ pods }) => pods.map(({ uid }) => uid)))
  const containers = [...world.node.containers()].filter(({ labels }) => labels[LABEL.role] === 'pod')
  const volumes = [...world.node.volumes()].filter(({ labels }) => labels[LABEL.podUid] !== undefined)
  return [
    ...containers
      .filter(({ labels }) => !uids.has(labels[LABEL.podUid] ?? '') || !wanted.has(labels[LABEL.owner] ?? ''))
      .map(({ name }) => `container ${name} is left`),
    ...volumes.filter(({ labels }) => !uids.has(labels[LABEL.podUid] ?? '')).map(({ name }) => `volume ${name} is left`),
  ]
}
