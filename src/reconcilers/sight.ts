/** A pod as the planners of StatefulSets and DaemonSets see it. */
import { isAvailable, type PodNow } from './podstate.ts'

export interface PodSight {
  readonly uid: string
  /** name of the set whose template it carries */
  readonly set: string
  readonly ready: boolean
  /** ready for long enough, routed, and not leaving */
  readonly available: boolean
  readonly leaving: boolean
  /** its containers have ended and are not started again */
  readonly over: boolean
}

export function sightOf(pod: PodNow, minReadySeconds: number, now: number): PodSight {
  const { record, node } = pod.context
  const leaving = record.deletion !== undefined
  return {
    uid: record.uid,
    set: record.set,
    // Nobody knows what a pod out of reach is doing: it is left as it was.
    ready: pod.ready || !node.reachable,
    available: !leaving && isAvailable(pod, minReadySeconds, now),
    leaving,
    over: !leaving && (pod.phase === 'Succeeded' || pod.phase === 'Failed'),
  }
}

export interface Removal {
  readonly uid: string
  readonly reason: 'over' | 'surplus' | 'stale'
}
