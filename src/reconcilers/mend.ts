/** What sets a running router or edge back to what it was made as, one step a drift. */
import { diffContainer } from '../diff/container.ts'
import type { ContainerView } from '../runtime/engine.ts'
import type { ContainerSpec, Step, StepAction } from './plan.ts'

/** @param target what the steps say they are done to */
export function mendOwn(node: string, target: string, view: ContainerView, spec: ContainerSpec): Step[] {
  const container = view.id
  return diffContainer(spec, view).map(({ kind, phrase }): Step => {
    const mended = (action: StepAction): Step => ({ node, target, cause: phrase, drift: kind, ...action })
    if (kind === 'paused') return mended({ op: 'unpause', container })
    if (kind === 'renamed') return mended({ op: 'rename', container, name: spec.name })
    if (kind === 'restartPolicy') return mended({ op: 'update', container, restartPolicy: spec.restartPolicy })
    if (kind === 'resources') return mended({ op: 'update', container, resources: spec.resources })
    // Off its network it has lost its address and its rules: a new one is quicker than repair.
    return mended({ op: 'remove', container })
  })
}
