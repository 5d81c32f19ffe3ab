/**
 * The route table, kept Service by Service: what a pod or a Service changes is worked out anew for the Services that
 * it concerns, and everything else in the next table is the same value as in the one before.
 */
import { same } from '../diff/equal.ts'
import { matchesLabels } from '../model/selector.ts'
import type { Labels, ObjectKey } from '../model/types/meta.ts'
import type { PodEndpoint } from '../reconcilers/endpoints.ts'
import type { PlacedService } from '../reconcilers/placement.ts'
import { type PodIndex, podsOfRoute, type RoutePiece, routePiece, uniqueRecords } from '../reconcilers/routes.ts'
import type { RouteTable, ServiceRoute } from '../reconcilers/routetable.ts'
import type { RouteChange } from '../reconcilers/tablediff.ts'
import { createGroups } from './groups.ts'

export interface Routing extends PodIndex {
  /** Takes a workload's pods over; keys of the Services that see a difference, `undefined` when there is none at all. */
  setPods(owner: ObjectKey, pods: readonly PodEndpoint[]): readonly ObjectKey[] | undefined
  /** Whether this workload's pods have been told, if only that it has none. */
  hasPods(owner: ObjectKey): boolean
  forgetPods(owner: ObjectKey): readonly ObjectKey[]
  /** Takes a Service over, as it is placed now; `undefined` once it is not. */
  setService(key: ObjectKey, placed: PlacedService | undefined): void
  /** The same value until something in it changes. */
  table(): RouteTable
  /** What of a table leads to a pod that some table of ours has held. */
  routesTo(table: RouteTable, uid: string): ReadonlySet<string>
  /** These pods are remembered no more. */
  released(podUids: readonly string[]): void
}

export function createRouting(domain: string): Routing {
  const podsOf = new Map<ObjectKey, ReadonlyMap<string, PodEndpoint>>()
  const podsByLabel = createGroups<PodEndpoint>(({ uid }) => uid)
  const services = new Map<ObjectKey, PlacedService>()
  const servicesByLabel = createGroups<ObjectKey>((key) => key)
  const pieces = new Map<ObjectKey, RoutePiece>()
  /** Services whose piece may have changed */
  const touched = new Set<ObjectKey>()
  /** Services whose routes lead, or have led, to a pod */
  const routesOf = new Map<string, Set<string>>()
  /** tables whose pods are all in `routesOf` */
  const noted = new WeakSet<RouteTable>()
  let table: RouteTable = { services: [], dns: [], domain }

  function movePod(before: PodEndpoint | undefined, after: PodEndpoint | undefined): ObjectKey[] {
    const [from, to] = [new Set(before && labelNames(before)), new Set(after && labelNames(after))]
    for (const name of from.difference(to)) podsByLabel.move(before, undefined, () => name)
    for (const name of to) podsByLabel.move(from.has(name) ? before : undefined, after, () => name)
    const concerned = new Set([before, after].flatMap((pod) => (pod === undefined ? [] : selecting(pod))))
    for (const key of concerned) touched.add(key)
    return [...concerned]
  }

  /** Services that select a pod, ready or not. */
  function selecting(pod: PodEndpoint): ObjectKey[] {
    const candidates = labelNames(pod).flatMap((name) => [...servicesByLabel.of(name).values()])
    return candidates.filter((key) => matchesLabels(services.get(key)?.service.spec.selector ?? {}, pod.labels))
  }

  function labelled(namespace: string, wanted: Labels): PodEndpoint[] {
    const groups = Object.entries(wanted).map(([label, value]) => podsByLabel.of(labelName(namespace, label, value)))
    const smallest = groups.reduce((a, b) => (b.size < a.size ? b : a))
    return [...smallest.values()].filter(({ labels }) => matchesLabels(wanted, labels))
  }

  /** Makes the piece of a Service anew; what of it says the same stays the same value. */
  function refresh(key: ObjectKey): RouteChange & { readonly records: boolean } {
    const before = pieces.get(key)
    const placed = services.get(key)
    const made = placed === undefined ? undefined : routePiece(placed, { labelled }, domain)
    const route = same(before?.route, made?.route) ? before?.route : made?.route
    const records = !same(before?.records ?? [], made?.records ?? [])
    if (made === undefined) pieces.delete(key)
    else pieces.set(key, { route, records: records ? made.records : (before?.records ?? []) })
    if (route !== undefined && route !== before?.route) noteRoute(route)
    return { before: before?.route, after: route, records }
  }

  function noteRoute(route: ServiceRoute): void {
    for (const uid of podsOfRoute(route).keys()) {
      const known = routesOf.get(uid)
      if (known === undefined) routesOf.set(uid, new Set([idOf(route)]))
      else known.add(idOf(route))
    }
  }

  /** A table of another daemon, or of this one before it was restarted, may lead to pods by Services of its own. */
  function noteTable(one: RouteTable): void {
    if (noted.has(one)) return
    noted.add(one)
    one.services.forEach(noteRoute)
  }

  return {
    labelled,
    setPods(owner, pods) {
      const before = podsOf.get(owner)
      const after = new Map(pods.map((pod) => [pod.uid, kept(before?.get(pod.uid), pod)]))
      podsOf.set(owner, after)
      const gone = [...(before?.values() ?? [])].filter(({ uid }) => !after.has(uid))
      const changed = [...after.values()].filter((pod) => before?.get(pod.uid) !== pod)
      if (before !== undefined && gone.length + changed.length === 0) return undefined
      return [
        ...new Set([
          ...gone.flatMap((pod) => movePod(pod, undefined)),
          ...changed.flatMap((pod) => movePod(before?.get(pod.uid), pod)),
        ]),
      ]
    },
    hasPods: (owner) => podsOf.has(owner),
    forgetPods(owner) {
      const concerned = [...(podsOf.get(owner)?.values() ?? [])].flatMap((pod) => movePod(pod, undefined))
      podsOf.delete(owner)
      return [...new Set(concerned)]
    },
    setService(key, placed) {
      const before = services.get(key)
      if (same(before, placed)) return
      if (before !== undefined) for (const name of selectorNames(before)) servicesByLabel.move(key, undefined, () => name)
      if (placed === undefined) services.delete(key)
      else services.set(key, placed)
      if (placed !== undefined) for (const name of selectorNames(placed)) servicesByLabel.move(undefined, key, () => name)
      touched.add(key)
    },
    table() {
      const changes = [...touched].map(refresh)
      touched.clear()
      const moved = changes.filter(({ before, after }) => before !== after)
      const renamed = changes.some(({ records }) => records)
      if (moved.length === 0 && !renamed) return table
      table = {
        services: moved.length > 0 ? replaced(table.services, moved) : table.services,
        dns: renamed ? uniqueRecords([...pieces.values()].flatMap(({ records }) => records)) : table.dns,
        domain,
      }
      noted.add(table)
      return table
    },
    routesTo(one, uid) {
      noteTable(one)
      const found = [...(routesOf.get(uid) ?? [])].map((id) => findRoute(one, id))
      const routes = found.flatMap((route) => [...((route && podsOfRoute(route).get(uid)) ?? [])])
      return new Set(routes)
    },
    released(podUids) {
      for (const uid of podUids) routesOf.delete(uid)
    },
  }
}

function kept(before: PodEndpoint | undefined, after: PodEndpoint): PodEndpoint {
  return before !== undefined && same(before, after) ? before : after
}

function labelName(namespace: string, label: string, value: string): string {
  return `${namespace}/${label}=${value}`
}

function labelNames({ namespace, labels }: PodEndpoint): string[] {
  return Object.entries(labels).map(([label, value]) => labelName(namespace, label, value))
}

/** One label of its selector is enough to find a Service by. */
function selectorNames({ service: { metadata, spec } }: PlacedService): string[] {
  return Object.entries(spec.selector ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, 1)
    .map(([label, value]) => labelName(metadata.namespace, label, value))
}

function idOf({ namespace, name }: ServiceRoute): string {
  return `${namespace}/${name}`
}

/** More changes than this are sorted in at once rather than one by one. */
const FEW = 64

function replaced(services: readonly ServiceRoute[], changes: readonly RouteChange[]): ServiceRoute[] {
  if (changes.length > FEW) {
    const all = new Map(services.map((route) => [idOf(route), route]))
    for (const { before } of changes) if (before !== undefined) all.delete(idOf(before))
    for (const { after } of changes) if (after !== undefined) all.set(idOf(after), after)
    return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, route]) => route)
  }
  const next = [...services]
  for (const { before, after } of changes) {
    const route = after ?? before
    if (route === undefined) continue
    const added = after === undefined ? [] : [after]
    next.splice(placeOf(next, idOf(route)), before === undefined ? 0 : 1, ...added)
  }
  return next
}

function findRoute({ services }: RouteTable, id: string): ServiceRoute | undefined {
  const found = services[placeOf(services, id)]
  return found !== undefined && idOf(found) === id ? found : undefined
}

/** Where a Service is, or would be: tables are sorted by namespace and name. */
function placeOf(services: readonly ServiceRoute[], id: string): number {
  let [low, high] = [0, services.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (idOf(services[middle] as ServiceRoute) < id) low = middle + 1
    else high = middle
  }
  return low
}
