/** What runs pods, in canonical form. */
import type { IntOrPercent, KubeObject, LabelSelector, Labels, ObjectKey } from './meta.ts'
import type { ClaimRetention, PodSpec, PodTemplate } from './pod.ts'
import type { ClaimSpec } from './volume.ts'

export interface DeploymentSpec {
  readonly replicas: number
  readonly selector: LabelSelector
  readonly template: PodTemplate
  readonly strategy:
    | {
        readonly type: 'RollingUpdate'
        readonly rollingUpdate: { readonly maxSurge: IntOrPercent; readonly maxUnavailable: IntOrPercent }
      }
    | { readonly type: 'Recreate' }
  readonly minReadySeconds: number
  readonly revisionHistoryLimit: number
  readonly progressDeadlineSeconds: number
  readonly paused: boolean
}

export interface Deployment extends KubeObject {
  readonly kind: 'Deployment'
  readonly spec: DeploymentSpec
}

/** A ReplicationController is one whose selector is written as plain labels. */
export interface ReplicaSet extends KubeObject {
  readonly kind: 'ReplicaSet' | 'ReplicationController'
  readonly spec: {
    readonly replicas: number
    readonly selector: LabelSelector
    readonly template: PodTemplate
    readonly minReadySeconds: number
  }
}

export interface StatefulSetSpec {
  readonly replicas: number
  readonly ordinals: { readonly start: number }
  readonly selector: LabelSelector
  /** the headless Service that its pods have their names under; `''` for none */
  readonly serviceName: string
  readonly template: PodTemplate
  readonly podManagementPolicy: 'OrderedReady' | 'Parallel'
  readonly updateStrategy:
    | {
        readonly type: 'RollingUpdate'
        readonly rollingUpdate: { readonly partition: number; readonly maxUnavailable: IntOrPercent }
      }
    | { readonly type: 'OnDelete' }
  readonly minReadySeconds: number
  readonly revisionHistoryLimit: number
  readonly volumeClaimTemplates: readonly ClaimTemplate[]
  /** absent means that claims are kept */
  readonly persistentVolumeClaimRetentionPolicy?: {
    readonly whenDeleted: ClaimRetention
    readonly whenScaled: ClaimRetention
  }
}

export interface ClaimTemplate {
  readonly metadata: { readonly name: string; readonly labels: Labels; readonly annotations: Labels }
  readonly spec: ClaimSpec
}

export interface StatefulSet extends KubeObject {
  readonly kind: 'StatefulSet'
  readonly spec: StatefulSetSpec
}

export interface DaemonSetSpec {
  readonly selector: LabelSelector
  readonly template: PodTemplate
  readonly updateStrategy:
    | {
        readonly type: 'RollingUpdate'
        readonly rollingUpdate: { readonly maxSurge: IntOrPercent; readonly maxUnavailable: IntOrPercent }
      }
    | { readonly type: 'OnDelete' }
  readonly minReadySeconds: number
  readonly revisionHistoryLimit: number
}

export interface DaemonSet extends KubeObject {
  readonly kind: 'DaemonSet'
  readonly spec: DaemonSetSpec
}

export interface Pod extends KubeObject {
  readonly kind: 'Pod'
  readonly spec: PodSpec
}

export interface ExitCodes {
  /** absent for every container */
  readonly containerName?: string
  readonly operator: 'In' | 'NotIn'
  readonly values: readonly number[]
}

/** Exactly one of `onExitCodes` and `onPodConditions` is set. */
export interface PodFailureRule {
  readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count'
  readonly onExitCodes?: ExitCodes
  readonly onPodConditions?: readonly { readonly type: string; readonly status: string }[]
}

export interface JobSpec {
  readonly parallelism: number
  /** absent: once a pod has succeeded no other is made, and the Job ends with those that run */
  readonly completions?: number
  readonly completionMode: 'NonIndexed' | 'Indexed'
  readonly backoffLimit: number
  readonly backoffLimitPerIndex?: number
  readonly maxFailedIndexes?: number
  readonly activeDeadlineSeconds?: number
  readonly ttlSecondsAfterFinished?: number
  readonly podFailurePolicy?: { readonly rules: readonly PodFailureRule[] }
  readonly podReplacementPolicy: 'TerminatingOrFailed' | 'Failed'
  /** At least one field of each rule is set. */
  readonly successPolicy?: {
    readonly rules: readonly { readonly succeededIndexes?: string; readonly succeededCount?: number }[]
  }
  readonly suspend: boolean
  readonly template: PodTemplate
}

export interface Job extends KubeObject {
  readonly kind: 'Job'
  readonly spec: JobSpec
  /** the CronJob that made it; a Job from Git has none */
  readonly owner?: ObjectKey
}

export interface CronJobSpec {
  readonly schedule: string
  /** `UTC` unless told */
  readonly timeZone: string
  readonly concurrencyPolicy: 'Allow' | 'Forbid' | 'Replace'
  readonly startingDeadlineSeconds?: number
  readonly suspend: boolean
  readonly successfulJobsHistoryLimit: number
  readonly failedJobsHistoryLimit: number
  readonly jobTemplate: {
    readonly metadata: { readonly labels: Labels; readonly annotations: Labels }
    readonly spec: JobSpec
  }
}

export interface CronJob extends KubeObject {
  readonly kind: 'CronJob'
  readonly spec: CronJobSpec
}

/** What has pods of its own. */
export type PodWorkload = Deployment | ReplicaSet | StatefulSet | DaemonSet | Pod | Job

export type Workload = PodWorkload | CronJob
