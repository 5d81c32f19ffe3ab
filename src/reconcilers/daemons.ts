/**
 * The next moves of a DaemonSet: one pod on each of its nodes, replaced node by node.
 * @see Kubernetes pkg/controller/daemon/daemon_controller.go `manage` and update.go `rollingUpdate`
 */
import type { PodSight, Removal } from './sight.ts'

export interface DaemonPod extends PodSight {
  readonly node: string
  /** ms since the epoch */
  readonly createdAt: number
}

export interface DaemonRules {
  /** names of the nodes that are to have a pod */
  readonly nodes: readonly string[]
  /** the set that carries the wanted template */
  readonly next: string
  /** `null` for OnDelete; one of the two is zero */
  readonly rolling: { readonly surge: number; readonly unavailable: number } | null
}

export interface DaemonMoves {
  /** names of nodes that get a pod of the wanted set */
  readonly create: readonly string[]
  readonly remove: readonly Removal[]
}

/** A node and what stays on it: a pod of the wanted set, one of another. */
interface Place {
  readonly node: string
  readonly fresh: DaemonPod | undefined
  readonly old: DaemonPod | undefined
  /** something is still there that is on its way out */
  readonly clearing: boolean
}

/** What to do now; nothing once all is as it should be. No node gets a pod while another is still leaving it. */
export function planDaemons(rules: DaemonRules, pods: readonly DaemonPod[]): DaemonMoves {
  const over = pods.filter(({ over }) => over)
  const staying = pods.filter((pod) => !pod.over && !pod.leaving)
  const places = rules.nodes.map((node) => placeOf(node, rules.next, pods, staying))
  const placed = new Set(places.flatMap(({ fresh, old }) => [fresh?.uid, old?.uid]))
  const empty = places.filter(({ fresh, old, clearing }) => fresh === undefined && old === undefined && !clearing)
  const update = updatePlaces(rules, places)
  return {
    create: [...empty.map(({ node }) => node), ...update.create],
    remove: [
      ...over.map(({ uid }): Removal => ({ uid, reason: 'over' })),
      ...staying.filter(({ uid }) => !placed.has(uid)).map(({ uid }): Removal => ({ uid, reason: 'surplus' })),
      ...update.remove,
    ],
  }
}

/** Whether each node has its pod and no other, available, and of the wanted set unless pods are only replaced by hand. */
export function daemonsComplete({ nodes, next, rolling }: DaemonRules, pods: readonly DaemonPod[]): boolean {
  const staying = pods.filter(({ leaving }) => !leaving)
  return (
    staying.length === nodes.length &&
    nodes.every((node) => staying.some((pod) => pod.node === node && pod.available && (rolling === null || pod.set === next)))
  )
}

/** Of several that could stay the one that serves does, then the oldest. */
function placeOf(node: string, next: string, pods: readonly DaemonPod[], staying: readonly DaemonPod[]): Place {
  const here = staying
    .filter((pod) => pod.node === node)
    .sort((a, b) => Number(b.available) - Number(a.available) || a.createdAt - b.createdAt || (a.uid < b.uid ? -1 : 1))
  return {
    node,
    fresh: here.find(({ set }) => set === next),
    old: here.find(({ set }) => set !== next),
    clearing: pods.some((pod) => pod.node === node && (pod.leaving || pod.over)),
  }
}

function updatePlaces({ rolling }: DaemonRules, places: readonly Place[]): DaemonMoves {
  const relieved = places.flatMap(({ fresh, old }) =>
    fresh !== undefined && old !== undefined && (fresh.available || !old.available) ? old : [],
  )
  if (rolling === null) return { create: [], remove: relieved.map(stale) }
  const outdated = places.flatMap(({ node, fresh, old, clearing }) =>
    old !== undefined && fresh === undefined && !clearing ? [{ node, pod: old }] : [],
  )
  const serving = outdated.filter(({ pod }) => pod.available)
  const idle = outdated.filter(({ pod }) => !pod.available)
  if (rolling.surge > 0) {
    const surging = places.filter(({ fresh, old }) => fresh !== undefined && old !== undefined && !fresh.available).length
    const next = [...idle, ...serving.slice(0, Math.max(0, rolling.surge - surging))]
    return { create: next.map(({ node }) => node), remove: relieved.map(stale) }
  }
  // Who does not serve goes whatever the bounds say; it counts as unavailable all the same.
  const missing = places.filter(({ fresh, old }) => !(fresh ?? old)?.available).length
  const next = [...idle, ...serving.slice(0, Math.max(0, rolling.unavailable - missing))]
  return { create: [], remove: [...relieved, ...next.map(({ pod }) => pod)].map(stale) }
}

function stale({ uid }: DaemonPod): Removal {
  return { uid, reason: 'stale' }
}
