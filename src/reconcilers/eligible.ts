/** Which nodes a pod may run on. */
import type { PodSpec } from '../model/types.ts'
import type { NodeView } from './observed.ts'

/** Any node will do: no field of a pod's spec chooses one in this version, and their support rows say so. */
export function runsOn(_spec: PodSpec, _node: NodeView): boolean {
  return true
}
