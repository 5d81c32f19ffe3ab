/** What a pass says about a Service: its ports, its endpoints, and whether it is served as asked for. */
import type { Service } from '../model/types/service.ts'
import { type EdgeSight, isPublished, portFailure } from './edge.ts'
import { type DeniedPort, type HostPort, portKey } from './hostports.ts'
import type { ServiceMemory } from './memory.ts'
import type { Failure } from './observed.ts'
import { targetPort } from './placement.ts'
import { type PodIndex, readyEndpoints, selectedEndpoints } from './routes.ts'
import type { ServiceStatus } from './status.ts'

export interface StatusInput extends EdgeSight {
  readonly pods: PodIndex
  readonly failures: ReadonlyMap<string, Failure>
}

/** Which ports of the host the Service has, and which another one has. */
export interface Assigned {
  readonly granted: readonly HostPort[]
  readonly denied: readonly DeniedPort[]
}

export function serviceStatus(input: StatusInput, target: Service, memory: ServiceMemory, assigned: Assigned): ServiceStatus {
  const { metadata, spec } = target
  const ready = readyEndpoints(target, input.pods)
  const published = assigned.granted.filter((port) => isPublished(input, port, memory.clusterIP))
  const { condition, message } = serviceCondition(input, target, memory, { ...assigned, published, ready: ready.length })
  return {
    key: input.key,
    namespace: metadata.namespace,
    name: metadata.name,
    type: spec.type,
    labels: metadata.labels,
    createdAt: memory.createdAt,
    clusterIP: spec.clusterIP === 'None' ? 'None' : memory.clusterIP,
    ports: spec.ports.map((port) => ({
      name: port.name,
      protocol: port.protocol,
      port: port.port,
      nodePort: memory.nodePorts[portKey(port)] ?? 0,
      hostPorts: published.filter((one) => leadsTo(one, port)).map(({ hostPort }) => hostPort),
      ready: ready.filter((pod) => targetPort(port, pod) !== undefined).length,
    })),
    externalName: spec.externalName ?? '',
    endpoints: selectedEndpoints(target, input.pods).map(({ name, ip, ready: isReady, terminating }) => ({
      pod: name,
      ip,
      ready: isReady && !terminating,
    })),
    condition,
    message,
    healthy: condition !== 'PortConflict' && condition !== 'Pending',
  }
}

function leadsTo(one: HostPort, port: Service['spec']['ports'][number]): boolean {
  return one.servicePort === port.port && one.protocol === port.protocol.toLowerCase()
}

interface Publication extends Assigned {
  readonly published: readonly HostPort[]
  /** endpoints that get connections */
  readonly ready: number
}

interface Verdict {
  readonly condition: string
  readonly message: string
}

/** The worst that can be said. */
function serviceCondition(input: StatusInput, target: Service, memory: ServiceMemory, publication: Publication): Verdict {
  const { spec } = target
  const needsAddress = spec.type !== 'ExternalName' && spec.clusterIP !== 'None'
  if (needsAddress && memory.clusterIP === '')
    return { condition: 'Pending', message: `no free address in ${input.cluster.serviceRange}` }
  const unpublished = portVerdicts(input, memory, publication)
  for (const condition of ['PortConflict', 'Pending']) {
    const messages = unpublished.filter((verdict) => verdict.condition === condition).map(({ message }) => message)
    if (messages.length > 0) return { condition, message: [...new Set(messages)].join('; ') }
  }
  if (needsAddress && spec.clusterIP !== undefined && memory.clusterIP !== spec.clusterIP)
    return {
      condition: 'Ready',
      message: `clusterIP ${spec.clusterIP} is taken or outside ${input.cluster.serviceRange}: ${memory.clusterIP} is used instead`,
    }
  if (spec.selector !== null && spec.type !== 'ExternalName' && publication.ready === 0)
    return { condition: 'NoEndpoints', message: 'no pod that the selector matches is ready: connections are refused' }
  return { condition: 'Ready', message: '' }
}

/** What keeps ports from being published, one verdict for each that is not. */
function portVerdicts(input: StatusInput, memory: ServiceMemory, { granted, denied, published }: Publication): Verdict[] {
  const instead = (port: HostPort): string => reachableInstead(port, published, memory.clusterIP)
  const waiting = granted.filter((port) => !published.includes(port))
  return [
    ...denied.map(({ port, holder }) => deniedVerdict(input, port, holder, instead(port))),
    ...waiting.map((port) => waitingVerdict(input, port, instead(port))),
  ]
}

function deniedVerdict({ key }: StatusInput, port: HostPort, holder: DeniedPort['holder'], instead: string): Verdict {
  const what = describePort(port)
  if (holder.key === key)
    return { condition: 'PortConflict', message: `${what} is also a port of another kind of this Service; ${instead}` }
  if (holder.standing === 'wanted')
    return { condition: 'PortConflict', message: `${what} is held by ${holder.key}, as its ${NAMES[holder.as]}; ${instead}` }
  const until = holder.standing === 'leaving' ? ', which left Git and goes when the revision is healthy' : ' for a moment more'
  return { condition: 'Pending', message: `${what} is held by ${holder.key}${until}; ${instead}` }
}

function waitingVerdict(input: StatusInput, port: HostPort, instead: string): Verdict {
  const [failure] = input.nodes.flatMap((node) => portFailure(input.failures, input.key, node, port.id) ?? [])
  if (failure === undefined) return { condition: 'Pending', message: 'its ports are being published' }
  if (failure.kind !== 'portTaken') return { condition: 'Pending', message: failure.message }
  const message = `${describePort(port)} is in use by something else on the node: ${failure.message}; ${instead}`
  return { condition: 'PortConflict', message }
}

const NAMES: Readonly<Record<HostPort['as'], string>> = { nodePort: 'node port', loadBalancer: 'LoadBalancer port' }

function describePort({ hostPort, protocol }: HostPort): string {
  return `port ${hostPort}/${protocol.toUpperCase()} of the host`
}

/** Other ports of the host that lead to the same port of the Service, and its address in the cluster. */
function reachableInstead(port: HostPort, published: readonly HostPort[], clusterIP: string): string {
  const others = published.filter((one) => one.servicePort === port.servicePort && one.protocol === port.protocol)
  const outside = others.map((one) => `${NAMES[one.as]} ${one.hostPort}`)
  return `reachable ${[...outside.map((name) => `on ${name}`), `at ${clusterIP}:${port.servicePort}`].join(' and ')} instead`
}
