/** The controller's state between passes: what is wanted, what was last said, who holds which address. */
import { type ConfigMap, type LoadedObject, type ObjectKey, objectKey, type Secret, type Service } from '../model/types.ts'
import type { Effective } from '../reconcilers/assess.ts'
import type { Cluster } from '../reconcilers/cluster.ts'
import { dueKeys, type Intent } from '../reconcilers/due.ts'
import type { PodEndpoint } from '../reconcilers/endpoints.ts'
import type { ContainerProbes } from '../reconcilers/observed.ts'
import type { PlacedService } from '../reconcilers/placement.ts'
import type { ProbeTargetSpec } from '../reconcilers/probetargets.ts'
import { buildRouteTable, indexPods, type PodIndex, routingOf } from '../reconcilers/routes.ts'
import type { RouteTable } from '../reconcilers/routetable.ts'
import type { ServiceStatus, WorkloadStatus } from '../reconcilers/status.ts'
import type { Store } from '../store/store.ts'
import { createHoldings } from './holdings.ts'
import { isService, isWorkload } from './kinds.ts'
import type { NodeReading } from './node.ts'

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
  addressUsed(ip: string): boolean
  serviceAddressUsed(ip: string, except: ObjectKey): boolean
  nodePortUsed(port: number, except: ObjectKey): boolean
  /** Keeps a pass's endpoints and probes; whether Services may see a difference. */
  setPods(key: ObjectKey, endpoints: readonly PodEndpoint[], probes: readonly ProbeTargetSpec[]): boolean
  /** A Service has been given another address, or has gone. */
  serviceMoved(key: ObjectKey): void
  /** A pass over this key has ended, well or not. */
  lookedAt(key: ObjectKey): void
  /** What is wanted of it has changed, or what it refers to, and no pass has seen that yet: its status is of what was before. */
  isDue(key: ObjectKey): boolean
  forget(key: ObjectKey): void
  pods(): PodIndex
  probes(): readonly ProbeTargetSpec[]
  readonly probeStates: (containerId: string) => ContainerProbes
  /** `undefined` until every known workload has been planned once. */
  table(): RouteTable | undefined
  routing(uid: string): { readonly acknowledged: boolean; readonly present: boolean }
}

export function createWorld(
  cluster: Cluster,
  nodes: readonly NodeReading[],
  store: WorldStore,
  probeStates: (containerId: string) => ContainerProbes,
): World {
  let effective: ReadonlyMap<ObjectKey, LoadedObject> = store.lastApplied()
  /** `undefined` until the first revision is known */
  let intent: Intent | undefined
  let pruning: ReadonlySet<ObjectKey> = new Set()
  let pruneOrphans = false
  const statuses = new Map<ObjectKey, WorkloadStatus>()
  const services = new Map<ObjectKey, ServiceStatus>()
  const endpoints = new Map<ObjectKey, readonly PodEndpoint[]>()
  const probes = new Map<ObjectKey, readonly ProbeTargetSpec[]>()
  let index: PodIndex | undefined
  let version = 0
  const holdings = createHoldings()
  for (const [key, memory] of store.workloads()) holdings.workload(key, memory)
  for (const [key, memory] of store.services()) holdings.service(key, memory)
  let table: { readonly version: number; readonly table: RouteTable | undefined } | undefined
  /** once true, it stays so */
  let whole = false
  /** Services that have had a pass, well or not: one that cannot be planned does not keep back the others */
  const looked = new Set<ObjectKey>()
  let unseen: ObjectKey | undefined
  const awaited = new Set<ObjectKey>()

  function observedOwners(): ObjectKey[] {
    return nodes.flatMap((node) => [...node.owners()])
  }

  function pods(): PodIndex {
    index ??= indexPods([...endpoints.values()].flat())
    return index
  }

  function placedServices(): PlacedService[] {
    return [...effective].flatMap(([key, { object }]): PlacedService[] => {
      const memory = isService(key) ? store.services().get(key) : undefined
      return memory === undefined ? [] : [{ service: object as Service, clusterIP: memory.clusterIP }]
    })
  }

  function targetOf(key: ObjectKey): LoadedObject | null | undefined {
    const wanted = effective.get(key)
    if (wanted !== undefined) return wanted
    if (pruning.has(key)) return null
    const applied = store.lastApplied().get(key)
    if (applied !== undefined) return applied
    const orphaned = store.workloads().has(key) || store.services().has(key) || nodes.some((node) => node.podsOf(key).length > 0)
    return orphaned && pruneOrphans ? null : undefined
  }

  /**
   * Whether everything that may be in a router's table has been planned once: what is remembered, and, where that
   * memory was lost, what runs and what the revision wants. A table made before would take out pods that serve.
   */
  function hasLookedAtAll(): boolean {
    // What was unseen last time mostly still is: asked before everything is searched again.
    const known = unseen !== undefined && (isService(unseen) ? effective.has(unseen) : store.workloads().has(unseen))
    if (known && unseen !== undefined && !isLookedAt(unseen)) return false
    unseen = findUnseen()
    return unseen === undefined
  }

  function findUnseen(): ObjectKey | undefined {
    const orphaned = (key: ObjectKey) => intent !== undefined && targetOf(key) === undefined
    const workloads = [...store.workloads().keys(), ...observedOwners().filter((key) => !orphaned(key))]
    return [...workloads, ...[...effective.keys()].filter(isService)].find((key) => !isLookedAt(key))
  }

  function isLookedAt(key: ObjectKey): boolean {
    return isService(key) ? store.services().has(key) || looked.has(key) : endpoints.has(key)
  }

  /** Asked for once a pod, and changes with the pods and Services only. */
  function currentTable(): RouteTable | undefined {
    if (table?.version === version) return table.table
    whole ||= hasLookedAtAll()
    const built = whole ? buildRouteTable(placedServices(), pods(), cluster.domain) : undefined
    // An equal table stays the same value, for whoever compares or keeps something by it.
    table = { version, table: table?.table !== undefined && sameJson(table.table, built) ? table.table : built }
    return table.table
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
      pruning = intent.prune
      pruneOrphans = orphans
      const due = before === undefined ? this.keys() : dueKeys(before, intent).filter((key) => isWorkload(key) || isService(key))
      if (before === undefined || due.some(isService)) version++
      for (const key of due) awaited.add(key)
      return due
    },
    targetOf,
    keys: () =>
      [
        ...new Set([
          ...effective.keys(),
          ...pruning,
          ...store.workloads().keys(),
          ...store.services().keys(),
          ...observedOwners(),
        ]),
      ].filter((key) => isWorkload(key) || isService(key)),
    owned: (key) => effective.has(key) || store.workloads().has(key) || store.services().has(key) || isWorkload(key),
    knownPod: holdings.hasPod,
    lookup: {
      configMap: (namespace, name) => effective.get(objectKey('ConfigMap', namespace, name))?.object as ConfigMap | undefined,
      secret: (namespace, name) => effective.get(objectKey('Secret', namespace, name))?.object as Secret | undefined,
    },
    addressUsed: (ip) => holdings.hasPodAddress(ip) || nodes.some((node) => node.hasAddress(ip)),
    serviceAddressUsed: (ip, except) => ip === cluster.dnsAddress || holdings.hasServiceAddress(ip, except),
    nodePortUsed: holdings.hasNodePort,
    setPods(key, nextEndpoints, nextProbes) {
      holdings.workload(key, store.workloads().get(key))
      probes.set(key, nextProbes)
      const known = endpoints.get(key)
      if (sameJson(known, nextEndpoints)) return false
      // A workload without pods yet changes no route; but from now on it has been looked at.
      if (known === undefined && nextEndpoints.length === 0 && table?.table !== undefined) {
        endpoints.set(key, nextEndpoints)
        return false
      }
      endpoints.set(key, nextEndpoints)
      index = undefined
      version++
      return true
    },
    isDue: (key) => awaited.has(key),
    lookedAt(key) {
      awaited.delete(key)
      if (whole || !isService(key) || looked.has(key)) return
      looked.add(key)
      version++
    },
    serviceMoved(key) {
      holdings.service(key, store.services().get(key))
      version++
    },
    forget(key) {
      statuses.delete(key)
      services.delete(key)
      probes.delete(key)
      endpoints.delete(key)
      holdings.workload(key, undefined)
      index = undefined
      version++
    },
    pods,
    probes: () => [...probes.values()].flat(),
    probeStates,
    table: currentTable,
    routing(uid) {
      const wanted = currentTable()
      // Until everything has been looked at once, nothing is taken away and nothing is doubted.
      if (wanted === undefined) return { acknowledged: true, present: true }
      const routed = nodes.map((node) => routingOf(wanted, node.view().router, uid))
      return { acknowledged: routed.every(({ acknowledged }) => acknowledged), present: routed.some(({ present }) => present) }
    },
  }
}

function sameJson(a: unknown, b: unknown): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b)
}
