/** Containers to pods, by label. */
import type { ContainerView, VolumeView } from '../runtime/engine.ts'
import { attemptOf } from './containerstate.ts'
import { containerName, LABEL, SANDBOX } from './names.ts'
import type { ObservedPod } from './observed.ts'

/** Pods of one node by owner key; containers that lack the labels of a pod are left to the node's own pass. */
export function groupPods(containers: Iterable<ContainerView>, node: string): ReadonlyMap<string, readonly ObservedPod[]> {
  const parts = [...containers].filter(
    ({ labels }) =>
      labels[LABEL.role] === 'pod' && labels[LABEL.podUid] !== undefined && labels[LABEL.containerName] !== undefined,
  )
  const byPod = Map.groupBy(parts, ({ labels }) => `${labels[LABEL.owner]}|${labels[LABEL.podUid]}`)
  const pods = [...byPod.values()].map((views) => groupPod(views, node))
  return Map.groupBy(pods, ({ owner }) => owner)
}

export function volumesByPod(volumes: Iterable<VolumeView>): ReadonlyMap<string, readonly string[]> {
  const named = [...volumes].filter(({ labels }) => labels[LABEL.podUid] !== undefined)
  const groups = Map.groupBy(named, ({ labels }) => labels[LABEL.podUid] ?? '')
  return new Map([...groups].map(([uid, views]) => [uid, views.map(({ name }) => name).sort()]))
}

function groupPod(views: readonly ContainerView[], node: string): ObservedPod {
  const [{ labels }] = views as [ContainerView]
  const [sandboxes, members] = partition([...views].sort(byAttempt), ({ labels }) => labels[LABEL.containerName] === SANDBOX)
  const sandbox = sandboxes.at(-1)
  const [joined, apart] = partition(members, (view) => sandbox === undefined || view.networkMode === `container:${sandbox.id}`)
  const byName = Map.groupBy(joined, (view) => view.labels[LABEL.containerName] ?? '')
  // A second sandbox, or a container that does not share this one's network, is somebody's copy: it is shown under a name
  // that no container of a pod has, and so removed.
  const copies = [...sandboxes.slice(0, -1), ...apart]
  if (copies.length > 0) byName.set(SANDBOX, copies)
  return {
    uid: labels[LABEL.podUid] ?? '',
    name: labels[LABEL.podName] ?? '',
    namespace: labels[LABEL.podNamespace] ?? '',
    owner: labels[LABEL.owner] ?? '',
    node,
    sandbox,
    containers: byName,
  }
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))]
}

/** Ascending attempts; of two that claim the same attempt, the one with the right name comes last and counts. */
function byAttempt(a: ContainerView, b: ContainerView): number {
  return (
    attemptOf(a) - attemptOf(b) ||
    Number(hasOwnName(a)) - Number(hasOwnName(b)) ||
    a.createdAt - b.createdAt ||
    (a.id < b.id ? -1 : 1)
  )
}

function hasOwnName(view: ContainerView): boolean {
  const { labels } = view
  const pod = { uid: labels[LABEL.podUid] ?? '', name: labels[LABEL.podName] ?? '', namespace: labels[LABEL.podNamespace] ?? '' }
  return view.name === containerName(pod, labels[LABEL.containerName] ?? '', attemptOf(view))
}
