/** The Service planner: its address, its node ports, its edge container, its status. */
import { canonicalText, sha256 } from '../model/canonical.ts'
import { type ObjectKey, type Service, type ServicePort, splitKey } from '../model/types.ts'
import type { ContainerView, PortBinding } from '../runtime/engine.ts'
import { hashNumber } from './addresses.ts'
import { type Cluster, chooseServiceAddress } from './cluster.ts'
import { baseSpec } from './compile.ts'
import type { ServiceMemory } from './memory.ts'
import { mendOwn } from './mend.ts'
import { clusterLabels, edgeName, LABEL } from './names.ts'
import type { Failure, NodeView } from './observed.ts'
import { targetPort } from './placement.ts'
import type { ContainerSpec, DriftKind, Lane, Plan, Step, StepAction } from './plan.ts'
import { hookKey } from './podstate.ts'
import { type PodIndex, readyEndpoints, selectedEndpoints } from './routes.ts'
import type { ServiceStatus } from './status.ts'

/** @see Kubernetes --service-node-port-range */
const NODE_PORTS = { first: 30_000, size: 2768 }

export interface ServiceInput {
  readonly key: ObjectKey
  /** `null` when it left Git */
  readonly target: Service | null
  readonly memory: ServiceMemory | undefined
  readonly cluster: Cluster
  readonly nodes: readonly NodeView[]
  readonly pods: PodIndex
  /** Service addresses and node ports that others hold */
  readonly addressUsed: (ip: string) => boolean
  readonly nodePortUsed: (port: number) => boolean
  readonly failures: ReadonlyMap<string, Failure>
  /** finished hooks, by `hookKey` */
  readonly hooks: { has(hook: string): boolean }
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
  const { target } = input
  if (target === null) {
    const left = input.nodes.some((node) => edgesOf(input, node).length > 0)
    return { plan: { key: input.key, lanes: removeEdges(input) }, memory: left ? input.memory : undefined, status: undefined }
  }
  const memory = rememberEdges(input, rememberService(input, target))
  const lanes = input.nodes.filter(({ reachable }) => reachable).map((node) => planEdge(input, target, memory, node))
  return {
    plan: { key: input.key, lanes: lanes.filter(({ steps }) => steps.length > 0) },
    memory,
    status: serviceStatus(input, target, memory),
  }
}

/** Gives the Service an address and node ports where it needs and has none; what it has, it keeps. */
function rememberService(input: ServiceInput, target: Service): ServiceMemory {
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
  const edges = known?.edges === undefined ? {} : { edges: known.edges }
  return { uid: known?.uid ?? input.uid(), createdAt: known?.createdAt ?? input.now, clusterIP: address, nodePorts, ...edges }
}

/** Keeps which edges have been seen running on their network: one that is missing later was removed from outside. */
function rememberEdges(input: ServiceInput, memory: ServiceMemory): ServiceMemory {
  const before = memory.edges ?? {}
  const seen = input.nodes.flatMap((node) => {
    const [view] = edgesOf(input, node)
    if (view?.state !== 'running') return []
    const attached = Object.keys(view.networks).length > 0
    return [[node.name, attached ? (view.labels[LABEL.spec] ?? '') : '']]
  })
  const edges: Record<string, string> = { ...before, ...Object.fromEntries(seen) }
  return canonicalText(edges) === canonicalText(before) ? memory : { ...memory, edges }
}

function chooseNodePorts(input: ServiceInput, target: Service): Record<string, number> {
  const { type, ports } = target.spec
  const chosen: Record<string, number> = {}
  if (type !== 'NodePort' && type !== 'LoadBalancer') return chosen
  for (const port of ports) {
    // A LoadBalancer is published under its own port here, so it has a node port only when it asks for one.
    if (port.nodePort === undefined && type === 'LoadBalancer') continue
    const name = portKey(port)
    const free = (candidate: number): boolean => !input.nodePortUsed(candidate) && !Object.values(chosen).includes(candidate)
    const nodePort = port.nodePort ?? input.memory?.nodePorts[name] ?? firstFreePort(`${input.key}:${name}`, free)
    if (nodePort !== undefined) chosen[name] = nodePort
  }
  return chosen
}

function firstFreePort(id: string, free: (port: number) => boolean): number | undefined {
  const start = hashNumber(id) % NODE_PORTS.size
  for (let step = 0; step < NODE_PORTS.size; step++) {
    const port = NODE_PORTS.first + ((start + step) % NODE_PORTS.size)
    if (free(port)) return port
  }
  return undefined
}

export function portKey(port: ServicePort): string {
  return port.name === '' ? `${port.protocol.toLowerCase()}/${port.port}` : port.name
}

/** One edge container on each node publishes the Service's ports there. */
function planEdge(input: ServiceInput, target: Service, memory: ServiceMemory, node: NodeView): Lane {
  const spec = edgeSpec(input, target, memory)
  const [view, ...extra] = edgesOf(input, node)
  const id = `service/${input.key}/${node.name}`
  const spare = extra.map((other) =>
    step(node, other.name, 'drift: an extra edge', { op: 'remove', container: other.id }, 'extra'),
  )
  if (spec === undefined)
    return {
      id,
      steps: [
        ...spare,
        ...(view === undefined ? [] : [step(node, view.name, 'no longer published', { op: 'remove', container: view.id })]),
      ],
    }
  const launch = (cause: string, drift?: DriftKind): Step[] => [
    step(node, spec.name, cause, { op: 'create', spec }, drift),
    step(node, spec.name, cause, { op: 'start', container: spec.name }),
  ]
  if (view === undefined && memory.edges?.[node.name] === spec.labels[LABEL.spec])
    return { id, steps: [...spare, ...launch('drift: the edge was removed', 'removed')] }
  if (view === undefined) return { id, steps: [...spare, ...launch(`publishes ${input.target?.metadata.name}`)] }
  if (view.labels[LABEL.spec] !== spec.labels[LABEL.spec])
    return {
      id,
      steps: [
        ...spare,
        step(node, spec.name, 'its ports changed', { op: 'remove', container: view.id }),
        ...launch('its ports changed'),
      ],
    }
  if (view.state === 'created')
    return { id, steps: [...spare, step(node, spec.name, 'not started yet', { op: 'start', container: view.id })] }
  if (view.state === 'exited')
    return {
      id,
      steps: [
        ...spare,
        step(node, spec.name, `drift: stopped (exit ${view.exitCode})`, { op: 'start', container: view.id }, 'stopped'),
      ],
    }
  if (view.state === 'dead')
    return { id, steps: [...spare, step(node, spec.name, 'left over by a failed removal', { op: 'remove', container: view.id })] }
  const mended = mendOwn(node.name, spec.name, view, spec)
  return { id, steps: [...spare, ...mended, ...(mended.length === 0 ? proveEdge(input, node, view) : [])] }
}

/** An edge runs a moment before it has its rules, and connections in between are reset: so they are waited for. */
const EDGE_RULES =
  'for try in 1 2 3 4 5 6 7 8 9 10; do nft list chain ip trireme_edge postrouting && exit 0; sleep 0.1; done; exit 1'

function proveEdge(input: ServiceInput, node: NodeView, view: ContainerView): Step[] {
  if (view.state !== 'running' || isProved(input, view)) return []
  const action = { exec: { command: ['sh', '-c', EDGE_RULES] } }
  return [
    step(node, view.name, 'waits for its rules', {
      op: 'hook',
      container: view.name,
      address: '',
      phase: 'postStart',
      action,
      timeoutSeconds: 5,
    }),
  ]
}

function isProved(input: ServiceInput, view: ContainerView): boolean {
  return input.hooks.has(hookKey(view.name, 'postStart'))
}

/** Runs as it should, and has its rules. */
function isCurrent(input: ServiceInput, view: ContainerView, spec: ContainerSpec): boolean {
  return view.state === 'running' && view.labels[LABEL.spec] === spec.labels[LABEL.spec] && isProved(input, view)
}

function removeEdges(input: ServiceInput): Lane[] {
  return input.nodes
    .filter(({ reachable }) => reachable)
    .map((node) => ({
      id: `service/${input.key}/${node.name}`,
      steps: edgesOf(input, node).map((view) => step(node, view.name, 'left Git', { op: 'remove', container: view.id })),
    }))
    .filter(({ steps }) => steps.length > 0)
}

function edgesOf(input: ServiceInput, node: NodeView): ContainerView[] {
  return [...node.containers.values()]
    .filter(({ labels }) => labels[LABEL.role] === 'edge' && labels[LABEL.service] === input.key)
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1))
}

/** `undefined` for a Service that is not published on the host. */
function edgeSpec(input: ServiceInput, target: Service, memory: ServiceMemory): ContainerSpec | undefined {
  const bindings = publishedPorts(target, memory)
  if (bindings.length === 0 || memory.clusterIP === '') return undefined
  const { cluster } = input
  const { namespace, name } = splitKey(input.key)
  const base: ContainerSpec = {
    ...baseSpec(cluster),
    name: edgeName(cluster, namespace, name),
    labels: {},
    entrypoint: ['/usr/local/lib/trireme/edge.sh'],
    cmd: [memory.clusterIP, ...bindings.map(({ protocol, hostPort, servicePort }) => `${protocol}:${hostPort}:${servicePort}`)],
    hostname: 'edge',
    networkMode: cluster.network,
    restartPolicy: 'always',
    init: true,
    capDrop: ['ALL'],
    capAdd: ['NET_ADMIN'],
    sysctls: { 'net.ipv4.ip_forward': '1' },
    portBindings: bindings.map(
      ({ protocol, hostPort }): PortBinding => ({ hostIp: '', hostPort, containerPort: hostPort, protocol }),
    ),
  }
  const labels = {
    ...clusterLabels(cluster, 'edge'),
    [LABEL.service]: input.key,
    [LABEL.spec]: sha256(canonicalText(base)).slice(0, 16),
  }
  return { ...base, labels }
}

function publishedPorts(
  target: Service,
  memory: ServiceMemory,
): { protocol: 'tcp' | 'udp'; hostPort: number; servicePort: number }[] {
  const { type, ports } = target.spec
  if (type !== 'NodePort' && type !== 'LoadBalancer') return []
  return ports.flatMap((port) => {
    if (port.protocol === 'SCTP') return []
    const protocol = port.protocol === 'TCP' ? ('tcp' as const) : ('udp' as const)
    const nodePort = memory.nodePorts[portKey(port)]
    const hostPorts = [...(type === 'LoadBalancer' ? [port.port] : []), ...(nodePort === undefined ? [] : [nodePort])]
    return hostPorts.map((hostPort) => ({ protocol, hostPort, servicePort: port.port }))
  })
}

function serviceStatus(input: ServiceInput, target: Service, memory: ServiceMemory): ServiceStatus {
  const { metadata, spec } = target
  const ready = readyEndpoints(target, input.pods)
  const { condition, message } = serviceCondition(input, target, memory, ready.length)
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

function serviceCondition(
  input: ServiceInput,
  target: Service,
  memory: ServiceMemory,
  ready: number,
): { condition: string; message: string } {
  const { spec } = target
  const needsAddress = spec.type !== 'ExternalName' && spec.clusterIP !== 'None'
  if (needsAddress && memory.clusterIP === '')
    return { condition: 'Pending', message: `no free address in ${input.cluster.serviceRange}` }
  const prefix = `service/${input.key}/`
  const edge = edgeSpec(input, target, memory)
  for (const [id, failure] of input.failures)
    if (edge !== undefined && id.startsWith(prefix))
      return { condition: failure.kind === 'portTaken' ? 'PortConflict' : 'Pending', message: failure.message }
  const published =
    edge === undefined || input.nodes.every((node) => edgesOf(input, node).some((view) => isCurrent(input, view, edge)))
  if (!published) return { condition: 'Pending', message: 'its ports are being published' }
  if (needsAddress && spec.clusterIP !== undefined && memory.clusterIP !== spec.clusterIP)
    return {
      condition: 'Ready',
      message: `clusterIP ${spec.clusterIP} is taken or outside ${input.cluster.serviceRange}: ${memory.clusterIP} is used instead`,
    }
  if (spec.selector !== null && spec.type !== 'ExternalName' && ready === 0)
    return { condition: 'NoEndpoints', message: 'no pod that the selector matches is ready: connections are refused' }
  return { condition: 'Ready', message: '' }
}

function step(node: NodeView, target: string, cause: string, action: StepAction, drift?: DriftKind): Step {
  return { node: node.name, target, cause, ...(drift === undefined ? {} : { drift }), ...action }
}
