/** Which pods of a replica set go first. @see Kubernetes pkg/controller/controller_utils.go ActivePodsWithRanks */
import type { PodRecord } from './memory.ts'
import type { PodNow } from './podstate.ts'

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const PHASES: Readonly<Record<PodNow['phase'], number>> = { Failed: 0, Succeeded: 0, Pending: 1, Unknown: 2, Running: 3 }

export interface Ranked {
  readonly pod: PodNow
  /** pods of the same workload on its node */
  readonly siblings: number
  readonly available: boolean
}

/** Sorts so that the pods that should go first come first; a total order. */
export function rankForDeletion(pods: readonly Ranked[], now: number): PodNow[] {
  return [...pods].sort((a, b) => compareForDeletion(a, b, now)).map(({ pod }) => pod)
}

function compareForDeletion(a: Ranked, b: Ranked, now: number): number {
  const [x, y] = [a.pod.context.record, b.pod.context.record]
  return (
    Number(x.bound) - Number(y.bound) ||
    PHASES[a.pod.phase] - PHASES[b.pod.phase] ||
    Number(a.pod.ready) - Number(b.pod.ready) ||
    // Beyond Kubernetes: what is counted as missing is what goes, and never one that serves in its place.
    Number(a.available) - Number(b.available) ||
    deletionCost(a.pod) - deletionCost(b.pod) ||
    b.siblings - a.siblings ||
    compareReadiness(x, y, now) ||
    restarts(b.pod) - restarts(a.pod) ||
    y.createdAt - x.createdAt ||
    (x.uid < y.uid ? -1 : x.uid > y.uid ? 1 : 0)
  )
}

function deletionCost(pod: PodNow): number {
  return Number.parseInt(pod.context.set.template.metadata.annotations[DELETION_COST] ?? '0', 10) || 0
}

/** Ready for less time goes first, on a logarithmic scale; within one step of it chance decides, which the uid is. */
function compareReadiness(x: PodRecord, y: PodRecord, now: number): number {
  if (x.readySince === y.readySince) return 0
  return readyBucket(x.readySince, now) - readyBucket(y.readySince, now) || (x.uid < y.uid ? -1 : 1)
}

function readyBucket(readySince: number, now: number): number {
  return readySince === 0 ? -1 : Math.floor(Math.log2(Math.max(1, now - readySince)))
}

function restarts(pod: PodNow): number {
  return pod.containers.reduce((sum, { attempt, latest }) => sum + Math.max(0, attempt) + (latest?.restartCount ?? 0), 0)
}
