/** From Services and pods to the table that every router serves. */
import { matchesLabels } from '../model/selector.ts'
import { type Labels, objectKey } from '../model/types/meta.ts'
import type { Service, ServicePort } from '../model/types/service.ts'
import { serviceRecords } from './dnsrecords.ts'
import { givenAddresses, type PodEndpoint } from './endpoints.ts'
import { type PlacedService, targetPort } from './placement.ts'
import type { Backend, DnsRecord, RoutePort, RouteTable, ServiceRoute } from './routetable.ts'

export interface PodIndex {
  /** pods of one namespace that carry all of these labels */
  labelled(namespace: string, labels: Labels): readonly PodEndpoint[]
}

export function indexPods(pods: readonly PodEndpoint[]): PodIndex {
  const byNamespace = Map.groupBy(pods, ({ namespace }) => namespace)
  return {
    labelled: (namespace, wanted) => (byNamespace.get(namespace) ?? []).filter(({ labels }) => matchesLabels(wanted, labels)),
  }
}

/** What one Service adds to a table. */
export interface RoutePiece {
  /** `undefined` for an ExternalName, which has names only */
  readonly route: ServiceRoute | undefined
  readonly records: readonly DnsRecord[]
}

export function routePiece(placed: PlacedService, pods: PodIndex, domain: string): RoutePiece {
  const endpoints = readyEndpoints(placed.service, pods)
  // A headless Service has no address to answer for; its backends are what its names lead to.
  const routed = placed.service.spec.type !== 'ExternalName'
  return { route: routed ? serviceRoute(placed, endpoints) : undefined, records: serviceRecords(placed, endpoints, domain) }
}

/** The route table; equal inputs in any order give equal tables. */
export function buildRouteTable(services: readonly PlacedService[], pods: PodIndex, domain: string): RouteTable {
  const sorted = [...services].sort((a, b) => compareText(routeKey(a), routeKey(b)))
  const pieces = sorted.map((placed) => routePiece(placed, pods, domain))
  return {
    services: pieces.flatMap(({ route }) => route ?? []),
    dns: uniqueRecords(pieces.flatMap(({ records }) => records)),
    domain,
  }
}

/** Pods that a Service's selector matches, whatever their state; without a selector the addresses that Git gives. */
export function selectedEndpoints(service: Service, pods: PodIndex): PodEndpoint[] {
  const { selector } = service.spec
  if (selector === null) return givenAddresses(service)
  return [...pods.labelled(service.metadata.namespace, selector)]
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
 *
 * @param routesTo what of a table leads to the pod
 */
export function routingOf(
  table: RouteTable,
  router: { readonly acknowledged: RouteTable | undefined; readonly applying?: RouteTable | undefined },
  uid: string,
  routesTo: (table: RouteTable, uid: string) => ReadonlySet<string> = (one) => routesByPod(one).get(uid) ?? NONE,
): { acknowledged: boolean; present: boolean } {
  const wanted = routesTo(table, uid)
  const actual = router.acknowledged === undefined ? NONE : routesTo(router.acknowledged, uid)
  const coming = router.applying === undefined ? NONE : routesTo(router.applying, uid)
  return { acknowledged: [...wanted].every((route) => actual.has(route)), present: actual.size + coming.size > 0 }
}

const NONE: ReadonlySet<string> = new Set()

/** Which routes lead to a pod. */
export function routesByPod(table: RouteTable): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const service of table.services)
    for (const [uid, routes] of podsOfRoute(service)) found.set(uid, (found.get(uid) ?? new Set()).union(routes))
  return found
}

/** Of one Service; kept with it, for tables are asked often, and what is the same in the next one is the same value. */
const byRoute = new WeakMap<ServiceRoute, ReadonlyMap<string, ReadonlySet<string>>>()

export function podsOfRoute(service: ServiceRoute): ReadonlyMap<string, ReadonlySet<string>> {
  const known = byRoute.get(service)
  if (known !== undefined) return known
  const found = new Map<string, Set<string>>()
  const { namespace, name, ports } = service
  for (const { protocol, port, backends } of ports)
    for (const { uid, ip, port: target } of backends) {
      const routes = found.get(uid) ?? new Set<string>()
      routes.add(`${namespace}/${name} ${protocol}/${port} ${ip}:${target}`)
      found.set(uid, routes)
    }
  byRoute.set(service, found)
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

/** Each once, by name, type and value. */
export function uniqueRecords(records: readonly DnsRecord[]): DnsRecord[] {
  const byText = new Map(records.map((record) => [recordText(record), record]))
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, record]) => record)
}

/** What records are sorted by. */
function recordText(record: DnsRecord): string {
  return `${record.name} ${record.type} ${record.type === 'SRV' ? `${record.priority} ${record.weight} ${record.port} ${record.target}` : record.value}`
}

function routeKey({ service }: PlacedService): string {
  return objectKey('', service.metadata.namespace, service.metadata.name)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
