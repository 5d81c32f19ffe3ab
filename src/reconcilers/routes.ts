/** From Services and pods to the table that every router serves. */
import { matchesLabels } from '../model/selector.ts'
import { objectKey, type Service, type ServicePort } from '../model/types.ts'
import { serviceRecords } from './dnsrecords.ts'
import type { PodEndpoint } from './endpoints.ts'
import { type PlacedService, targetPort } from './placement.ts'
import type { Backend, DnsRecord, RoutePort, RouteTable, ServiceRoute } from './routetable.ts'

export interface PodIndex {
  /** pods of one namespace */
  inNamespace(namespace: string): readonly PodEndpoint[]
}

export function indexPods(pods: readonly PodEndpoint[]): PodIndex {
  const byNamespace = Map.groupBy(pods, ({ namespace }) => namespace)
  return { inNamespace: (namespace) => byNamespace.get(namespace) ?? [] }
}

/** The route table; equal inputs in any order give equal tables. */
export function buildRouteTable(services: readonly PlacedService[], pods: PodIndex, domain: string): RouteTable {
  const sorted = [...services].sort((a, b) => compareText(routeKey(a), routeKey(b)))
  const routed = sorted.map((placed) => ({ placed, endpoints: readyEndpoints(placed.service, pods) }))
  return {
    // A headless Service has no address to answer for; its backends are what its names lead to.
    services: routed
      .filter(({ placed }) => placed.service.spec.type !== 'ExternalName')
      .map(({ placed, endpoints }) => serviceRoute(placed, endpoints)),
    dns: uniqueRecords(routed.flatMap(({ placed, endpoints }) => serviceRecords(placed, endpoints, domain))),
    domain,
  }
}

/** Pods that a Service's selector matches, whatever their state. */
export function selectedEndpoints(service: Service, pods: PodIndex): PodEndpoint[] {
  const { selector } = service.spec
  if (selector === null || Object.keys(selector).length === 0) return []
  return pods.inNamespace(service.metadata.namespace).filter(({ labels }) => matchesLabels(selector, labels))
}

/**
 * Endpoints that get new connections: ready (or published regardless) and not leaving. A leaving pod is never
 * kept as a last resort, as kube-proxy would: it must be out of every table before it may be stopped.
 */
export function readyEndpoints(service: Service, pods: PodIndex): PodEndpoint[] {
  return selectedEndpoints(service, pods)
    .filter(({ ready, terminating }) => !terminating && (ready || service.spec.publishNotReadyAddresses))
    .sort((a, b) => compareText(a.ip, b.ip) || compareText(a.uid, b.uid))
}

/**
 * Whether a pod is where it should be: in the tables of all Services that want it, acknowledged, and in no table that
 * is served or may be. A table on its way counts as served when it holds the pod, and as not served when it does not.
 */
export function routingOf(
  table: RouteTable,
  router: { readonly acknowledged: RouteTable | undefined; readonly applying?: RouteTable | undefined },
  uid: string,
): { acknowledged: boolean; present: boolean } {
  const wanted = routesByPod(table).get(uid)
  const actual = router.acknowledged === undefined ? undefined : routesByPod(router.acknowledged).get(uid)
  const coming = router.applying === undefined ? undefined : routesByPod(router.applying).get(uid)
  const missing = [...(wanted ?? [])].some((route) => actual?.has(route) !== true)
  return { acknowledged: !missing, present: (actual?.size ?? 0) + (coming?.size ?? 0) > 0 }
}

/** Pods that one table treats differently from the other. */
export function changedPods(a: RouteTable | undefined, b: RouteTable | undefined): string[] {
  const [x, y] = [a === undefined ? new Map() : routesByPod(a), b === undefined ? new Map() : routesByPod(b)]
  const text = (routes: ReadonlySet<string> | undefined): string => [...(routes ?? [])].sort().join()
  return [...new Set([...x.keys(), ...y.keys()])].filter((uid) => text(x.get(uid)) !== text(y.get(uid)))
}

/** Which routes and names lead to a pod; kept with the table, for tables are asked often and never change. */
const byPod = new WeakMap<RouteTable, ReadonlyMap<string, ReadonlySet<string>>>()

export function routesByPod(table: RouteTable): ReadonlyMap<string, ReadonlySet<string>> {
  const known = byPod.get(table)
  if (known !== undefined) return known
  const found = new Map<string, Set<string>>()
  for (const { namespace, name, ports } of table.services)
    for (const { protocol, port, backends } of ports)
      for (const { uid, ip, port: target } of backends) {
        const routes = found.get(uid) ?? new Set<string>()
        routes.add(`${namespace}/${name} ${protocol}/${port} ${ip}:${target}`)
        found.set(uid, routes)
      }
  byPod.set(table, found)
  return found
}

function serviceRoute({ service, clusterIP }: PlacedService, endpoints: readonly PodEndpoint[]): ServiceRoute {
  const { spec, metadata } = service
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    addresses: clusterIP === '' ? [] : [clusterIP],
    ports: spec.ports.flatMap((port): RoutePort[] =>
      port.protocol === 'SCTP'
        ? []
        : [
            {
              name: port.name,
              protocol: port.protocol === 'TCP' ? 'tcp' : 'udp',
              port: port.port,
              backends: endpoints.flatMap((pod) => backend(port, pod)),
            },
          ],
    ),
    affinitySeconds: spec.sessionAffinity === 'ClientIP' ? spec.sessionAffinityTimeoutSeconds : 0,
  }
}

function backend(port: ServicePort, pod: PodEndpoint): Backend[] {
  const target = targetPort(port, pod)
  return target === undefined ? [] : [{ uid: pod.uid, pod: pod.name, ip: pod.ip, port: target }]
}

function uniqueRecords(records: readonly DnsRecord[]): DnsRecord[] {
  const byText = new Map(records.map((record) => [recordText(record), record]))
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, record]) => record)
}

function recordText(record: DnsRecord): string {
  return `${record.name} ${record.type} ${record.type === 'SRV' ? `${record.priority} ${record.weight} ${record.port} ${record.target}` : record.value}`
}

function routeKey({ service }: PlacedService): string {
  return objectKey('', service.metadata.namespace, service.metadata.name)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
