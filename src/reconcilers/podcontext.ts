/** What one pass knows about one pod. */
import type { Claim } from './claims.ts'
import type { Cluster } from './cluster.ts'
import type { CompiledPod } from './compile.ts'
import type { PodRecord, SetRecord } from './memory.ts'
import { SANDBOX } from './names.ts'
import type { ContainerProbes, Failure, MessageSource, NodeView, ObservedPod } from './observed.ts'

/** Whether a pod is in the data plane. */
export interface PodRouting {
  /** every Service that should send to it does so, acknowledged by its router */
  readonly acknowledged: boolean
  /** some acknowledged table still holds it */
  readonly present: boolean
}

/** Everything one pass knows about one pod. */
export interface PodContext {
  readonly record: PodRecord
  readonly set: SetRecord
  readonly namespace: string
  readonly cluster: Cluster
  readonly compiled: CompiledPod
  /** sentences about what the template refers to and does not exist */
  readonly missing: readonly string[]
  /** why it cannot be on its node, `''` once it is there */
  readonly misfit: string
  readonly observed: ObservedPod | undefined
  /** names of this pod's volumes that exist */
  readonly volumes: readonly string[]
  /** the claims of its namespace by name; `undefined` for one that nobody has declared */
  readonly claim: (name: string) => Claim | undefined
  readonly node: NodeView
  readonly probes: (containerId: string) => ContainerProbes
  readonly routing: PodRouting
  readonly failures: ReadonlyMap<string, Failure>
  readonly inFlight: ReadonlySet<string>
  /** names of containers whose postStart hook has ended well */
  readonly hooks: { has(container: string): boolean }
  readonly tail: (containerId: string, secrets: readonly string[]) => readonly string[]
  readonly message: (containerId: string, source: MessageSource, secrets: readonly string[]) => string
  readonly now: number
}

/** Something is being done to the pod: what was about to start may still do so. */
export function isBusy({ record, inFlight }: PodContext): boolean {
  return [...inFlight].some((lane) => lane === `pod/${record.uid}` || lane.startsWith(`pod/${record.uid}/`))
}

/** The id of the step that starts a pod's sandbox, as `stepId` makes it. */
export function sandboxStartId(context: PodContext): string {
  return `pod/${context.record.uid}|start|${context.record.name}/${SANDBOX}`
}

/** The id of the step that removes a volume of a pod that goes, as `stepId` makes it. */
export function volumeRemovalId(uid: string, volume: string): string {
  return `pod/${uid}|removeVolume|volume ${volume}`
}
