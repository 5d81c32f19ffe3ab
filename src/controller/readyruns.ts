/** What is known of the readiness of containers before any of their probes has answered this daemon. */
import type { ObjectKey } from '../model/types/meta.ts'
import type { WorkloadMemory } from '../reconcilers/memory.ts'
import type { NodeReading } from './node.ts'

/**
 * Ids of the running containers that were ready when the last daemon ended: a restart of the daemon takes nobody out. What
 * Docker has started anew meanwhile is another run, of which nothing is known yet.
 */
export function readyRuns(
  workloads: ReadonlyMap<ObjectKey, WorkloadMemory>,
  nodes: readonly Pick<NodeReading, 'owners' | 'podsOf'>[],
): readonly string[] {
  const readySince = new Map([...workloads.values()].flatMap(({ pods }) => pods.map((pod) => [pod.uid, pod.readySince])))
  return nodes
    .flatMap((node) => [...node.owners()].map((owner) => ({ owner, pods: node.podsOf(owner) })))
    .flatMap(({ owner, pods }) =>
      pods.flatMap(({ uid, containers }) => {
        // Pods of a lost store are taken over as they are found.
        const since = workloads.has(owner) ? (readySince.get(uid) ?? 0) : Number.POSITIVE_INFINITY
        const runs = [...containers.values()].flat()
        return runs.filter(({ state, startedAt }) => state === 'running' && startedAt <= since).map(({ id }) => id)
      }),
    )
}
