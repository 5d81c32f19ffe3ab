/**
 * Edges: one container for each port of the host that a Service has, which sends on to the Service's address.
 *
 * Docker publishes all ports of a container or none, and only when it is made. With a container for each port, one that
 * is taken keeps no other from being published, and one that comes or goes interrupts no other.
 */
import { canonicalText, sha256 } from '../model/canonical.ts'
import { type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { ContainerView } from '../runtime/engine.ts'
import type { Cluster } from './cluster.ts'
import { baseSpec } from './compile.ts'
import type { HostPort } from './hostports.ts'
import type { ServiceMemory } from './memory.ts'
import { mendOwn } from './mend.ts'
import { clusterLabels, edgeName, LABEL } from './names.ts'
import type { Failure, NodeView } from './observed.ts'
import type { ContainerSpec, DriftKind, Lane, Step, StepAction } from './plan.ts'

export interface EdgeInput {
  readonly key: ObjectKey
  readonly cluster: Cluster
  readonly nodes: readonly NodeView[]
  /** names of edges whose rules were seen in place */
  readonly hooks: { has(container: string): boolean }
}

/** A Service's edges as one pass sees them. */
export interface EdgeSight extends EdgeInput {
  /** by node, the newest first */
  readonly edges: ReadonlyMap<string, readonly ContainerView[]>
}

/** Looks for a Service's edges on all nodes, once a pass. */
export function findEdges(input: EdgeInput): EdgeSight {
  const { key, cluster, nodes, hooks } = input
  return { key, cluster, nodes, hooks, edges: new Map(nodes.map((node) => [node.name, edgesOn(node, key)])) }
}

function edgesOn({ containers }: NodeView, key: ObjectKey): ContainerView[] {
  return [...containers.values()]
    .filter(({ labels }) => labels[LABEL.role] === 'edge' && labels[LABEL.service] === key)
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1))
}

/** Lanes that bring every node's edges of this Service to `ports`, one lane a port; the others are removed because of `gone`. */
export function planEdges(
  sight: EdgeSight,
  ports: readonly HostPort[],
  memory: Pick<ServiceMemory, 'clusterIP' | 'edges'> | undefined,
  gone: string,
): Lane[] {
  const lanes = sight.nodes
    .filter(({ reachable }) => reachable)
    .flatMap((node) => {
      const found = Map.groupBy(sight.edges.get(node.name) ?? [], (view) => view.labels[LABEL.port] ?? '')
      const wanted = ports.map((port) => planEdge(sight, node, port, memory, found.get(port.id) ?? []))
      const ids = new Set(ports.map(({ id }) => id))
      const others = [...found].filter(([id]) => !ids.has(id))
      return [
        ...wanted,
        ...others.map(([id, views]) => ({ id: laneId(sight.key, node, id), steps: removals(node, views, gone) })),
      ]
    })
  return lanes.filter(({ steps }) => steps.length > 0)
}

function laneId(key: ObjectKey, node: NodeView, port: string): string {
  return `service/${key}/${node.name}/${port}`
}

/** What holds back a step on a port's edge; that the port is taken says more than what came of it. */
export function portFailure(
  failures: ReadonlyMap<string, Failure>,
  key: ObjectKey,
  node: NodeView,
  port: string,
): Failure | undefined {
  const lane = `${laneId(key, node, port)}|`
  let first: Failure | undefined
  for (const [id, failure] of failures) {
    if (!id.startsWith(lane)) continue
    if (failure.kind === 'portTaken') return failure
    first ??= failure
  }
  return first
}

/** On every node an edge of this port runs as it should, and has its rules. */
export function isPublished(sight: EdgeSight, port: HostPort, clusterIP: string): boolean {
  const spec = edgeSpec(sight, port, clusterIP)
  return sight.nodes.every((node) =>
    (sight.edges.get(node.name) ?? []).some(
      (view) => view.state === 'running' && view.labels[LABEL.spec] === spec.labels[LABEL.spec] && isProved(sight, view),
    ),
  )
}

/** Which edges have been seen running on their network, of those that the Service still has ports for. */
export function seenEdges(
  sight: EdgeSight,
  before: Readonly<Record<string, string>>,
  held: readonly string[],
): Readonly<Record<string, string>> {
  const seen = new Map<string, string>()
  for (const node of sight.nodes) {
    const views = (sight.edges.get(node.name) ?? []).filter(({ state }) => state === 'running')
    for (const port of held) {
      const name = `${node.name}/${port}`
      const view = views.find(({ labels }) => labels[LABEL.port] === port)
      const attached = view !== undefined && Object.keys(view.networks).length > 0
      const spec = view === undefined ? before[name] : attached ? (view.labels[LABEL.spec] ?? '') : ''
      if (spec !== undefined) seen.set(name, spec)
    }
  }
  return Object.fromEntries(seen)
}

function removals(node: NodeView, views: readonly ContainerView[], cause: string): Step[] {
  return views.map((view) => step(node, view.name, cause, { op: 'remove', container: view.id }))
}

function planEdge(
  input: EdgeInput,
  node: NodeView,
  port: HostPort,
  memory: Pick<ServiceMemory, 'clusterIP' | 'edges'> | undefined,
  [view, ...extra]: readonly ContainerView[],
): Lane {
  const spec = edgeSpec(input, port, memory?.clusterIP ?? '')
  const spare = extra.map((other) =>
    step(node, other.name, 'drift: an extra edge', { op: 'remove', container: other.id }, 'extra'),
  )
  const wasRemoved = memory?.edges?.[`${node.name}/${port.id}`] === spec.labels[LABEL.spec]
  return { id: laneId(input.key, node, port.id), steps: [...spare, ...edgeSteps(input, node, spec, view, wasRemoved)] }
}

function edgeSteps(
  input: EdgeInput,
  node: NodeView,
  spec: ContainerSpec,
  view: ContainerView | undefined,
  wasRemoved: boolean,
): Step[] {
  const { name } = spec
  const launch = (cause: string, drift?: DriftKind): Step[] => [
    step(node, name, cause, { op: 'create', spec }, drift),
    step(node, name, cause, { op: 'start', container: name }),
  ]
  if (view === undefined && wasRemoved) return launch('drift: the edge was removed', 'removed')
  if (view === undefined) return launch(`publishes ${spec.labels[LABEL.port]} for ${splitKey(input.key).name}`)
  if (view.labels[LABEL.spec] !== spec.labels[LABEL.spec])
    return [...removals(node, [view], 'it leads elsewhere now'), ...launch('it leads elsewhere now')]
  if (view.state === 'created') return [step(node, name, 'not started yet', { op: 'start', container: view.id })]
  if (view.state === 'exited')
    return [step(node, name, `drift: stopped (exit ${view.exitCode})`, { op: 'start', container: view.id }, 'stopped')]
  if (view.state === 'dead') return removals(node, [view], 'left over by a failed removal')
  const mended = mendOwn(node.name, name, view, spec)
  return mended.length > 0 ? mended : proveEdge(input, node, view)
}

/** An edge runs a moment before it has its rules, and connections in between are reset: so they are waited for. */
const EDGE_RULES =
  'for try in 1 2 3 4 5 6 7 8 9 10; do nft list chain ip trireme_edge postrouting && exit 0; sleep 0.1; done; exit 1'

function proveEdge(input: EdgeInput, node: NodeView, view: ContainerView): Step[] {
  if (view.state !== 'running' || isProved(input, view)) return []
  const action = { exec: { command: ['sh', '-c', EDGE_RULES] } }
  const hook = { op: 'hook', container: view.name, address: '', phase: 'postStart', action, timeoutSeconds: 5 } as const
  return [step(node, view.name, 'waits for its rules', hook)]
}

function isProved(input: EdgeInput, view: ContainerView): boolean {
  return input.hooks.has(view.name)
}

function edgeSpec({ key, cluster }: EdgeInput, port: HostPort, clusterIP: string): ContainerSpec {
  const { namespace, name } = splitKey(key)
  const { protocol, hostPort, servicePort } = port
  const base: ContainerSpec = {
    ...baseSpec(cluster),
    name: edgeName(cluster, namespace, name, port),
    labels: {},
    entrypoint: ['/usr/local/lib/trireme/edge.sh'],
    cmd: [clusterIP, `${protocol}:${hostPort}:${servicePort}`],
    hostname: 'edge',
    networkMode: cluster.network,
    restartPolicy: 'always',
    init: true,
    capDrop: ['ALL'],
    capAdd: ['NET_ADMIN'],
    sysctls: { 'net.ipv4.ip_forward': '1' },
    portBindings: [{ hostIp: '', hostPort, containerPort: hostPort, protocol }],
  }
  const labels = {
    ...clusterLabels(cluster, 'edge'),
    [LABEL.service]: key,
    [LABEL.port]: port.id,
    [LABEL.spec]: sha256(canonicalText(base)).slice(0, 16),
  }
  return { ...base, labels }
}

function step(node: NodeView, target: string, cause: string, action: StepAction, drift?: DriftKind): Step {
  return { node: node.name, target, cause, ...(drift === undefined ? {} : { drift }), ...action }
}
