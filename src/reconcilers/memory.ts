/**
 * What must be remembered of a workload between passes and across restarts: its replica sets and its
 * pods, as Kubernetes keeps them in etcd. Planners return the next value; the loop writes it before
 * any step of the same pass is started, so a crash can lose work but never a decision.
 */
import type { PodTemplate } from '../model/types.ts'

/** The values a pod template refers to, as they were when its replica set was made. Secret values by digest. */
export interface BoundConfig {
  readonly configMaps: Readonly<
    Record<string, { readonly data: Readonly<Record<string, string>>; readonly binaryData: Readonly<Record<string, string>> }>
  >
  readonly secrets: Readonly<Record<string, { readonly type: string; readonly data: Readonly<Record<string, string>> }>>
}

export interface SetRecord {
  /** `<workload>-<hash>`, or the workload's own name for a bare ReplicaSet or Pod */
  readonly name: string
  readonly uid: string
  /** the template hash; names the template, equality is decided on the template itself */
  readonly hash: string
  /** Deployment revision, from 1 */
  readonly revision: number
  readonly replicas: number
  readonly createdAt: number
  readonly template: PodTemplate
  readonly config: BoundConfig
  /** the source revision that first asked for this template */
  readonly sourceRevision: string
  /** digests of secret values that its pods were given before, where they take changed ones in place */
  readonly retired?: readonly string[]
}

/** Digests of all secret values in a binding. */
export function secretDigests({ secrets }: BoundConfig): string[] {
  return Object.values(secrets).flatMap(({ data }) => Object.values(data))
}

export interface PodDeletion {
  /** ms since the epoch */
  readonly since: number
  readonly graceSeconds: number
  readonly cause: string
}

export interface PodRecord {
  readonly uid: string
  readonly name: string
  /** name of its SetRecord */
  readonly set: string
  readonly hash: string
  readonly node: string
  /** address on the pod network, chosen here so that a reboot of the host keeps it */
  readonly ip: string
  readonly createdAt: number
  /** why it was made, in a short phrase: `missing replica`, `rollout to revision 3` */
  readonly cause: string
  /** its sandbox has been seen: from then on a missing sandbox means a lost pod */
  readonly bound: boolean
  /** names of containers that have been seen running: from then on a missing one was removed by somebody */
  readonly launched: readonly string[]
  /** attempts, named likewise, that were stopped here because a probe or a hook failed: their end is no drift */
  readonly condemned?: readonly string[]
  /** attempts, named likewise, whose preStop hook has begun: it never begins again, whoever died meanwhile */
  readonly preStopped?: readonly string[]
  /** ms since the epoch; 0 while not ready */
  readonly readySince: number
  readonly deletion?: PodDeletion
}

/** Progress of the rollout at the last time something moved. */
export interface Progress {
  /** ms since the epoch; 0 while paused, when it is not timed */
  readonly since: number
  readonly updated: number
  readonly old: number
  readonly ready: number
  readonly available: number
}

export interface Rollout {
  /** SetRecord name rolled out to */
  readonly set: string
  readonly startedAt: number
  /** 0 while running */
  readonly endedAt: number
  readonly result: 'running' | 'complete' | 'deadlineExceeded' | 'superseded'
  readonly sourceRevision: string
}

/** Pods that were lost as soon as they were made, in a row: what creating the next one is paced by. */
export interface Setbacks {
  readonly count: number
  /** ms since the epoch of the last one */
  readonly at: number
}

export const NO_SETBACKS: Setbacks = { count: 0, at: 0 }

export interface WorkloadMemory {
  readonly uid: string
  readonly generation: number
  readonly createdAt: number
  /** `replicas` that the last pass worked towards: a change of it alone is scaling, not a rollout */
  readonly scaledTo: number
  readonly sets: readonly SetRecord[]
  /** of a StatefulSet: the set that was last rolled out whole; pods below the partition come back on it */
  readonly current?: string
  readonly pods: readonly PodRecord[]
  readonly progress: Progress | null
  readonly rollout: Rollout | null
  readonly setbacks?: Setbacks
}

/** What a Service has been given and keeps: its address and node ports by port name or number. */
export interface ServiceMemory {
  readonly uid: string
  readonly createdAt: number
  readonly clusterIP: string
  readonly nodePorts: Readonly<Record<string, number>>
  /** ports of the host that it holds, as `tcp/80`, sorted: those it publishes, and those whose edge is still to go */
  readonly hostPorts?: readonly string[]
  /**
   * by node and port, as `alpha/tcp/80`: the edge last seen running there, by its spec label; without it a missing
   * edge is a new one, not a removed one
   */
  readonly edges?: Readonly<Record<string, string>>
}
