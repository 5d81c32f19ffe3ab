/** The controller's state between passes: what is wanted, what was last said, who holds which address. */
import { isScoped } from '../model/quota.ts'
import type { LoadedObject } from '../model/types/loaded.ts'
import { type ObjectKey, objectKey, splitKey } from '../model/types/meta.ts'
import type { ConfigMap, OtherObject, Secret } from '../model/types/object.ts'
import type { Service } from '../model/types/service.ts'
import { readMemory } from '../reconcilers/adoption.ts'
import type { Effective } from '../reconcilers/assess.ts'
import type { Claim } from '../reconcilers/claims.ts'
import type { Cluster } from '../reconcilers/cluster.ts'
import { cronJobOf, runKeys, runOf } from '../reconcilers/derived.ts'
import { dueKeys, type Intent } from '../reconcilers/due.ts'
import type { PodEndpoint } from '../reconcilers/endpoints.ts'
import { heldBy } from '../reconcilers/grants.ts'
import { claimedPorts, type PortClaim, portClaim } from '../reconcilers/hostports.ts'
import type { CronRun, ServiceMemory, WorkloadMemory } from '../reconcilers/memory.ts'
import type { ContainerProbes, ObservedPod } from '../reconcilers/observed.ts'
import type { ProbeTarget } from '../reconcilers/probetargets.ts'
import { NOTHING, plus, type Requests, requestsOf } from '../reconcilers/requests.ts'
import { requestsIn } from '../reconcilers/room.ts'
import { type PodIndex, routingOf } from '../reconcilers/routes.ts'
import type { RouteTable } from '../reconcilers/routetable.ts'
import type { ServiceStatus, WorkloadStatus } from '../reconcilers/status.ts'
import { unitKeys } from '../reconcilers/units.ts'
import type { Store } from '../store/store.ts'
import { createClaims } from './claims.ts'
import { createHoldings } from './holdings.ts'
import { isService, isWorkload, ownsPods } from './kinds.ts'
import type { NodeReading } from './node.ts'
import { createRequested } from './requested.ts'
import { createRouting } from './routing.ts'
import { createServiceLinks } from './servicelinks.ts'
import { createSweep } from './sweep.ts'

/** What the world reads of durable memory. */
export type WorldStore = Pick<Store, 'lastApplied' | 'workloads' | 'services'>

export interface World {
  readonly cluster: Cluster
  readonly nodes: readonly NodeReading[]
  readonly store: WorldStore
  readonly statuses: Map<ObjectKey, WorkloadStatus>
  readonly services: Map<ObjectKey, ServiceStatus>
  /** Replaces what is wanted; returns the keys that may have work: all of them the first time. */
  setWanted(effective: ReadonlyMap<ObjectKey, Effective>, prune: readonly ObjectKey[], orphans: boolean): readonly ObjectKey[]
  /** The object that `key` should be, `null` when it is to go, `undefined` when nobody knows it. */
  targetOf(key: ObjectKey): LoadedObject | null | undefined
  /** Keys that some pass looks after: wanted, remembered, or found on an engine. */
  keys(): readonly ObjectKey[]
  owned(key: ObjectKey): boolean
  knownPod(uid: string): boolean
  lookup: {
    configMap(namespace: string, name: string): ConfigMap | undefined
    secret(namespace: string, name: string): Secret | undefined
  }
  serviceAccount(namespace: string, name: string): boolean
  /** what pods of a namespace that are made now are told of its Services, as `linksText` has it */
  serviceLinks(namespace: string): string
  /** Services to look at before a workload, for its pods are told the addresses that they have yet to get. */
  goingBefore(key: ObjectKey): readonly ObjectKey[]
  /** every claim with what it gets, by `<namespace>/<name>` */
  claims(): ReadonlyMap<string, Claim>
  /** the ResourceQuotas of a namespace */
  quotas(namespace: string): readonly OtherObject[]
  allQuotas(): readonly OtherObject[]
  /**
   * Workloads as they are remembered, without those that only wait for the others to be healthy before they go: who waits
   * for them to make room would wait for ever.
   */
  staying(): readonly (readonly [ObjectKey, WorkloadMemory])[]
  addressUsed(ip: string): boolean
  /** units of extended resources that pods of other workloads than `except` hold on a node, remembered or not */
  unitsHeld(node: string, except: ObjectKey): readonly string[]
  /** what pods have requested of a node, but of workloads that are about to go and of `except` */
  requested(node: string, except?: ObjectKey): Requests
  serviceAddressUsed(ip: string, except: ObjectKey): boolean
  /** what other Services than `except` have to say about a port of the host */
  portClaims(id: string, except: ObjectKey): readonly PortClaim[]
  /** other Services with a say in a port of the host that this one has a say in */
  rivals(key: ObjectKey): readonly ObjectKey[]
  /** Keeps a pass's endpoints and probes; keys of Services that see a difference, `undefined` when no route can have changed. */
  setPods(key: ObjectKey, endpoints: readonly PodEndpoint[], probes: readonly ProbeTarget[]): readonly ObjectKey[] | undefined
  /** A Service has been given another address, or has gone. */
  serviceMoved(key: ObjectKey): void
  /** A pass over this key has ended, well or not. */
  lookedAt(key: ObjectKey): void
  /** What is wanted of it has changed, or what it refers to, and no pass has seen that yet: its status is of what was before. */
  isDue(key: ObjectKey): boolean
  /** Nothing is left of a workload; keys of Services that see a difference. */
  forget(key: ObjectKey): readonly ObjectKey[]
  readonly pods: PodIndex
  /** keys of the workloads that remember a pod */
  ownersOf(podUid: string): Iterable<ObjectKey>
  readonly probeStates: (containerId: string) => ContainerProbes
  /** `undefined` until every known workload has been planned once. */
  table(): RouteTable | undefined
  routing(uid: string): { readonly acknowledged: boolean; readonly present: boolean }
}

/** A Job as if it were in Git, with the revision that its CronJob had then. */
function madeBy({ job, sourceRevision }: CronRun): LoadedObject {
  return { object: job, origin: { file: '', line: 0, revision: sourceRevision }, unenforced: [] }
}

export function createWorld(
  cluster: Cluster,
  nodes: readonly NodeReading[],
  store: WorldStore,
  probeStates: (containerId: string) => ContainerProbes,
  /** told of a workload's containers that are to be probed from now on, and of no others of it */
  probed: (key: ObjectKey, probes: readonly ProbeTarget[]) => void = () => undefined,
): World {
  let effective: ReadonlyMap<ObjectKey, LoadedObject> = store.lastApplied()
  let quotas: ReadonlyMap<string, readonly OtherObject[]> = new Map()
  /** `undefined` until the first revision is known */
  let intent: Intent | undefined
  let pruning: ReadonlySet<ObjectKey> = new Set()
  let pruneOrphans = false
  /** retained only until the revision is healthy */
  let leaving: ReadonlySet<ObjectKey> = new Set()
  const statuses = new Map<ObjectKey, WorkloadStatus>()
  const services = new Map<ObjectKey, ServiceStatus>()
  const holdings = createHoldings()
  const requested = createRequested()
  const claims = createClaims()
  for (const [key, memory] of store.workloads()) {
    holdings.workload(key, memory)
    countRequests(key)
  }
  for (const key of new Set([...effective.keys(), ...store.services().keys()])) if (isService(key)) rehold(key)
  const routes = createRouting(cluster.domain)
  const links = createServiceLinks()
  for (const key of effective.keys()) placeService(key)
  /** once true, it stays so */
  let whole = false
  /** Services that have had a pass, well or not: one that cannot be planned does not keep back the others */
  const looked = new Set<ObjectKey>()
  const looking = createSweep({ items: toBeLookedAt, holds: isLookedAt, counts: isToBeLookedAt })
  const awaited = new Set<ObjectKey>()

  /** Brings the routes of a Service up to what is wanted and remembered of it. */
  function placeService(key: ObjectKey): void {
    if (!isService(key)) return
    const service = effective.get(key)?.object as Service | undefined
    const memory = store.services().get(key)
    const placed = service !== undefined && memory !== undefined ? { service, clusterIP: memory.clusterIP } : undefined
    routes.setService(key, placed)
    links.place(key, placed)
    if (service !== undefined && !memory?.clusterIP) links.expect(key)
  }

  function observedOwners(): ObjectKey[] {
    return nodes.flatMap((node) => [...node.owners()])
  }

  /** Who waits for others to make room would wait for ever for those that only wait until it is healthy. */
  function countRequests(key: ObjectKey): void {
    const memory = leaving.has(key) ? undefined : store.workloads().get(key)
    requested.set(key, memory === undefined ? NO_REQUESTS : requestsIn(memory))
  }

  /** Pods that run and are not remembered: their store was lost, and no pass has taken them over yet. */
  function unknownPods(node: string): ObservedPod[] {
    return nodes
      .filter(({ name }) => name === node)
      .flatMap((one) => [...one.owners()].flatMap((owner) => one.podsOf(owner)))
      .filter(({ uid }) => !holdings.hasPod(uid))
  }

  function hold(key: ObjectKey, memory: WorkloadMemory | undefined): void {
    countRequests(key)
    const released = holdings.workload(key, memory)
    if (released.length === 0) return
    routes.released(released)
    for (const node of nodes) node.released(released)
  }

  function targetOf(key: ObjectKey): LoadedObject | null | undefined {
    const wanted = effective.get(key)
    if (wanted !== undefined) return wanted
    if (pruning.has(key)) return null
    const run = runOf(store.workloads(), key)
    if (run !== undefined) return run.leaving === true ? null : madeBy(run)
    if (awaitsOwner(key)) return undefined
    const applied = store.lastApplied().get(key)
    if (applied !== undefined) return applied
    const orphaned = store.workloads().has(key) || store.services().has(key) || nodes.some((node) => node.podsOf(key).length > 0)
    return orphaned && pruneOrphans ? null : undefined
  }

  /** Where memory was lost: a pass of the CronJob takes the Job over before anybody judges it. */
  function awaitsOwner(key: ObjectKey): boolean {
    const owner = cronJobOf(key)?.owner
    return owner !== undefined && effective.has(owner) && !store.workloads().has(owner)
  }

  function placementOf(key: ObjectKey): { target: Service | null; memory: ServiceMemory | undefined } {
    return { target: (targetOf(key)?.object ?? null) as Service | null, memory: store.services().get(key) }
  }

  /** Takes over what a Service holds and asks for now. */
  function rehold(key: ObjectKey): void {
    const { target, memory } = placementOf(key)
    holdings.service(key, memory)
    holdings.claims(key, claimedPorts(target, memory))
  }

  /**
   * Everything that may be in a router's table, and so has to be planned once before there is one: what is remembered,
   * and, where that memory was lost, what runs and what the revision wants. A table made before would take out pods
   * that serve.
   */
  function toBeLookedAt(): ObjectKey[] {
    const workloads = [...store.workloads().keys(), ...observedOwners()]
    return [...workloads.filter((key) => !isUnknown(key)), ...[...effective.keys()].filter(isService)]
  }

  /** Whether that still goes for one of them. */
  function isToBeLookedAt(key: ObjectKey): boolean {
    if (isService(key)) return effective.has(key)
    return !isUnknown(key) && (store.workloads().has(key) || nodes.some((node) => node.podsOf(key).length > 0))
  }

  /** Something of it runs, or was being taken down, and the revision says nothing of it: nobody looks after it. */
  function isUnknown(key: ObjectKey): boolean {
    return intent !== undefined && targetOf(key) === undefined
  }

  function isLookedAt(key: ObjectKey): boolean {
    return isService(key) ? store.services().has(key) || looked.has(key) : routes.hasPods(key)
  }

  function currentTable(): RouteTable | undefined {
    whole ||= looking.all()
    return whole ? routes.table() : undefined
  }

  return {
    cluster,
    nodes,
    store,
    statuses,
    services,
    setWanted(next, prune, orphans) {
      const before = orphans === pruneOrphans ? intent : undefined
      intent = { effective: next, prune: new Set(prune) }
      effective = next
      quotas = quotasIn(next)
      const left = leaving
      pruning = intent.prune
      leaving = new Set([...next].flatMap(([key, one]) => (one.state === 'retained' && one.kind === 'health' ? [key] : [])))
      for (const key of left.symmetricDifference(leaving)) countRequests(key)
      pruneOrphans = orphans
      const touched =
        before === undefined ? this.keys() : dueKeys(before, intent).filter((key) => isWorkload(key) || isService(key))
      // What a CronJob's template refers to, so do the Jobs that it has made.
      const due = [...new Set(touched.flatMap((key) => [key, ...runKeys(store.workloads().get(key))]))]
      const moved = due.filter(isService)
      for (const key of due) awaited.add(key)
      const rivals = moved.flatMap((key) => {
        placeService(key)
        const former = holdings.rivals(key)
        rehold(key)
        return [...former, ...holdings.rivals(key)]
      })
      return [...new Set([...due, ...rivals])]
    },
    targetOf,
    keys: () =>
      [
        ...new Set([
          ...effective.keys(),
          ...pruning,
          ...store.workloads().keys(),
          ...[...store.workloads().values()].flatMap(runKeys),
          ...store.services().keys(),
          ...observedOwners(),
        ]),
      ].filter((key) => isWorkload(key) || isService(key)),
    owned: (key) =>
      ownsPods(key) ||
      // Where memory was lost, what a Service has may be as Git wants it: that is told by a revision, and a whole one.
      (isService(key) && (effective.has(key) || store.services().has(key) || !pruneOrphans)),
    knownPod: holdings.hasPod,
    lookup: {
      configMap: (namespace, name) => effective.get(objectKey('ConfigMap', namespace, name))?.object as ConfigMap | undefined,
      secret: (namespace, name) => effective.get(objectKey('Secret', namespace, name))?.object as Secret | undefined,
    },
    serviceAccount: (namespace, name) => effective.has(objectKey('ServiceAccount', namespace, name)),
    serviceLinks: links.text,
    goingBefore: (key) => (isWorkload(key) ? links.expected(splitKey(key).namespace) : []),
    claims: () =>
      claims.of(
        effective,
        nodes.map((node) => node.claims()),
      ),
    quotas: (namespace) => quotas.get(namespace) ?? [],
    allQuotas: () => [...quotas.values()].flat(),
    staying: () => [...store.workloads()].filter(([key]) => !leaving.has(key) && !pruning.has(key)),
    addressUsed: (ip) => holdings.hasPodAddress(ip) || nodes.some((node) => node.hasAddress(ip)),
    unitsHeld: (node, except) => {
      const remembered = [...store.workloads()].flatMap(([key, { pods }]) => (key === except ? [] : heldBy(pods, node)))
      return [...remembered, ...unknownPods(node).flatMap((pod) => unitKeys(readMemory(pod)?.pod.units))]
    },
    requested(node, except) {
      const remembered = requested.of(node, except)
      // Once everything has been looked at, nothing of ours is unknown.
      return whole ? remembered : unknownPods(node).map(requestsOfUnknown).reduce(plus, remembered)
    },
    serviceAddressUsed: (ip, except) => ip === cluster.dnsAddress || holdings.hasServiceAddress(ip, except),
    portClaims: (id, except) =>
      holdings
        .claimants(id, except)
        .flatMap((key) => portClaim(id, { key, ...placementOf(key), leaving: leaving.has(key) }) ?? []),
    rivals: holdings.rivals,
    setPods(key, endpoints, probes) {
      hold(key, store.workloads().get(key))
      probed(key, probes)
      return routes.setPods(key, endpoints)
    },
    isDue: (key) => awaited.has(key),
    lookedAt(key) {
      awaited.delete(key)
      if (isService(key)) links.lookedAt(key)
      if (!whole && isService(key)) looked.add(key)
    },
    serviceMoved(key) {
      rehold(key)
      placeService(key)
    },
    forget(key) {
      statuses.delete(key)
      services.delete(key)
      hold(key, undefined)
      probed(key, [])
      return routes.forgetPods(key)
    },
    pods: routes,
    ownersOf: holdings.ownersOf,
    probeStates,
    table: currentTable,
    routing(uid) {
      const wanted = currentTable()
      // Until everything has been looked at once, nothing is taken away and nothing is doubted.
      if (wanted === undefined) return { acknowledged: true, present: true }
      const routed = nodes.map((node) => routingOf(wanted, node.router(), uid, routes.routesTo))
      return { acknowledged: routed.every(({ acknowledged }) => acknowledged), present: routed.some(({ present }) => present) }
    },
  }
}

function requestsOfUnknown(pod: ObservedPod): Requests {
  const spec = readMemory(pod)?.set.template.spec
  return spec === undefined ? NOTHING : requestsOf(spec)
}

const NO_REQUESTS: ReadonlyMap<string, Requests> = new Map()

/** Those of Git by namespace: one that has left it bounds nothing more. */
function quotasIn(effective: ReadonlyMap<ObjectKey, Effective>): ReadonlyMap<string, readonly OtherObject[]> {
  const found = [...effective].flatMap(([key, { state, object }]) =>
    state === 'wanted' && key.startsWith('ResourceQuota/') && !isScoped(object as OtherObject) ? [object as OtherObject] : [],
  )
  return Map.groupBy(found, ({ metadata }) => metadata.namespace)
}
