/** What each kind of workload decides itself. Sets, pods and their steps are common to all (`workload.ts`). */
import type { PodTemplate, PodWorkload } from '../model/types.ts'
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
  readonly newPods: NewPods
}

/** The workload of a pod. */
export interface PodOwner {
  readonly name: string
  readonly uid: string
}

/** One kind of workload; pure. */
export interface Controller {
  /**
   * The memory with what there should be now: how many pods each set has, which records are new and which are marked
   * for deletion. It never touches an engine; steps follow from the records.
   */
  readonly steer: (pass: ControllerPass) => WorkloadMemory
  /** The template of a set as one of its pods has it: with the labels, and whatever else, that this kind gives to it. */
  readonly podTemplate: (template: PodTemplate, record: PodRecord, owner: PodOwner) => PodTemplate
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
