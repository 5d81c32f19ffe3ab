/** What the daemon says of itself and its cluster: the status, and the checks behind `/healthz` and `/readyz`. */
import type { Check } from '../api/check.ts'
import type { Config } from '../config.ts'
import { formatQuantity } from '../model/quantity.ts'
import { quotaUsage } from '../model/quota.ts'
import { splitKey } from '../model/types/meta.ts'
import type { PodSpec } from '../model/types/pod.ts'
import { claimStatuses } from '../reconcilers/claimstatus.ts'
import { holdsPlace } from '../reconcilers/memory.ts'
import { NOTHING, type Requests } from '../reconcilers/requests.ts'
import { doomedClaims } from '../reconcilers/retention.ts'
import { allocatable } from '../reconcilers/room.ts'
import type { ClusterStatus, NodeAmounts, NodeStatus, QuotaStatus } from '../reconcilers/status.ts'
import type { Running } from './assemble.ts'
import type { Edges } from './edges.ts'
import type { NodeRuntime } from './node.ts'
import type { World } from './world.ts'

/** A loop that has had work for this long without a turn is stuck: ms. */
const STUCK_MS = 60_000

/** The status as of now; without an engine yet, the reason why. */
export function clusterStatus(
  config: Config,
  edges: Edges,
  startedAt: number,
  running: Running | undefined,
  waiting: string,
): ClusterStatus {
  const head = { cluster: config.cluster, version: edges.version, startedAt }
  if (running === undefined)
    return {
      ...head,
      sources: [],
      workloads: [],
      services: [],
      claims: [],
      nodes: [unreachableNode(waiting)],
      quotas: [],
      unenforced: [],
    }
  const { world, sync, nodes } = running
  return {
    ...head,
    sources: [sync.status()],
    workloads: sortedByKey(world.statuses),
    services: sortedByKey(world.services),
    claims: claimStatuses({
      claims: world.claims(),
      volumes: new Map(nodes.flatMap((node) => [...node.claims()])),
      containers: nodes.flatMap((node) => [...node.view().containers.values()]),
      doomed: doomedClaims(world.store.workloads()),
    }),
    nodes: nodes.map((node) => nodeStatus(node, running)),
    quotas: quotaStatuses(world),
    unenforced: sync.unenforced(),
  }
}

function quotaStatuses(world: World): QuotaStatus[] {
  return world.allQuotas().map((quota) => {
    const { namespace, name, resources } = quotaUsage(quota, podSpecsIn(quota.metadata.namespace, world))
    const amounts = resources.map(({ resource, hard, used }) => ({
      resource,
      hard: formatQuantity(hard),
      used: formatQuantity(used),
    }))
    return { namespace, name, resources: amounts }
  })
}

/** Of all pods that have their place. */
function podSpecsIn(namespace: string, { staying }: World): PodSpec[] {
  return staying().flatMap(([key, { pods, sets }]) => {
    if (splitKey(key).namespace !== namespace) return []
    const specs = new Map(sets.map(({ name, template }) => [name, template.spec]))
    return pods.filter(holdsPlace).flatMap(({ set }) => specs.get(set) ?? [])
  })
}

function sortedByKey<T>(items: ReadonlyMap<string, T>): T[] {
  return [...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}

function nodeStatus(node: NodeRuntime, { world, cluster }: Running): NodeStatus {
  const view = node.view()
  const { info } = view
  return {
    name: node.name,
    reachable: view.reachable,
    message: view.error,
    engineVersion: info?.version ?? '',
    apiVersion: info?.apiVersion ?? '',
    kernel: info?.kernel ?? '',
    os: info?.os ?? '',
    architecture: info?.architecture ?? '',
    cpus: info?.cpus ?? 0,
    memoryBytes: info?.memoryBytes ?? 0,
    extended: Object.fromEntries(Object.entries(cluster.nodeResources).map(([name, units]) => [name, units.length])),
    allocatable: amountsOf(allocatable(cluster, view) ?? NOTHING),
    requested: amountsOf(world.requested(node.name)),
    pods: [...world.statuses.values()].reduce((sum, { pods }) => sum + pods.filter((pod) => pod.node === node.name).length, 0),
    router: { connected: view.router.connected, address: cluster.routerAddress, message: view.router.error },
  }
}

function amountsOf({ cpuMillis, memoryBytes }: Requests): NodeAmounts {
  return { cpuCores: cpuMillis / 1000, memoryBytes }
}

function unreachableNode(message: string): NodeStatus {
  const unknown = {
    engineVersion: '',
    apiVersion: '',
    kernel: '',
    os: '',
    architecture: '',
    cpus: 0,
    memoryBytes: 0,
    extended: {},
    allocatable: amountsOf(NOTHING),
    requested: amountsOf(NOTHING),
    pods: 0,
  }
  return { name: 'local', reachable: false, message, ...unknown, router: { connected: false, address: '', message } }
}

export function health(running: Running | undefined, now: number): Check[] {
  const stuck = running !== undefined && running.loop.queue.size() > 0 && now - running.loop.lastTurn() > STUCK_MS
  return [
    {
      name: 'loop',
      level: stuck ? 'fail' : 'ok',
      message: stuck ? `no pass for ${STUCK_MS / 1000} s although objects are due` : '',
      remedy: stuck ? 'restart the daemon' : '',
    },
  ]
}

export function ready(running: Running | undefined, waiting: string): Check[] {
  if (running === undefined)
    return [{ name: 'engine', level: 'fail', message: waiting, remedy: 'start Docker, or point --docker at it' }]
  return running.nodes
    .flatMap((node): Check[] => {
      const { reachable, error, router } = node.view()
      return [
        {
          name: `engine ${node.name}`,
          level: reachable ? 'ok' : 'fail',
          message: error,
          remedy: reachable ? '' : 'start Docker, or point --docker at it',
        },
        { name: `router ${node.name}`, level: router.connected ? 'ok' : 'fail', message: router.error, remedy: '' },
      ]
    })
    .concat([
      checkStore(running.loop.storeTrouble()),
      { name: 'source', level: running.sync.revision() === '' ? 'fail' : 'ok', message: running.sync.status().error, remedy: '' },
    ])
}

function checkStore(trouble: string): Check {
  return { name: 'store', level: trouble === '' ? 'ok' : 'fail', message: trouble, remedy: 'free space in the data directory' }
}
