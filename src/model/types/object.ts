/**
 * Kubernetes objects in Trireme's canonical form: what every planner reads.
 *
 * Canonical means: defaults filled in as the Kubernetes API server does, quantities normalised,
 * keyed lists sorted by their merge key where order has no meaning, namespaces written out, and
 * every Secret value replaced by a keyed digest. Objects are deeply frozen.
 */
import type { KubeObject } from './meta.ts'
import type { Service } from './service.ts'
import type { StorageObject } from './volume.ts'
import type { Workload } from './workload.ts'

export interface ConfigMap extends KubeObject {
  readonly kind: 'ConfigMap'
  readonly data: Readonly<Record<string, string>>
  /** base64 */
  readonly binaryData: Readonly<Record<string, string>>
  readonly immutable: boolean
}

/** A Secret without its values: `data` maps each key to the keyed digest of its bytes. */
export interface Secret extends KubeObject {
  readonly kind: 'Secret'
  readonly type: string
  readonly data: Readonly<Record<string, string>>
  readonly immutable: boolean
}

export interface Namespace extends KubeObject {
  readonly kind: 'Namespace'
}

/** A kind that is accepted as data and not acted on; its verdict says so. */
export interface OtherObject extends KubeObject {
  readonly kind: string
  readonly body: Readonly<Record<string, unknown>>
}

export type ModelObject = Namespace | ConfigMap | Secret | Workload | Service | StorageObject | OtherObject
