/** Volumes, claims and what they are made from, in canonical form. */
import type { HugePagesMedium } from '../hugepages.ts'
import type { KubeObject, LabelSelector } from './meta.ts'

export interface KeyToPath {
  readonly key: string
  readonly path: string
  readonly mode?: number
}

export interface ConfigMapVolume {
  readonly name: string
  readonly items?: readonly KeyToPath[]
  readonly defaultMode: number
  readonly optional: boolean
}

export interface SecretVolume {
  readonly secretName: string
  readonly items?: readonly KeyToPath[]
  readonly defaultMode: number
  readonly optional: boolean
}

export interface ResourceField {
  readonly containerName?: string
  readonly resource: string
  readonly divisor: string
}

/** Exactly one of `fieldRef` and `resourceFieldRef` is set. */
export interface DownwardItem {
  readonly path: string
  readonly mode?: number
  readonly fieldRef?: { readonly fieldPath: string }
  readonly resourceFieldRef?: ResourceField
}

export interface DownwardVolume {
  readonly items: readonly DownwardItem[]
  readonly defaultMode: number
}

/** Exactly one field is set; a later source counts over an earlier one that has a file of the same path. */
export interface ProjectedSource {
  readonly configMap?: Omit<ConfigMapVolume, 'defaultMode'>
  readonly secret?: Omit<SecretVolume, 'defaultMode'>
  readonly downwardAPI?: { readonly items: readonly DownwardItem[] }
  readonly serviceAccountToken?: TokenSource
}

/** A token of the pod's ServiceAccount as a file. */
export interface TokenSource {
  /** whom it is for; absent means whoever trusts the issuer */
  readonly audience?: string
  readonly expirationSeconds: number
  readonly path: string
}

export interface ProjectedVolume {
  readonly sources: readonly ProjectedSource[]
  readonly defaultMode: number
}

export interface NfsSource {
  readonly server: string
  readonly path: string
  readonly readOnly: boolean
}

export interface ClaimSpec {
  /** sorted */
  readonly accessModes: readonly string[]
  /** normalised quantity; `0` when none is asked for */
  readonly storage: string
  /** `''` asks for a PersistentVolume without a class; absent leaves it to the default class */
  readonly storageClassName?: string
  /** the PersistentVolume that it asks for by name */
  readonly volumeName?: string
  readonly selector?: LabelSelector
}

export interface PersistentVolumeClaim extends KubeObject {
  readonly kind: 'PersistentVolumeClaim'
  readonly spec: ClaimSpec
}

export interface PersistentVolume extends KubeObject {
  readonly kind: 'PersistentVolume'
  readonly spec: {
    readonly accessModes: readonly string[]
    readonly storage: string
    /** `''` for none */
    readonly storageClassName: string
    readonly claimRef?: { readonly namespace: string; readonly name: string }
    readonly mountOptions: readonly string[]
    /** the place on the node of a `hostPath` or `local` volume */
    readonly hostPath?: string
    /** of a `hostPath`; a `local` volume has none, and has to be there */
    readonly folderType?: FolderType
    readonly nfs?: NfsSource
    readonly csi?: { readonly driver: string; readonly attributes: Readonly<Record<string, string>> }
  }
}

export interface StorageClass extends KubeObject {
  readonly kind: 'StorageClass'
  readonly provisioner: string
  readonly parameters: Readonly<Record<string, string>>
  readonly mountOptions: readonly string[]
  /** absent means Delete */
  readonly reclaimPolicy?: 'Retain'
}

/** What a place of the node has to be; `''` asks nothing. */
export type HostPathType = FolderType | 'FileOrCreate' | 'File' | 'Socket' | 'CharDevice' | 'BlockDevice'
/** Without a type, or with one that says so, a folder that is not there is made. */
export type FolderType = '' | 'DirectoryOrCreate' | 'Directory'

/** Exactly one source beside `name` is set. */
export interface Volume {
  readonly name: string
  readonly emptyDir?: { readonly medium: '' | 'Memory' | HugePagesMedium; readonly sizeLimit?: string }
  readonly configMap?: ConfigMapVolume
  readonly secret?: SecretVolume
  readonly claim?: { readonly claimName: string; readonly readOnly: boolean }
  readonly projected?: ProjectedVolume
  readonly downwardAPI?: DownwardVolume
  readonly hostPath?: { readonly path: string; readonly type: HostPathType }
  readonly nfs?: NfsSource
  /** a claim that lives and dies with its pod */
  readonly ephemeral?: ClaimSpec
  /** Sources that this version refuses or accepts without enforcing stay as they were written. */
  readonly other?: Readonly<Record<string, unknown>>
}

export type StorageObject = PersistentVolumeClaim | PersistentVolume | StorageClass
