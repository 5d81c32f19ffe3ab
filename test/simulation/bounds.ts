/** What a workload promises while it changes, worked out on its own: the oracle does not ask the planner. */
import type { Job, PodWorkload } from '../../src/model/types/workload.ts'
import { behaviourOf, isSound } from './behaviour.ts'

export interface Pledge {
  /** at least so many ready and routed */
  readonly floor: number
  /** at most so many that are not leaving */
  readonly ceiling: number
  /** pods of this template become ready and stay so */
  readonly sound: boolean
  /** its pods may seem ready for a while: then they are allowed to replace those that were */
  readonly deceptive: boolean
}

/** @see Kubernetes: maxSurge in percent rounds up, maxUnavailable down; both zero means one unavailable */
export function pledgeOf(workload: Exclude<PodWorkload, Job>): Pledge {
  const image = (workload.kind === 'Pod' ? workload.spec : workload.spec.template.spec).containers[0]?.image ?? ''
  const behaviour = behaviourOf(image)
  const nature = {
    sound: isSound(behaviour),
    deceptive: behaviour.kind === 'flap' || behaviour.kind === 'sick',
  }
  if (workload.kind === 'Pod') return { floor: 0, ceiling: 1, ...nature }
  // On the one node of a simulated world.
  if (workload.kind === 'DaemonSet') return { floor: 0, ceiling: 1, ...nature }
  const { replicas } = workload.spec
  if (workload.kind === 'StatefulSet') return { floor: Math.max(0, replicas - 1), ceiling: replicas, ...nature }
  if (workload.kind === 'Deployment' && workload.spec.strategy.type === 'Recreate')
    return { floor: 0, ceiling: replicas, ...nature }
  const { maxSurge, maxUnavailable } =
    workload.kind === 'Deployment' && workload.spec.strategy.type === 'RollingUpdate'
      ? workload.spec.strategy.rollingUpdate
      : { maxSurge: '25%', maxUnavailable: '25%' }
  const surge = share(maxSurge, replicas, Math.ceil)
  const some = share(maxUnavailable, replicas, Math.floor)
  const unavailable = surge === 0 && some === 0 ? 1 : some
  return { floor: Math.max(0, replicas - unavailable), ceiling: replicas + surge, ...nature }
}

function share(value: number | string, of: number, round: (exact: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseInt(value, 10) * of) / 100)
}

/** What holds for a workload at the moment: its promise once it is settled, the weakest of several while it changes. */
export interface Commitment {
  readonly floor: number
  readonly ceiling: number
}

export interface Commitments {
  /** The workload is to be like this from now on. */
  change(key: string, pledge: Pledge): void
  /** It is like this, whole and ready. */
  settle(key: string, pledge: Pledge): void
  forget(key: string): void
  of(key: string): Commitment | undefined
}

export function commitments(): Commitments {
  const known = new Map<string, Commitment>()
  return {
    change(key, { floor, ceiling, deceptive }) {
      const before = known.get(key)
      if (before === undefined) return
      if (deceptive) known.set(key, { floor: 0, ceiling: Math.max(before.ceiling, ceiling) })
      else known.set(key, { floor: Math.min(before.floor, floor), ceiling: Math.max(before.ceiling, ceiling) })
    },
    settle(key, { floor, ceiling, sound }) {
      known.set(key, { floor: sound ? floor : 0, ceiling })
    },
    forget: (key) => void known.delete(key),
    of: (key) => known.get(key),
  }
}
