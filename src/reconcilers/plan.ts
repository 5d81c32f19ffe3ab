/**
 * Plans as data: what a pass wants done, in order, with the cause of each step.
 *
 * A lane is a sequence of steps that must happen one after the other; lanes are independent of each
 * other. The executor starts only the first step of each idle lane; when it ends, the key is planned
 * again from what is then observed, so a lane is never run from a stale plan.
 */

import type { ObjectKey } from '../model/types/meta.ts'
import type { ProbeAction } from '../model/types/pod.ts'
import type { HostPathType } from '../model/types/volume.ts'
import type { ContainerConfig, NetworkConfig, ResourceLimits, RestartPolicy, VolumeConfig } from '../runtime/engine.ts'
import type { RouteTable } from './routetable.ts'

/** A secret value by name and keyed digest; its bytes exist only in the vault and in the container that asked for it. */
export interface SecretRef {
  readonly namespace: string
  readonly name: string
  readonly key: string
  readonly digest: string
}

/** A string that may contain secret values; they are named, never held. */
export type Text = string | { readonly parts: readonly (string | SecretRef)[] }

export interface EnvEntry {
  readonly name: string
  readonly value: Text
}

/** What a token of a ServiceAccount is to say. The token itself is signed when its file is written, and kept nowhere else. */
export interface TokenRequest {
  readonly namespace: string
  readonly serviceAccount: NamedUid
  readonly pod: NamedUid
  readonly node: NamedUid
  /** `''` for the issuer */
  readonly audience: string
  readonly expirationSeconds: number
}

export interface NamedUid {
  readonly name: string
  readonly uid: string
}

/** One file of a volume; `path` is relative to the volume's root, `mode` the permission bits. */
export interface FileSpec {
  readonly path: string
  readonly mode: number
  /** its owner; absent means root */
  readonly uid?: number
  readonly content:
    | { readonly text: string }
    | { readonly base64: string }
    | { readonly secret: SecretRef }
    | { readonly token: TokenRequest }
  /** SHA-256 of the bytes, of what a token is to say, or the keyed digest for secrets: what `observed files` is compared with */
  readonly digest: string
}

/** A container to be, with secrets by name. */
export interface ContainerSpec extends Omit<ContainerConfig, 'env' | 'entrypoint' | 'cmd'> {
  readonly env: readonly EnvEntry[]
  /** the Services that it is told of too, as `linksText` has them: where `env` does not have a variable itself. Thousands of them, in a word */
  readonly links?: string
  readonly entrypoint?: readonly Text[]
  readonly cmd?: readonly Text[]
}

/** Kinds of drift, as in the metric `trireme_drift_total{kind}`. */
export type DriftKind =
  | 'stopped'
  | 'paused'
  | 'removed'
  | 'renamed'
  | 'resources'
  | 'restartPolicy'
  | 'network'
  | 'files'
  | 'routes'
  | 'dns'
  | 'extra'

/** An attempt of a container, as the memory of its pod names it. */
export interface PodMark {
  readonly pod: string
  readonly attempt: string
}

/** One volume of a container, as the pod's sandbox has it mounted. */
export interface Place {
  readonly volume: string
  /** where the sandbox has it */
  readonly folder: string
  /** folders that are mounted by themselves: made if need be, and no part of the way to them may be a link */
  readonly parts: readonly string[]
  /** no other container may be able to exchange a part while it is being mounted */
  readonly guarded: boolean
  /** `undefined` to leave owners and modes alone */
  readonly own?: Ownership
}

export interface Ownership {
  /** the group that all files are to belong to, 0 for none */
  readonly gid: number
  /** only when the volume's own folder does not belong to the group yet */
  readonly onMismatch: boolean
}

/** Places in the volumes of a pod that are seen to just before an engine operation that depends on them. */
export interface Within {
  /** the container that has the volumes mounted */
  readonly sandbox: string
  readonly places: readonly Place[]
}

/** A place of the node that has to be of a type before anything of its pod is made. */
export interface PathCheck {
  /** as the pod calls it */
  readonly volume: string
  readonly path: string
  readonly type: Exclude<HostPathType, ''>
}

export interface PathChecks {
  /** what they are looked at with: it mounts nothing yet, and is gone afterwards */
  readonly container: ContainerConfig
  readonly paths: readonly PathCheck[]
}

interface StepBase {
  readonly node: string
  /** what it is done to, as a person would name it: `web-7c9f-x2k1q/app`, `image nginx:1.27`, `network pods` */
  readonly target: string
  /** why, in a short phrase */
  readonly cause: string
  /** set when the step mends a drift */
  readonly drift?: DriftKind
}

export type StepAction =
  | {
      readonly op: 'pull'
      readonly image: string
      readonly policy: 'Always' | 'IfNotPresent' | 'Never'
      readonly imageKey: string
      readonly pullSecrets: readonly SecretRef[]
    }
  | {
      readonly op: 'create'
      readonly spec: ContainerSpec
      readonly within?: Within
      /** looked at before it is made */
      readonly checks?: PathChecks
    }
  | {
      readonly op: 'start'
      readonly container: string
      readonly within?: Within
      /**
       * ms since the epoch, 0 for never: when it was last started as far as is known, by the clock of its engine. If it has been since, by a start that was
       * under way when its daemon died, it is left as it is: it may have run to its end.
       */
      readonly lastStart?: number
    }
  | {
      readonly op: 'put'
      readonly container: string
      readonly path: string
      /** below `path`: the folder where the volume is mounted, whose own mode and group are set too */
      readonly folder: string
      readonly folderMode: number
      readonly volume: string
      readonly files: readonly FileSpec[]
      readonly gid: number
      /** for files that change while they are read: all at one moment, and whatever else is in the volume goes */
      readonly inPlace?: true
    }
  | {
      readonly op: 'hook'
      readonly container: string
      readonly address: string
      readonly phase: 'postStart' | 'preStop'
      readonly action: ProbeAction
      /** of the container; absent means none */
      readonly namedPorts?: Readonly<Record<string, number>>
      readonly timeoutSeconds: number
      /** written down before it begins, for a hook that must not begin twice */
      readonly mark?: PodMark
    }
  | {
      readonly op: 'stop'
      readonly container: string
      readonly graceSeconds: number
      /** waited before, for connections that came while it was still routed: the program may yet have to take them up */
      readonly drainMs?: number
    }
  | { readonly op: 'remove'; readonly container: string }
  | { readonly op: 'rename'; readonly container: string; readonly name: string }
  | {
      readonly op: 'update'
      readonly container: string
      readonly resources?: ResourceLimits
      readonly restartPolicy?: RestartPolicy
    }
  | { readonly op: 'unpause'; readonly container: string }
  | { readonly op: 'connect'; readonly container: string; readonly network: string; readonly ip: string }
  | { readonly op: 'createNetwork'; readonly network: NetworkConfig }
  | { readonly op: 'removeNetwork'; readonly network: string }
  | { readonly op: 'createVolume'; readonly volume: VolumeConfig }
  | { readonly op: 'removeVolume'; readonly volume: string }
  | { readonly op: 'route'; readonly table: RouteTable }

export type Step = StepBase & StepAction

export interface Lane {
  /** unique in the cluster: `pod/<uid>/<container>`, `service/<ns>/<name>`, `node/<name>/router` … */
  readonly id: string
  readonly steps: readonly Step[]
}

export interface Plan {
  readonly key: ObjectKey
  readonly lanes: readonly Lane[]
}

/** Identifies a step across passes, so that failures can be counted and backed off. */
export function stepId(lane: string, step: Step): string {
  return `${lane}|${step.op}|${step.target}`
}

/** The canonical text of a plan: one step a line, lanes in order. Holds no secret, for steps name secrets and print none. */
export function renderPlan(plan: Plan): string {
  return plan.lanes.flatMap((lane) => lane.steps.map(renderStep)).join('\n')
}

export function renderStep(step: Step): string {
  return `${step.op} ${step.target}: ${step.cause}`
}
