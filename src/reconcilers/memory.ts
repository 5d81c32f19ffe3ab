/**
 * What must be remembered of a workload between passes and across restarts: its replica sets and its
 * pods, as Kubernetes keeps them in etcd. Planners return the next value; the loop writes it before
 * any step of the same pass is started, so a crash can lose work but never a decision.
 */
import type { PodTemplate } from '../model/types/pod.ts'
import type { Job } from '../model/types/workload.ts'
import type { Units } from './units.ts'

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
  /** the store was lost: `config` is what there was when its pods were adopted, and need not be what they were given */
  readonly recovered?: boolean
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

/** In the words of Kubernetes: `DeadlineExceeded`. */
export interface PodFailure {
  readonly reason: string
  readonly message: string
}

export type GateStatus = 'True' | 'False' | 'Unknown'

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
  /** it has been given its node, and there all that it asks for: nothing of it is made before */
  readonly placed: boolean
  /** its sandbox has been seen: from then on a missing sandbox means a lost pod */
  readonly bound: boolean
  /** names of containers that have been seen running: from then on a missing one was removed by somebody */
  readonly launched: readonly string[]
  /** attempts, named likewise, that were stopped here because a probe or a hook failed: their end is no drift */
  readonly condemned?: readonly string[]
  /** attempts, named likewise, whose preStop hook has begun: it never begins again, whoever died meanwhile */
  readonly preStopped?: readonly string[]
  /** names of init containers that have completed and of sidecars that have once started: that is done for good in this pod */
  readonly passed?: readonly string[]
  /** why it was brought to its end before its containers came to theirs */
  readonly failed?: PodFailure
  /** readiness gates of which somebody has said something, by condition type */
  readonly gates?: Readonly<Record<string, GateStatus>>
  /** ms since the epoch; 0 while not ready */
  readonly readySince: number
  /** its containers have come to their end for good: it holds nothing of its node any more */
  readonly ended?: true
  /** what it holds of its node's extended resources, once it has been given that */
  readonly units?: Units
  /** completion index, of a pod of an Indexed Job */
  readonly index?: number
  /** of a pod of a Job: how it ended, once that is counted. It is kept for its logs; nothing of it runs or is mended any more */
  readonly outcome?: 'Succeeded' | 'Failed'
  readonly deletion?: PodDeletion
}

/** Whether it has its place, and takes room there. */
export function holdsPlace({ placed, ended }: PodRecord): boolean {
  return placed && ended !== true
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

export interface JobEnd {
  /** ms since the epoch */
  readonly at: number
  readonly result: 'Complete' | 'Failed'
  /** such as `CompletionsReached`, `BackoffLimitExceeded`, `DeadlineExceeded` */
  readonly reason: string
  readonly message: string
}

/** One run of a Job, which outlives its pods: what has ended is not run again from Git. */
export interface JobMemory {
  /** the SetRecord whose template is run: another template is another run */
  readonly set: string
  /** ms since the epoch; 0 while suspended */
  readonly startedAt: number
  /** pods that succeeded, or of an Indexed Job indexes that did */
  readonly succeeded: number
  /** pods that failed and count against `backoffLimit` */
  readonly failed: number
  /** of an Indexed Job, as `0,3-5` */
  readonly succeededIndexes: string
  readonly failedIndexes: string
  /** with `backoffLimitPerIndex`: failures of indexes that are still tried */
  readonly indexes: Readonly<Record<string, Setbacks>>
  /** pods that failed since the last one that succeeded: what the next one is paced by */
  readonly setbacks: Setbacks
  readonly end: JobEnd | null
}

/** One Job that a CronJob has made: it is not in Git, so here is all of it. */
export interface CronRun {
  readonly job: Job
  /** the time it was due at: ms since the epoch */
  readonly scheduledAt: number
  /** the revision whose CronJob made it */
  readonly sourceRevision: string
  /** it is to go, or was taken out of the history */
  readonly leaving?: boolean
}

export interface CronMemory {
  /** ms since the epoch; 0 for never */
  readonly lastScheduledAt: number
  readonly lastSuccessAt: number
  /** oldest first */
  readonly runs: readonly CronRun[]
}

/** Claims of a StatefulSet by name, sorted, that its persistentVolumeClaimRetentionPolicy lets go. */
export interface ClaimMemory {
  /** they go with the set */
  readonly owned: readonly string[]
  /** they go now, each once nothing has it any more */
  readonly doomed: readonly string[]
}

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
  readonly claims?: ClaimMemory
  readonly progress: Progress | null
  readonly rollout: Rollout | null
  readonly setbacks?: Setbacks
  readonly job?: JobMemory
  readonly cron?: CronMemory
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
