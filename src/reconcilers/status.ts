/** What a pass says about its object: the values served by the API, printed by the CLI and counted in metrics. */
import type { Labels, ObjectKey } from '../model/types/meta.ts'

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  /** ms since the epoch */
  readonly since: number
}

/** What a container asks for, or may have; 0 where it says nothing. */
export interface Amounts {
  readonly cpuCores: number
  readonly memoryBytes: number
  /** units by resource, those that it says nothing of left out */
  readonly extended: Readonly<Record<string, number>>
}

export interface ContainerStatus {
  readonly name: string
  readonly role: 'init' | 'sidecar' | 'main'
  readonly image: string
  readonly containerId: string
  readonly state: 'waiting' | 'running' | 'terminated'
  /** such as `CrashLoopBackOff`, `ImagePullBackOff`, `CreateContainerConfigError`, `Completed`, `Error`, `OOMKilled` */
  readonly reason: string
  readonly message: string
  readonly ready: boolean
  readonly started: boolean
  readonly restarts: number
  readonly exitCode: number
  readonly startedAt: number
  /** of the last run that ended; `message` is what it left at its terminationMessagePath, or the end of its log */
  readonly lastTermination: {
    readonly reason: string
    readonly message: string
    readonly exitCode: number
    readonly finishedAt: number
  } | null
  readonly lastProbeAnswer: string
  readonly logTail: readonly string[]
  readonly requests: Amounts
  readonly limits: Amounts
}

export interface PodStatus {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly owner: ObjectKey
  /** name of the set whose template it carries */
  readonly set: string
  readonly hash: string
  readonly node: string
  readonly ip: string
  /** its address is that of its node */
  readonly hostNetwork: boolean
  readonly labels: Labels
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  /** one word for tables, as kubectl has it: the phase, a waiting reason, `Init:0/2`, or `Terminating` */
  readonly reason: string
  readonly message: string
  readonly ready: boolean
  readonly routed: boolean
  readonly available: boolean
  readonly terminating: boolean
  readonly createdAt: number
  readonly readySince: number
  readonly restarts: number
  /** init containers and sidecars, in their order */
  readonly initContainers: readonly ContainerStatus[]
  readonly containers: readonly ContainerStatus[]
}

export interface SetStatus {
  readonly name: string
  readonly uid: string
  readonly hash: string
  readonly revision: number
  readonly replicas: number
  readonly current: number
  readonly ready: number
  readonly available: number
  readonly createdAt: number
}

export interface JobStatus {
  /** the CronJob that made it, `''` for one from Git */
  readonly owner: ObjectKey
  readonly parallelism: number
  /** 0 for none stated */
  readonly completions: number
  /** 0 for none */
  readonly activeDeadlineSeconds: number
  readonly active: number
  readonly ready: number
  /** on their way out, and not at their end */
  readonly terminating: number
  readonly succeeded: number
  readonly failed: number
  /** as `0,3-5` */
  readonly succeededIndexes: string
  readonly failedIndexes: string
  readonly suspended: boolean
  /** ms since the epoch; 0 while suspended */
  readonly startedAt: number
  /** 0 while it runs */
  readonly endedAt: number
  /** `Complete`, `Failed`, or `''` while it runs */
  readonly result: string
  readonly reason: string
}

export interface CronJobStatus {
  readonly schedule: string
  readonly timeZone: string
  readonly concurrencyPolicy: string
  readonly suspended: boolean
  /** 0 for none */
  readonly startingDeadlineSeconds: number
  readonly successfulJobsHistoryLimit: number
  readonly failedJobsHistoryLimit: number
  readonly active: number
  /** ms since the epoch; 0 for never */
  readonly lastScheduledAt: number
  readonly lastSuccessAt: number
  /** 0 while none is to come */
  readonly nextScheduleAt: number
}

export interface WorkloadStatus {
  readonly key: ObjectKey
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly labels: Labels
  readonly generation: number
  readonly createdAt: number
  readonly desired: number
  readonly current: number
  readonly updated: number
  readonly ready: number
  readonly available: number
  readonly paused: boolean
  readonly maxSurge: number
  readonly maxUnavailable: number
  /** the source revision whose template is being, or has been, rolled out */
  readonly revision: string
  /**
   * one word: `Available`, `Progressing`, `Failed`, `Waiting`, `Terminating`, `Paused`, `Refused`; of a Job also
   * `Complete` and `Suspended`, of a CronJob `Scheduled`, `Suspended` and `BadSchedule`
   */
  readonly condition: string
  readonly message: string
  /** every replica carries this revision's template, is Ready, and is routed */
  readonly healthy: boolean
  readonly conditions: readonly Condition[]
  /** name of the set that was last rolled out whole, where that is remembered; else the same as `updateSet` */
  readonly currentSet: string
  /** name of the set that carries the wanted template; `''` once it left Git */
  readonly updateSet: string
  readonly sets: readonly SetStatus[]
  readonly pods: readonly PodStatus[]
  readonly rollout: { readonly startedAt: number; readonly endedAt: number; readonly result: string } | null
  readonly job?: JobStatus
  readonly cronJob?: CronJobStatus
}

export interface ServiceStatus {
  readonly key: ObjectKey
  readonly namespace: string
  readonly name: string
  readonly type: string
  readonly labels: Labels
  readonly createdAt: number
  readonly clusterIP: string
  readonly ports: readonly {
    readonly name: string
    readonly protocol: string
    readonly port: number
    readonly nodePort: number
    /** ports of the host that lead to it now */
    readonly hostPorts: readonly number[]
    readonly ready: number
  }[]
  readonly externalName: string
  readonly endpoints: readonly { readonly pod: string; readonly ip: string; readonly ready: boolean }[]
  /** one word: `Ready`, `NoEndpoints`, `PortConflict`, `Pending` */
  readonly condition: string
  readonly message: string
  readonly healthy: boolean
}

export interface ClaimStatus {
  readonly namespace: string
  readonly name: string
  /** `Pending` until it has a volume; `Retained` for a volume whose claim left Git, `Terminating` for one that is about to go */
  readonly phase: 'Bound' | 'Pending' | 'Retained' | 'Terminating'
  /** the Docker volume, `''` while there is none */
  readonly volume: string
  readonly driver: string
  /** that its volume was made from, `''` for one that was made for the claim alone */
  readonly persistentVolume: string
  readonly storageClass: string
  readonly accessModes: readonly string[]
  readonly requestBytes: number
  /** names of the pods that have it */
  readonly pods: readonly string[]
  readonly message: string
}

export type NodeAmounts = Pick<Amounts, 'cpuCores' | 'memoryBytes'>

export interface NodeStatus {
  readonly name: string
  readonly reachable: boolean
  readonly message: string
  readonly engineVersion: string
  readonly apiVersion: string
  readonly kernel: string
  readonly os: string
  readonly architecture: string
  readonly cpus: number
  readonly memoryBytes: number
  /** how many units it has, by extended resource */
  readonly extended: Readonly<Record<string, number>>
  /** what pods may request of it together; 0 while nobody knows */
  readonly allocatable: NodeAmounts
  /** what they have requested */
  readonly requested: NodeAmounts
  readonly pods: number
  readonly router: { readonly connected: boolean; readonly address: string; readonly message: string }
}

export interface SourceStatus {
  readonly name: string
  readonly repo: string
  readonly branch: string
  readonly path: string
  /** commit ids; `''` for none yet */
  readonly attempted: string
  readonly applied: string
  readonly healthy: string
  readonly message: string
  readonly author: string
  readonly committedAt: number
  /** ms since the epoch of the last successful fetch; 0 for never */
  readonly lastFetch: number
  /** `''` when the last poll and render went well */
  readonly error: string
  readonly problems: readonly string[]
  /** objects that left Git and are still kept, each with the reason */
  readonly pruneHeld: readonly string[]
}

/** A ResourceQuota and what its namespace uses of it; amounts as quantities, such as `500m` and `1Gi`. */
export interface QuotaStatus {
  readonly namespace: string
  readonly name: string
  readonly resources: readonly { readonly resource: string; readonly hard: string; readonly used: string }[]
}

export interface Unenforced {
  readonly key: ObjectKey
  readonly file: string
  readonly line: number
  readonly reasons: readonly string[]
}

/** Kubernetes-like events, bounded in number. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly object: ObjectKey
  readonly message: string
}

export interface EventRecord extends EventNote {
  readonly at: number
  readonly count: number
  readonly firstAt: number
}

export interface ClusterStatus {
  readonly cluster: string
  readonly version: string
  readonly startedAt: number
  readonly sources: readonly SourceStatus[]
  readonly workloads: readonly WorkloadStatus[]
  readonly services: readonly ServiceStatus[]
  readonly claims: readonly ClaimStatus[]
  readonly nodes: readonly NodeStatus[]
  readonly quotas: readonly QuotaStatus[]
  readonly unenforced: readonly Unenforced[]
}
