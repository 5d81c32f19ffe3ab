/**
 * What Trireme itself needs on a node: the pod network, the router, and nothing left over. Planned like any
 * workload, so that a router or network that somebody removed or stopped comes back with its cause.
 */

import { canonicalText, sha256 } from '../model/canonical.ts'
import type { ContainerView } from '../runtime/engine.ts'
import type { Cluster } from './cluster.ts'
import { baseSpec } from './compile.ts'
import { mendOwn } from './mend.ts'
import { clusterLabels, LABEL, podLane, routerName, routerVolume } from './names.ts'
import type { NodeView } from './observed.ts'
import type { ContainerSpec, DriftKind, Lane, Plan, Step, StepAction } from './plan.ts'
import type { RouteTable } from './routetable.ts'
import { describeChange, sameTable } from './tablediff.ts'

export interface NodeInput {
  readonly key: string
  readonly cluster: Cluster
  readonly node: NodeView
  /** `undefined` while not every workload has been planned once: a half-known table must not be sent */
  readonly table: RouteTable | undefined
  /** owners (object keys) of containers that some pass looks after */
  readonly owned: (owner: string) => boolean
  /** pod uids that some workload remembers */
  readonly knownPod: (uid: string) => boolean
  /** ids of lanes with a step under way */
  readonly inFlight: ReadonlySet<string>
}

export function planNode(input: NodeInput): Plan {
  const { node } = input
  if (!node.reachable) return { key: input.key, lanes: [] }
  const lanes = [planRouter(input), planRoutes(input), ...(node.router.connected ? planLeftovers(input) : [])]
  return { key: input.key, lanes: lanes.filter(({ steps }) => steps.length > 0) }
}

/** Network, volume and container of the router, in this order. */
function planRouter(input: NodeInput): Lane {
  const { cluster, node } = input
  const network = node.networks.has(cluster.network)
    ? []
    : [
        step(input, `network ${cluster.network}`, 'the pods of this cluster need it', {
          op: 'createNetwork',
          network: networkConfig(cluster),
        }),
      ]
  const volume = node.volumes.has(routerVolume(cluster))
    ? []
    : [
        step(input, `volume ${routerVolume(cluster)}`, 'keeps the last routes', {
          op: 'createVolume',
          volume: routerVolumeConfig(cluster),
        }),
      ]
  return { id: `node/${node.name}`, steps: [...network, ...volume, ...routerSteps(input)] }
}

function routerSteps(input: NodeInput): Step[] {
  const { cluster } = input
  const spec = routerSpec(cluster)
  const view = routerOf(input)
  const name = spec.name
  const launch = (cause: string, drift?: DriftKind): Step[] => [
    step(input, 'router', cause, { op: 'create', spec }, drift),
    step(input, 'router', cause, { op: 'start', container: name }),
  ]
  if (view === undefined && input.node.router.seen === spec.labels[LABEL.spec])
    return launch('drift: the router was removed', 'removed')
  if (view === undefined) return launch('no router')
  if (view.labels[LABEL.spec] !== spec.labels[LABEL.spec])
    return [
      step(input, 'router', 'its configuration changed', { op: 'remove', container: view.id }),
      ...launch('its configuration changed'),
    ]
  if (view.state === 'created') return [step(input, 'router', 'not started yet', { op: 'start', container: view.id })]
  if (view.state === 'exited')
    return [step(input, 'router', `drift: stopped (exit ${view.exitCode})`, { op: 'start', container: view.id }, 'stopped')]
  if (view.state === 'dead') return [step(input, 'router', 'left over by a failed removal', { op: 'remove', container: view.id })]
  return mendOwn(input.node.name, 'router', view, spec)
}

function planRoutes(input: NodeInput): Lane {
  const { node, table } = input
  const { router } = node
  const id = `node/${node.name}/routes`
  if (table === undefined || !router.connected || router.resting === true) return { id, steps: [] }
  if (router.drift.length > 0) {
    const kinds = router.drift.map((kind) => (kind === 'dns' ? 'names' : 'rules')).join(' and ')
    return {
      id,
      steps: [
        step(
          input,
          'routes',
          `drift: the router's ${kinds} were changed from outside`,
          { op: 'route', table },
          router.drift[0] ?? 'routes',
        ),
      ],
    }
  }
  if (router.acknowledged !== undefined && sameTable(router.acknowledged, table)) return { id, steps: [] }
  return { id, steps: [step(input, 'routes', describeChange(router.acknowledged, table), { op: 'route', table })] }
}

/** Containers and volumes that carry this cluster's label and that nobody looks after. */
function planLeftovers(input: NodeInput): Lane[] {
  const { node, cluster } = input
  const containers = [...node.containers.values()].filter((view) => isLeftover(input, view))
  const inUse = new Set([...node.containers.values()].map(({ labels }) => labels[LABEL.podUid] ?? ''))
  const volumes = [...node.volumes.values()].filter(({ name, labels }) => {
    const uid = labels[LABEL.podUid] ?? ''
    return name !== routerVolume(cluster) && uid !== '' && !input.knownPod(uid) && !inUse.has(uid)
  })
  return [
    ...containers.map((view) => ({
      id: `leftover/${view.id.slice(0, 12)}`,
      steps: [removal(input, view)],
    })),
    ...volumes.map(({ name }) => ({
      id: `leftover/${name}`,
      steps: [step(input, `volume ${name}`, 'its pod is gone', { op: 'removeVolume', volume: name })],
    })),
  ]
}

function removal(input: NodeInput, { id, name, labels }: ContainerView): Step {
  const action = { op: 'remove', container: id } as const
  if (labels[LABEL.role] === 'look') return step(input, name, 'left over by a daemon that has ended', action)
  return step(input, name, 'drift: an extra container carries the labels of this cluster', action, 'extra')
}

function isLeftover(input: NodeInput, view: ContainerView): boolean {
  const { labels } = view
  if (view.state === 'removing' || labels[LABEL.cluster] !== input.cluster.id) return false
  switch (labels[LABEL.role]) {
    case 'router':
      return view.id !== routerOf(input)?.id
    case 'edge':
      return !input.owned(labels[LABEL.service] ?? '')
    case 'look':
      return !input.inFlight.has(podLane(labels[LABEL.podUid] ?? ''))
    case 'pod':
      return (
        labels[LABEL.podUid] === undefined || labels[LABEL.containerName] === undefined || !input.owned(labels[LABEL.owner] ?? '')
      )
    default:
      return true
  }
}

/** The router by label; of several, the one with the right name, then the oldest. */
export function routerOf(input: {
  readonly cluster: Cluster
  readonly node: Pick<NodeView, 'containers'>
}): ContainerView | undefined {
  const name = routerName(input.cluster)
  return [...input.node.containers.values()]
    .filter(({ labels }) => labels[LABEL.role] === 'router')
    .sort((a, b) => Number(b.name === name) - Number(a.name === name) || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))[0]
}

export function networkConfig(cluster: Cluster) {
  return {
    name: cluster.network,
    driver: 'bridge',
    subnet: cluster.subnet,
    ipRange: cluster.podRange,
    gateway: cluster.gateway,
    labels: clusterLabels(cluster, 'network'),
    options: {},
  }
}

function routerVolumeConfig(cluster: Cluster) {
  return { name: routerVolume(cluster), labels: clusterLabels(cluster, 'volume'), driver: 'local', driverOpts: {} }
}

/**
 * A refusal over UDP is an ICMP message, and the kernel would send few of them to one client: the others would hang.
 *
 * The kernel remembers where it has sent a connection, by the client's port, and sends there what comes from that port later, be it a
 * new connection. An opening that nobody answers is forgotten before the client repeats it, which it does after a second: so each
 * try may reach another pod, and the port leads nobody to one that is gone.
 */
export const ROUTER_SYSCTLS = {
  'net.ipv4.ip_forward': '1',
  'net.ipv4.icmp_ratelimit': '0',
  'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': '1',
} as const

/** A cluster stays as it is, and every pass over a node asks. */
const routers = new WeakMap<Cluster, ContainerSpec>()

/** The router's container, as its entry script in images/node expects it. */
export function routerSpec(cluster: Cluster): ContainerSpec {
  const spec = routers.get(cluster) ?? compileRouter(cluster)
  routers.set(cluster, spec)
  return spec
}

function compileRouter(cluster: Cluster): ContainerSpec {
  const base: ContainerSpec = {
    ...baseSpec(cluster),
    name: routerName(cluster),
    labels: {},
    entrypoint: ['/usr/local/lib/trireme/router.sh'],
    cmd: [cluster.serviceRange, cluster.dnsAddress, cluster.domain],
    hostname: 'router',
    networkMode: cluster.network,
    ip: cluster.routerAddress,
    restartPolicy: 'always',
    init: true,
    capDrop: ['ALL'],
    capAdd: ['NET_ADMIN'],
    sysctls: ROUTER_SYSCTLS,
    mounts: [
      {
        type: 'volume',
        source: routerVolume(cluster),
        target: '/var/lib/trireme',
        readOnly: false,
        // Somebody may remove it before the router is made.
        volume: routerVolumeConfig(cluster),
      },
    ],
  }
  return { ...base, labels: { ...clusterLabels(cluster, 'router'), [LABEL.spec]: sha256(canonicalText(base)).slice(0, 16) } }
}

function step(input: NodeInput, target: string, cause: string, action: StepAction, drift?: DriftKind): Step {
  return { node: input.node.name, target, cause, ...(drift === undefined ? {} : { drift }), ...action }
}
