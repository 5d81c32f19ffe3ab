/** What each kind of workload decides itself. Sets, pods and their steps are common to all (`workload.ts`). */
import type { PodTemplate } from '../model/types/pod.ts'
import type { PodWorkload } from '../model/types/workload.ts'
import type { PodRecord, WorkloadMemory } from './memory.ts'
import type { NewPods } from './newpod.ts'
import type { PodNow } from './podstate.ts'
import type { WorkloadStatus } from './status.ts'
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

/** What a pod is known by beside its set. */
export type PodShape = Pick<PodRecord, 'name' | 'hash' | 'index'>

/** The workload of a pod. */
export interface PodOwner {
  readonly name: string
  readonly uid: string
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
  readonly podTemplate: (template: PodTemplate, record: PodShape, owner: PodOwner) => PodTemplate
  /** Times at which time alone changes something for this kind, past ones among them; none unless told. */
  readonly wakeTimes?: (memory: WorkloadMemory, target: PodWorkload | null) => readonly number[]
  /** The status where this kind has more to say than is said of any workload. */
  readonly summarize?: (common: WorkloadStatus, pass: ControllerPass) => WorkloadStatus
}

/** A template with more labels. */
export function labelled(template: PodTemplate, labels: Readonly<Record<string, string>>): PodTemplate {
  const { metadata } = template
  return { ...template, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } }
}
