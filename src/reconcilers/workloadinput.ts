import type { ObjectKey } from '../model/types/meta.ts'
import type { OtherObject } from '../model/types/object.ts'
import type { PodWorkload } from '../model/types/workload.ts'
import type { ConfigLookup } from './binding.ts'
import type { Claim } from './claims.ts'
import type { Cluster } from './cluster.ts'
import type { WorkloadMemory } from './memory.ts'
import type { ContainerProbes, Failure, MessageSource, NodeView, ObservedPod } from './observed.ts'
import type { PodRouting } from './podcontext.ts'
import type { Requests } from './requests.ts'

/** What a workload pass reads. All of it is frozen; nothing else is read. */
export interface WorkloadInput {
  readonly key: ObjectKey
  /** `null` when it left Git and is to be taken down */
  readonly target: PodWorkload | null
  /** the revision that `target` comes from */
  readonly sourceRevision: string
  readonly memory: WorkloadMemory | undefined
  /** pods found on the engines by this workload's owner label */
  readonly pods: readonly ObservedPod[]
  readonly lookup: ConfigLookup
  /** what pods that are made now are told of the Services of its namespace, as `linksText` has it */
  readonly serviceLinks: string
  /** claims by namespace and name; `undefined` for one that nobody has declared */
  readonly claim: (namespace: string, name: string) => Claim | undefined
  /** whether somebody has declared such a ServiceAccount */
  readonly serviceAccount: (namespace: string, name: string) => boolean
  readonly cluster: Cluster
  /** at least one */
  readonly nodes: readonly NodeView[]
  /** names of existing volumes by pod uid */
  readonly volumes: (podUid: string) => readonly string[]
  /** workloads as they are remembered, but for those that are about to go; asked for only where a pod has to do with others */
  readonly workloads: () => Iterable<readonly [key: ObjectKey, memory: WorkloadMemory]>
  /** the ResourceQuotas of its namespace */
  readonly quotas: readonly OtherObject[]
  readonly addressUsed: (ip: string) => boolean
  /** units of extended resources, as `unitKeys` has them, that pods of other workloads hold on a node; asked for only where some are needed */
  readonly unitsHeld: (node: string) => Iterable<string>
  /** what pods of other workloads have requested of a node, but of those that are about to go */
  readonly requested: (node: string) => Requests
  readonly probes: (containerId: string) => ContainerProbes
  readonly routing: (podUid: string) => PodRouting
  readonly failures: ReadonlyMap<string, Failure>
  /** ids of lanes with a step under way */
  readonly inFlight: ReadonlySet<string>
  /** names of containers whose postStart hook has ended well */
  readonly hooks: { has(container: string): boolean }
  /** last words of a container that ended, once all values with these digests are known and taken out; `[]` until then */
  readonly tail: (containerId: string, secrets: readonly string[]) => readonly string[]
  /** the message that a container has ended with, `''` when there is none or it is not read yet */
  readonly message: (containerId: string, source: MessageSource, secrets: readonly string[]) => string
  readonly now: number
  /** the n-th id of this pass; equal seeds give equal ids */
  readonly id: (index: number) => { readonly uid: string; readonly suffix: string }
}
