/** What each kind of workload decides itself. Sets, pods and their steps are common to all (`workload.ts`). */
import type { WorkloadMemory } from './memory.ts'
import type { NewPods } from './newpod.ts'
import type { PodNow } from './podstate.ts'
import type { Wanted } from './wanted.ts'
import type { WorkloadInput } from './workloadinput.ts'

/** What a controller sees: the memory after this pass's observations were noted, and the pods in it. */
export interface ControllerPass {
  readonly input: WorkloadInput
  readonly memory: WorkloadMemory
  /** `null` once the workload has left Git */
  readonly wanted: Wanted | null
  readonly pods: readonly PodNow[]
  readonly newPods: NewPods
}

/** One kind of workload; pure. */
export interface Controller {
  /**
   * The memory with what there should be now: how many pods each set has, which records are new and which are marked
   * for deletion. It never touches an engine; steps follow from the records.
   */
  readonly steer: (pass: ControllerPass) => WorkloadMemory
}
