/** The Service planner: its address, its node ports, the ports of the host it gets, and their edges. */
import { canonicalText } from '../model/canonical.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import type { Service } from '../model/types/service.ts'
import { hashNumber } from './addresses.ts'
import { chooseServiceAddress } from './cluster.ts'
import { type EdgeInput, type EdgeSight, findEdges, planEdges, portFailure, seenEdges } from './edge.ts'
import { assignHostPorts, type PortClaim, portId, portKey, wantedHostPorts } from './hostports.ts'
import type { ServiceMemory } from './memory.ts'
import { LABEL } from './names.ts'
import type { Failure } from './observed.ts'
import type { Plan } from './plan.ts'
import type { PodIndex } from './routes.ts'
import { serviceStatus } from './servicestatus.ts'
import type { ServiceStatus } from './status.ts'

/** @see Kubernetes --service-node-port-range */
const NODE_PORTS = { first: 30_000, size: 2768 }

export interface ServiceInput extends EdgeInput {
  readonly key: ObjectKey
  /** `null` when it left Git */
  readonly target: Service | null
  readonly memory: ServiceMemory | undefined
  readonly pods: PodIndex
  /** Service addresses that others hold */
  readonly addressUsed: (ip: string) => boolean
  /** what other Services have to say about a port of the host, such as `tcp/80` */
  readonly portClaims: (id: string) => readonly PortClaim[]
  readonly failures: ReadonlyMap<string, Failure>
  readonly now: number
  readonly uid: () => string
}

export interface ServicePass {
  readonly plan: Plan
  /** `undefined` once nothing is left of a Service that left Git */
  readonly memory: ServiceMemory | undefined
  readonly status: ServiceStatus | undefined
}

export function planService(input: ServiceInput): ServicePass {
  const { key, target } = input
  const sight = findEdges(input)
  if (target === null) return takeDown(input, sight)
  const given = giveAddresses(input, target)
  const { granted, denied } = assignHostPorts({
    wanted: wantedHostPorts(target, given),
    own: { key, createdAt: given.createdAt, hostPorts: input.memory?.hostPorts },
    claims: input.portClaims,
    nodes: input.nodes,
  })
  const memory = rememberPorts(
    sight,
    given,
    granted.map(({ id }) => id),
  )
  return {
    plan: { key, lanes: planEdges(sight, granted, memory, 'no longer published') },
    memory,
    status: serviceStatus({ ...sight, pods: input.pods, failures: input.failures }, target, memory, { granted, denied }),
  }
}

/** What it holds it holds until the last edge is gone: whoever is next finds its ports free. */
function takeDown(input: ServiceInput, sight: EdgeSight): ServicePass {
  const left = [...sight.edges.values()].some((edges) => edges.length > 0)
  const lanes = planEdges(sight, [], undefined, 'left Git')
  return { plan: { key: input.key, lanes }, memory: left ? input.memory : undefined, status: undefined }
}

/** Gives the Service an address and node ports where it needs and has none; what it has, it keeps. */
function giveAddresses(input: ServiceInput, target: Service): ServiceMemory {
  const { type, clusterIP } = target.spec
  const known = input.memory
  const addressless = type === 'ExternalName' || clusterIP === 'None'
  const chosen = addressless ? undefined : chooseServiceAddress(input.cluster, input.key, clusterIP, input.addressUsed)
  // An address that was given instead of the one asked for is kept like any other.
  const keeps = !addressless && known !== undefined && known.clusterIP !== '' && (clusterIP === undefined || chosen !== clusterIP)
  const address = keeps ? known.clusterIP : (chosen ?? '')
  const nodePorts = chooseNodePorts(input, target)
  if (known !== undefined && known.clusterIP === address && canonicalText(known.nodePorts) === canonicalText(nodePorts))
    return known
  return { ...(known ?? { uid: input.uid(), createdAt: input.now }), clusterIP: address, nodePorts }
}

/** Keeps which ports it holds, and which of their edges have been seen: one that is missing later was removed from outside. */
function rememberPorts(sight: EdgeSight, memory: ServiceMemory, granted: readonly string[]): ServiceMemory {
  const served = new Set([...sight.edges.values()].flat().map(({ labels }) => labels[LABEL.port]))
  const releasing = (memory.hostPorts ?? []).filter((id) => served.has(id))
  const hostPorts = [...new Set([...granted, ...releasing])].sort()
  const edges = seenEdges(sight, memory.edges ?? {}, hostPorts)
  const next = { hostPorts, edges }
  const before = { hostPorts: memory.hostPorts ?? [], edges: memory.edges ?? {} }
  return canonicalText(next) === canonicalText(before) ? memory : { ...memory, ...next }
}

function chooseNodePorts(input: ServiceInput, target: Service): Record<string, number> {
  const { type, ports, allocateLoadBalancerNodePorts } = target.spec
  if (type !== 'NodePort' && type !== 'LoadBalancer') return {}
  const asked = ports.flatMap(({ port, nodePort }) => [nodePort ?? 0, ...(type === 'LoadBalancer' ? [port] : [])])
  const chosen: Record<string, number> = {}
  for (const port of ports) {
    if (port.nodePort === undefined && type === 'LoadBalancer' && !allocateLoadBalancerNodePorts) continue
    const name = portKey(port)
    const free = (candidate: number): boolean =>
      !Object.values(chosen).includes(candidate) &&
      !asked.includes(candidate) &&
      !isUnusable(input, portId(port.protocol, candidate)) &&
      ['tcp', 'udp'].every((protocol) => input.portClaims(portId(protocol, candidate)).length === 0)
    const known = input.memory?.nodePorts[name]
    const kept = known === undefined || isUnusable(input, portId(port.protocol, known)) ? undefined : known
    const nodePort = port.nodePort ?? kept ?? firstFreePort(`${input.key}:${name}`, free)
    if (nodePort !== undefined) chosen[name] = nodePort
  }
  return chosen
}

/** Somebody outside the cluster has it, and it has never served: nobody knows it yet, so another may be chosen. */
function isUnusable({ key, nodes, memory, failures }: ServiceInput, id: string): boolean {
  return nodes.some(
    (node) => memory?.edges?.[`${node.name}/${id}`] === undefined && portFailure(failures, key, node, id)?.kind === 'portTaken',
  )
}

function firstFreePort(id: string, free: (port: number) => boolean): number | undefined {
  const start = hashNumber(id) % NODE_PORTS.size
  for (let step = 0; step < NODE_PORTS.size; step++) {
    const port = NODE_PORTS.first + ((start + step) % NODE_PORTS.size)
    if (free(port)) return port
  }
  return undefined
}
