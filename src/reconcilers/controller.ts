/** What each kind of workload decides itself. Sets, pods and their steps are common to all (`workload.ts`). */
import type { PodTemplate } from '../model/types.ts'
import type { PodRecord, WorkloadMemory } from './memory.ts'
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
}

export interface SteeringPass extends ControllerPass {
  readonly newPods: NewPods
}

/** One kind of workload; pure. */
export interface Controller {
  /** what its sets are called in events; those of a Deployment are told as they are scaled */
  readonly setNoun: 'Replica set' | 'Revision'
  /**
   * The memory with what there should be now: how many pods each set has, which records are new and which are marked
   * for deletion. It never touches an engine; steps follow from the records.
   */
  readonly steer: (pass: SteeringPass) => WorkloadMemory
  /** Every pod that should be there is, as Git wants it, and is available; those on their way out do not count. */
  readonly isComplete: (pass: ControllerPass & { readonly wanted: Wanted }) => boolean
  /** The template of a set as one of its pods has it: with the labels, and whatever else, that this kind gives to it. */
  readonly podTemplate: (template: PodTemplate, record: Pick<PodRecord, 'name' | 'hash'>) => PodTemplate
}

/** A template with more labels. */
export function labelled(template: PodTemplate, labels: Readonly<Record<string, string>>): PodTemplate {
  const { metadata } = template
  return { ...template, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } }
}
