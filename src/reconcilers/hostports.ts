/**
 * Ports of the host: which of them a Service wants, and which Service has one that several want.
 *
 * A port (its number and protocol) is held by one Service of the cluster, which keeps it for as long as it wants it.
 * One that nobody holds goes to a node port before a LoadBalancer's own port, then to the oldest Service, then by key.
 */
import type { ObjectKey } from '../model/types/meta.ts'
import type { Service, ServicePort } from '../model/types/service.ts'
import type { ServiceMemory } from './memory.ts'
import { LABEL } from './names.ts'
import type { NodeView } from './observed.ts'

/** A port of the host that a Service asks for. */
export interface HostPort {
  /** what it is held by: `tcp/80` */
  readonly id: string
  readonly protocol: 'tcp' | 'udp'
  readonly hostPort: number
  readonly as: 'nodePort' | 'loadBalancer'
  /** the port of the Service that it leads to */
  readonly servicePort: number
}

/** A Service's say in one port of the host. */
export interface PortClaim {
  readonly key: ObjectKey
  readonly as: HostPort['as']
  /** ms since the epoch; `undefined` for a Service that has had no pass yet */
  readonly createdAt: number | undefined
  /** whether it has it; `undefined` where that is not remembered, and an edge that runs decides */
  readonly held: boolean | undefined
  /** `leaving`: it left Git and goes when the revision is healthy; `released`: only its edge is still to be removed */
  readonly standing: 'wanted' | 'leaving' | 'released'
}

/** A port that another claim is ahead of. */
export interface DeniedPort {
  readonly port: HostPort
  readonly holder: PortClaim
}

export function portKey(port: ServicePort): string {
  return port.name === '' ? `${port.protocol.toLowerCase()}/${port.port}` : port.name
}

export function portId(protocol: string, hostPort: number): string {
  return `${protocol.toLowerCase()}/${hostPort}`
}

type Given = Pick<ServiceMemory, 'nodePorts' | 'clusterIP'>

/** Node ports first. A port that is asked for twice, for one port of the Service, is one; `[]` for what is not published. */
export function wantedHostPorts(target: Service, memory: Given | undefined): HostPort[] {
  const { type, ports } = target.spec
  if ((type !== 'NodePort' && type !== 'LoadBalancer') || memory?.clusterIP === '') return []
  const served = ports.filter(({ protocol }) => protocol !== 'SCTP')
  const nodePorts = served.flatMap((port) => {
    const nodePort = port.nodePort ?? memory?.nodePorts[portKey(port)]
    return nodePort === undefined ? [] : [hostPort(port, nodePort, 'nodePort')]
  })
  const own = type === 'LoadBalancer' ? served.map((port) => hostPort(port, port.port, 'loadBalancer')) : []
  const all = [...nodePorts, ...own]
  return all.filter((one, at) => all.findIndex(({ id, servicePort }) => id === one.id && servicePort === one.servicePort) === at)
}

function hostPort(port: ServicePort, number: number, as: HostPort['as']): HostPort {
  const protocol = port.protocol === 'UDP' ? 'udp' : 'tcp'
  return { id: portId(protocol, number), protocol, hostPort: number, as, servicePort: port.port }
}

/** Ports that a Service has a say in, wanted or held; what claims are looked up by. */
export function claimedPorts(target: Service | null, memory: ServiceMemory | undefined): string[] {
  const wanted = target === null ? [] : wantedHostPorts(target, memory).map(({ id }) => id)
  return [...new Set([...wanted, ...(memory?.hostPorts ?? [])])]
}

/** `undefined` for a Service that has no say in this port. */
export function portClaim(
  id: string,
  service: {
    readonly key: ObjectKey
    readonly target: Service | null
    readonly memory: ServiceMemory | undefined
    readonly leaving: boolean
  },
): PortClaim | undefined {
  const { key, target, memory } = service
  const wanted = target === null ? undefined : wantedHostPorts(target, memory).find((port) => port.id === id)
  const held = memory?.hostPorts?.includes(id)
  if (wanted === undefined && held !== true) return undefined
  const standing = wanted === undefined ? 'released' : service.leaving ? 'leaving' : 'wanted'
  return { key, as: wanted?.as ?? 'loadBalancer', createdAt: memory?.createdAt, held, standing }
}

export interface Contest {
  readonly wanted: readonly HostPort[]
  /** the Service that asks */
  readonly own: Pick<PortClaim, 'key'> & { readonly createdAt: number; readonly hostPorts: readonly string[] | undefined }
  /** what other Services have to say about a port */
  readonly claims: (id: string) => readonly PortClaim[]
  readonly nodes: readonly NodeView[]
}

/** Which of the ports it wants a Service gets. Pure; equal arguments give equal answers. */
export function assignHostPorts({ wanted, own, claims, nodes }: Contest): { granted: HostPort[]; denied: DeniedPort[] } {
  const granted = new Map<string, HostPort>()
  const denied: DeniedPort[] = []
  for (const port of wanted) {
    const { key, createdAt } = own
    const mine: PortClaim = { key, as: port.as, createdAt, held: own.hostPorts?.includes(port.id), standing: 'wanted' }
    const first = firstClaim([mine, ...claims(port.id)], port.id, nodes, createdAt)
    if (first === mine && !granted.has(port.id)) granted.set(port.id, port)
    else denied.push({ port, holder: first })
  }
  return { granted: [...granted.values()], denied }
}

/** @param fresh when a Service counts as made that has had no pass yet, ms since the epoch */
function firstClaim(claims: readonly PortClaim[], id: string, nodes: readonly NodeView[], fresh: number): PortClaim {
  // Holders matter only where there is a choice.
  const holds = (claim: PortClaim): number => Number(claims.length > 1 && (claim.held ?? runsEdge(claim.key, id, nodes)))
  const isOwnPort = ({ as }: PortClaim): number => Number(as === 'loadBalancer')
  return claims.reduce((first, claim) => {
    const order =
      holds(first) - holds(claim) ||
      isOwnPort(claim) - isOwnPort(first) ||
      (claim.createdAt ?? fresh) - (first.createdAt ?? fresh) ||
      (claim.key < first.key ? -1 : 1)
    return order < 0 ? claim : first
  })
}

/** A Service whose memory is lost still has the ports that it serves. */
function runsEdge(key: ObjectKey, id: string, nodes: readonly NodeView[]): boolean {
  return nodes.some(({ containers }) =>
    [...containers.values()].some(
      ({ labels, state }) => state === 'running' && labels[LABEL.service] === key && labels[LABEL.port] === id,
    ),
  )
}
