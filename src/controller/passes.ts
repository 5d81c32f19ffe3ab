/** Planning one key from what the world knows: shared by the loop, which acts on it, and by `trireme plan`, which only shows it. */
import type { LoadedObject } from '../model/types/loaded.ts'
import { type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { Service } from '../model/types/service.ts'
import type { CronJob, PodWorkload } from '../model/types/workload.ts'
import { claimId } from '../reconcilers/claims.ts'
import { planCronJob } from '../reconcilers/cronjob.ts'
import { cronJobOf } from '../reconcilers/derived.ts'
import { planNode } from '../reconcilers/infrastructure.ts'
import { routerVolume } from '../reconcilers/names.ts'
import type { Failure } from '../reconcilers/observed.ts'
import type { Plan } from '../reconcilers/plan.ts'
import type { RouteTable } from '../reconcilers/routetable.ts'
import { planService, type ServicePass } from '../reconcilers/service.ts'
import { planWorkload, type WorkloadPass } from '../reconcilers/workload.ts'
import type { VolumeView } from '../runtime/engine.ts'
import type { NodeReading } from './node.ts'
import { nodeKey } from './node.ts'
import type { World } from './world.ts'

/** What passes depend on beside the world. */
export interface PassContext {
  readonly world: World
  readonly failures: ReadonlyMap<string, Failure>
  /** ids of lanes with a step under way */
  readonly inFlight: ReadonlySet<string>
  readonly now: number
  readonly ids: () => { readonly uid: string; readonly suffix: string }
  /** the revision that is being applied, for what is not in it any more */
  readonly revision: string
}

export interface Passed<Result> {
  readonly target: LoadedObject | null
  readonly result: Result
}

/** `undefined` for a key that nobody knows. */
export function workloadPass({ world, ...context }: PassContext, key: ObjectKey): Passed<WorkloadPass> | undefined {
  const target = world.targetOf(key)
  if (target === undefined) return undefined
  if (splitKey(key).kind === 'CronJob') return { target, result: cronJobResult(world, context, key, target) }
  const { nodes } = world
  const result = planWorkload({
    key,
    target: target === null ? null : (target.object as PodWorkload),
    sourceRevision: target?.origin.revision ?? context.revision,
    memory: world.store.workloads().get(key),
    pods: nodes.flatMap((node) => node.podsOf(key)),
    lookup: world.lookup,
    serviceLinks: world.serviceLinks(splitKey(key).namespace),
    claim: (namespace, name) => world.claims().get(claimId(namespace, name)),
    serviceAccount: world.serviceAccount,
    cluster: world.cluster,
    nodes: nodes.map((node) => node.view()),
    volumes: (uid) => nodes.flatMap((node) => node.volumesOf(uid)),
    workloads: world.staying,
    quotas: world.quotas(splitKey(key).namespace),
    addressUsed: world.addressUsed,
    unitsHeld: (node) => world.unitsHeld(node, key),
    requested: (node) => world.requested(node, key),
    probes: world.probeStates,
    routing: world.routing,
    failures: context.failures,
    inFlight: context.inFlight,
    hooks: hooksOf(nodes),
    tail: (id, secrets) => nodes.map((node) => node.tail(id, secrets)).find((tail) => tail.length > 0) ?? [],
    message: (id, source, secrets) => nodes.map((node) => node.message(id, source, secrets)).find((text) => text !== '') ?? '',
    now: context.now,
    id: () => context.ids(),
  })
  return { target, result }
}

function cronJobResult(
  { store, nodes }: World,
  { revision, now, ids }: Omit<PassContext, 'world'>,
  key: ObjectKey,
  target: LoadedObject | null,
): WorkloadPass {
  return planCronJob({
    key,
    target: target === null ? null : (target.object as CronJob),
    sourceRevision: target?.origin.revision ?? revision,
    memory: store.workloads().get(key),
    jobs: (job) => store.workloads().get(job),
    pods: () =>
      nodes.flatMap((node) =>
        [...node.owners()].filter((owner) => cronJobOf(owner)?.owner === key).flatMap((owner) => node.podsOf(owner)),
      ),
    now,
    uid: () => ids().uid,
  })
}

/** `undefined` for a key that nobody knows. */
export function servicePass({ world, ...context }: PassContext, key: ObjectKey): Passed<ServicePass> | undefined {
  const target = world.targetOf(key)
  if (target === undefined) return undefined
  const result = planService({
    key,
    target: target === null ? null : (target.object as Service),
    memory: world.store.services().get(key),
    cluster: world.cluster,
    // Of the containers there, it has only to do with its edges.
    nodes: world.nodes.map((node) => ({ ...node.view(), containers: node.edgesOf(key) })),
    pods: world.pods,
    addressUsed: (ip) => world.serviceAddressUsed(ip, key),
    portClaims: (id) => world.portClaims(id, key),
    failures: context.failures,
    hooks: hooksOf(world.nodes),
    now: context.now,
    uid: () => context.ids().uid,
  })
  return { target, result }
}

/**
 * @param table what the router should serve, `undefined` while that is not known
 * @param inFlight ids of lanes with a step under way
 */
export function nodePass(world: World, node: NodeReading, table: RouteTable | undefined, inFlight: ReadonlySet<string>): Plan {
  return planNode({
    key: nodeKey(node.name),
    cluster: world.cluster,
    node: { ...node.view(), containers: node.apart(), volumes: ownVolumes(world, node) },
    table,
    owned: world.owned,
    knownPod: world.knownPod,
    inFlight,
  })
}

/** The router's volume, and those of pods that are over. */
function ownVolumes({ cluster, knownPod }: World, node: NodeReading): ReadonlyMap<string, VolumeView> {
  const router = node.view().volumes.get(routerVolume(cluster))
  const own = [...(router === undefined ? [] : [router]), ...node.leftVolumes(knownPod)]
  return new Map(own.map((volume) => [volume.name, volume]))
}

function hooksOf(nodes: readonly NodeReading[]): { has(hook: string): boolean } {
  return { has: (hook) => nodes.some(({ hooks }) => hooks.has(hook)) }
}

export function isNode(key: ObjectKey): boolean {
  return splitKey(key).kind === 'Node'
}
