/** Steps and lanes of a pod: how they are named, and those that set back what was changed from outside. */
import { type Driftable, diffContainer } from '../diff/container.ts'
import type { ContainerView, RestartPolicy } from '../runtime/engine.ts'
import { podLane } from './names.ts'
import type { DriftKind, Lane, Step, StepAction } from './plan.ts'
import type { PodContext } from './podcontext.ts'

export type Extra = { readonly drift?: DriftKind }

/** A lane beside that of the container which counts. */
export function besideLane(context: PodContext, container: string, view: ContainerView, only: Step): Lane {
  return { id: `${laneId(context, container)}/${view.id.slice(0, 12)}`, steps: [only] }
}

/** One step a kind of drift: all resource limits are set back together. */
export function mendDrift(
  context: PodContext,
  target: string,
  view: ContainerView,
  spec: Driftable,
  restartPolicy: RestartPolicy,
): Step[] {
  const found = Map.groupBy(diffContainer(spec, view, restartPolicy), ({ kind }) => kind)
  return [...found].map(([kind, differences]): Step => {
    const cause = differences.map(({ phrase }) => phrase).join('; ')
    const container = view.id
    switch (kind) {
      case 'paused':
        return step(context, target, cause, { op: 'unpause', container }, { drift: kind })
      case 'renamed':
        return step(context, target, cause, { op: 'rename', container, name: spec.name }, { drift: kind })
      case 'resources':
        return step(context, target, cause, { op: 'update', container, resources: spec.resources }, { drift: kind })
      case 'network':
        return step(
          context,
          target,
          cause,
          { op: 'connect', container, network: spec.networkMode, ip: spec.ip ?? '' },
          { drift: kind },
        )
      default:
        return step(context, target, restartCause(restartPolicy), { op: 'update', container, restartPolicy })
    }
  })
}

function restartCause(policy: RestartPolicy): string {
  return policy === 'no'
    ? 'has just been restarted: its next restart is ours to pace'
    : 'runs steadily: Docker may restart it while the daemon is away'
}

export function podCause(context: PodContext): string {
  return context.record.cause
}

export function graceOf(context: PodContext): number {
  return context.set.template.spec.terminationGracePeriodSeconds
}

export function identity(context: PodContext): { uid: string; name: string; namespace: string } {
  return { uid: context.record.uid, name: context.record.name, namespace: context.namespace }
}

export function laneId(context: PodContext, container: string): string {
  const own = podLane(context.record.uid)
  return container === '' ? own : `${own}/${container}`
}

export function lane(context: PodContext, container: string, steps: readonly Step[]): Lane {
  return { id: laneId(context, container), steps }
}

export function step(context: PodContext, what: string, cause: string, action: StepAction, extra: Extra = {}): Step {
  const target = what.startsWith('volume trireme-') || what.startsWith('image ') ? what : `${context.record.name}/${what}`
  return { node: context.node.name, target, cause, ...extra, ...action }
}
