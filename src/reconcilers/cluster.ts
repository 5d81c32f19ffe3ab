/** The facts of one cluster that every planner needs: names, addresses, images. */
import type { Labels } from '../model/types/meta.ts'
import type { Taint } from '../model/types/pod.ts'
import { formatAddress, formatRange, hashNumber, isInRange, parseRange, type Range } from './addresses.ts'
import type { Requests } from './requests.ts'
import type { Units } from './units.ts'

export interface Cluster {
  /** a DNS label; tells this cluster's containers from all others on the same engines */
  readonly id: string
  /** such as `cluster.local` */
  readonly domain: string
  /** name of the pod network on every node */
  readonly network: string
  readonly subnet: string
  /** lower half of the subnet: pods, routers and edges */
  readonly podRange: string
  /** upper half of the subnet: Service addresses, which Docker never hands out */
  readonly serviceRange: string
  readonly gateway: string
  /** the router's own address */
  readonly routerAddress: string
  /** the Service address that answers DNS */
  readonly dnsAddress: string
  readonly nodeImage: string
  /** what the operator has given its nodes, for templates that choose by it */
  readonly nodeLabels: Labels
  readonly nodeTaints: readonly Taint[]
  /** the units of each extended resource, such as `/dev/ttyUSB0`, `gpu:0` or `1` */
  readonly nodeResources: Units
  /** what pods may request of each node together, where that is not all that it has */
  readonly nodeAllocatable: Partial<Requests>
  /** label put on everything that is made, beside the cluster's own; tests use it to clean up */
  readonly extraLabels: Readonly<Record<string, string>>
}

/** Derives a cluster's addresses from its subnet (IPv4, /8 to /24). */
export function defineCluster(options: {
  readonly id: string
  readonly domain: string
  readonly subnet: string
  readonly nodeImage: string
  readonly nodeLabels?: Labels
  readonly nodeTaints?: readonly Taint[]
  readonly nodeResources?: Units
  readonly nodeAllocatable?: Partial<Requests>
  readonly extraLabels?: Readonly<Record<string, string>>
}): Cluster {
  const subnet = parseRange(options.subnet)
  const half = subnet.size / 2
  const pods: Range = { first: subnet.first, size: half }
  const services: Range = { first: subnet.first + half, size: half }
  return {
    id: options.id,
    domain: options.domain,
    network: `trireme-${options.id}`,
    subnet: formatRange(subnet),
    podRange: formatRange(pods),
    serviceRange: formatRange(services),
    gateway: formatAddress(subnet.first + 1),
    routerAddress: formatAddress(pods.first + reservedOf(pods) - 2),
    dnsAddress: formatAddress(services.first + 10),
    nodeImage: options.nodeImage,
    nodeLabels: options.nodeLabels ?? {},
    nodeTaints: options.nodeTaints ?? [],
    nodeResources: options.nodeResources ?? {},
    nodeAllocatable: options.nodeAllocatable ?? {},
    extraLabels: options.extraLabels ?? {},
  }
}

/**
 * Addresses below this offset are left to the gateway, the router and the edges. Docker chooses those of edges, from
 * below, and starts containers in no order: the router is at the far end, where no edge takes its address before it.
 */
const RESERVED = 256

function reservedOf(range: Range): number {
  return Math.min(RESERVED, range.size / 4)
}

/**
 * An address of the pod range that is not in `used`, by linear probing from where the hash of `id` points.
 * Spreading by hash keeps a freed address from being reused at once, as Docker's own choice would.
 *
 * @returns `undefined` when the range is full.
 */
export function choosePodAddress(cluster: Cluster, id: string, used: (ip: string) => boolean): string | undefined {
  return probe(parseRange(cluster.podRange), id, used)
}

/** The same for Service addresses; `requested` wins when it lies in the range and is free. */
export function chooseServiceAddress(
  cluster: Cluster,
  id: string,
  requested: string | undefined,
  used: (ip: string) => boolean,
): string | undefined {
  if (requested !== undefined && isInRange(requested, cluster.serviceRange) && !used(requested)) return requested
  return probe(parseRange(cluster.serviceRange), id, used)
}

function probe(range: Range, id: string, used: (ip: string) => boolean): string | undefined {
  const kept = reservedOf(range)
  const room = range.size - kept - 1
  const start = hashNumber(id) % room
  for (let step = 0; step < room; step++) {
    const ip = formatAddress(range.first + kept + ((start + step) % room))
    if (!used(ip)) return ip
  }
  return undefined
}
