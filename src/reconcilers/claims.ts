/**
 * Which Docker volume a claim is: of a PersistentVolume that fits it, or made for it through its StorageClass. Pure: what
 * each claim gets follows from the objects, and from the PersistentVolumes that claims hold already.
 * @see Kubernetes pkg/controller/volume/persistentvolume
 */
import { canonicalText, sha256 } from '../model/canonical.ts'
import { bytes } from '../model/quantity.ts'
import { matches } from '../model/selector.ts'
import type { KubeObject } from '../model/types/meta.ts'
import type { ClaimSpec, FolderType, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../model/types/volume.ts'
import type { StatefulSet } from '../model/types/workload.ts'
import type { VolumeConfig } from '../runtime/engine.ts'
import type { Cluster } from './cluster.ts'
import { type DriverOptions, folderOptions, nfsOptions } from './localdriver.ts'
import { claimVolumeName, clusterLabels, LABEL } from './names.ts'
import type { NodeView } from './observed.ts'
import { type Offer, offerVolumes } from './offer.ts'
import type { PodVolume } from './volumes.ts'

export interface Storage {
  readonly claims: readonly PersistentVolumeClaim[]
  readonly volumes: readonly PersistentVolume[]
  readonly classes: readonly StorageClass[]
  /** by claim, as `claimId` has it: the PersistentVolume that its Docker volume was made from */
  readonly held: ReadonlyMap<string, string>
}

/** What a claim's Docker volume is made of. */
export interface Provision {
  /** `''` for one that is made for the claim alone */
  readonly persistentVolume: string
  readonly driver: string
  readonly options: DriverOptions
  /** a folder of the node of which it is known whether it is made when it is not there */
  readonly folder?: { readonly path: string; readonly type: FolderType }
  /** what becomes of it when a StatefulSet deletes the claim; what is in a PersistentVolume is never deleted */
  readonly reclaim: 'Delete' | 'Retain'
}

export interface Claim {
  readonly namespace: string
  readonly name: string
  readonly spec: ClaimSpec
  /** `undefined` while nothing fits */
  readonly provision: Provision | undefined
  /** why nothing fits, `''` otherwise */
  readonly why: string
}

/** Claims that are declared: each by itself, or by a StatefulSet for its pods. One by itself counts over one for a pod. */
export function declaredClaims(objects: Iterable<KubeObject>): PersistentVolumeClaim[] {
  const all = [...objects]
  const own = all.filter(({ kind }) => kind === 'PersistentVolumeClaim') as PersistentVolumeClaim[]
  const known = new Set(own.map(idOf))
  const sets = all.filter((object) => object.kind === 'StatefulSet' && !('body' in object)) as StatefulSet[]
  return [...own, ...sets.flatMap(claimsOfPods).filter((claim) => !known.has(idOf(claim)))]
}

/** @see Kubernetes pkg/controller/statefulset getPersistentVolumeClaims: named after template and pod, with the labels of the selector */
function claimsOfPods({ metadata: { name, namespace }, spec }: StatefulSet): PersistentVolumeClaim[] {
  return Array.from({ length: spec.replicas }, (_, index) => `${name}-${spec.ordinals.start + index}`).flatMap((pod) =>
    spec.volumeClaimTemplates.map(
      (template): PersistentVolumeClaim => ({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name: `${template.metadata.name}-${pod}`,
          namespace,
          labels: { ...template.metadata.labels, ...spec.selector.matchLabels },
          annotations: template.metadata.annotations,
        },
        spec: template.spec,
      }),
    ),
  )
}

/** How a claim is known: `<namespace>/<name>`. */
export function claimId(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** Every claim with what it gets, by `claimId`. A PersistentVolume goes to one claim, and stays with the one that holds it. */
export function bindClaims({ claims, volumes, classes, held }: Storage): ReadonlyMap<string, Claim> {
  const inOrder = claims.toSorted((a, b) => rank(a) - rank(b) || (idOf(a) < idOf(b) ? -1 : 1))
  const offer = offerVolumes(volumes, held)
  const bound = inOrder.map((claim): [string, Claim] => {
    const outcome = provisionFor(claim, offer, classes, held.get(idOf(claim)))
    const failed = typeof outcome === 'string'
    if (!failed) offer.take(outcome.persistentVolume)
    const { namespace, name } = claim.metadata
    return [
      idOf(claim),
      { namespace, name, spec: claim.spec, provision: failed ? undefined : outcome, why: failed ? outcome : '' },
    ]
  })
  return new Map(bound)
}

function idOf({ metadata }: PersistentVolumeClaim): string {
  return claimId(metadata.namespace, metadata.name)
}

/** Who asks for one by name is served first. */
function rank({ spec }: PersistentVolumeClaim): number {
  return spec.volumeName === undefined ? 1 : 0
}

/** What it gets, or why it gets nothing. */
function provisionFor(
  claim: PersistentVolumeClaim,
  offer: Offer,
  classes: readonly StorageClass[],
  held: string | undefined,
): Provision | string {
  const wanted = claim.spec.volumeName ?? (held || undefined)
  const className = classOf(claim.spec, classes)
  if (wanted !== undefined) return byName(claim, wanted, className, offer)
  for (const volume of offer.candidates(idOf(claim), className, bytes(claim.spec.storage)))
    if (unfit(claim, volume, className) === '') return fromVolume(volume)
  return provisioned(claim.spec, className, classes)
}

function byName(claim: PersistentVolumeClaim, name: string, className: string, offer: Offer): Provision | string {
  const volume = offer.named(name)
  if (volume === undefined) return `PersistentVolume ${name} does not exist`
  if (!offer.isFree(name, idOf(claim))) return `PersistentVolume ${name} belongs to another claim`
  const why = unfit(claim, volume, className)
  return why === '' ? fromVolume(volume) : `PersistentVolume ${name} does not fit: ${why}`
}

/** Why a volume cannot be this claim's, `''` when it can. */
function unfit(claim: PersistentVolumeClaim, volume: PersistentVolume, className: string): string {
  const { spec, metadata } = claim
  const { claimRef, storageClassName, accessModes, storage } = volume.spec
  if (claimRef !== undefined && claimId(claimRef.namespace, claimRef.name) !== claimId(metadata.namespace, metadata.name))
    return `it is reserved for ${claimRef.namespace}/${claimRef.name}`
  if (storageClassName !== className) return `its class is "${storageClassName}", not "${className}"`
  const lacking = spec.accessModes.filter((mode) => !accessModes.includes(mode))
  if (lacking.length > 0) return `it does not offer ${lacking.join(', ')}`
  if (bytes(storage) < bytes(spec.storage)) return `its capacity of ${storage} is less than ${spec.storage}`
  if (spec.selector !== undefined && !matches(spec.selector, volume.metadata.labels))
    return 'its labels do not match the selector'
  return ''
}

const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class'

/** `''` for none: also where nothing is said and no class is the default. */
function classOf({ storageClassName }: ClaimSpec, classes: readonly StorageClass[]): string {
  if (storageClassName !== undefined) return storageClassName
  return classes.find(({ metadata }) => metadata.annotations[IS_DEFAULT] === 'true')?.metadata.name ?? ''
}

function fromVolume({ metadata, spec }: PersistentVolume): Provision {
  const common = { persistentVolume: metadata.name, reclaim: 'Retain' } as const
  if (spec.csi !== undefined) return { ...common, driver: spec.csi.driver, options: spec.csi.attributes }
  if (spec.nfs !== undefined) return { ...common, driver: 'local', options: nfsOptions(spec.nfs, spec.mountOptions) }
  const path = spec.hostPath ?? ''
  const folder = spec.folderType === undefined ? {} : { folder: { path, type: spec.folderType } }
  return { ...common, driver: 'local', options: folderOptions(path), ...folder }
}

/** A class of this provisioner is for PersistentVolumes that somebody makes. */
const NO_PROVISIONER = 'kubernetes.io/no-provisioner'
/** Before the name of a volume driver of Docker. */
export const DOCKER_PROVISIONER = 'docker.io/'

/** Made for the claim alone. Whatever the provisioner of its class is elsewhere, here it is Docker. */
function provisioned(spec: ClaimSpec, className: string, classes: readonly StorageClass[]): Provision | string {
  if (spec.storageClassName === '') return 'no PersistentVolume without a class fits it'
  if (spec.selector !== undefined) return 'no PersistentVolume fits its selector'
  const found = classes.find(({ metadata }) => metadata.name === className)
  if (found?.provisioner === NO_PROVISIONER) return `no PersistentVolume of class ${className} fits it`
  const common = { persistentVolume: '', reclaim: found?.reclaimPolicy ?? 'Delete' } as const
  if (found === undefined || !found.provisioner.startsWith(DOCKER_PROVISIONER)) return { ...common, driver: 'local', options: {} }
  return { ...common, driver: found.provisioner.slice(DOCKER_PROVISIONER.length), options: found.parameters }
}

/** Claims that pods of these volumes cannot be made without, each as a sentence. */
export function missingClaims(
  volumes: readonly PodVolume[],
  namespace: string,
  claim: (name: string) => Claim | undefined,
  node: NodeView,
): string[] {
  return volumes.flatMap(({ name, claim: claimName, source }): string[] => {
    if (claimName === undefined) return []
    const found = claim(claimName)
    const id = claimId(namespace, claimName)
    if (found === undefined) return [`PersistentVolumeClaim ${id} does not exist (volume ${name})`]
    const ready = found.provision !== undefined || node.volumes.has(source)
    return ready ? [] : [`PersistentVolumeClaim ${id} is pending: ${found.why} (volume ${name})`]
  })
}

/** The Docker volume of a claim; what it was made of is in its labels, for options cannot be changed. */
export function claimVolume(cluster: Cluster, { namespace, name }: Claim, provision: Provision): VolumeConfig {
  return {
    name: claimVolumeName(cluster, namespace, name),
    driver: provision.driver,
    driverOpts: provision.options,
    labels: {
      ...clusterLabels(cluster, 'claim'),
      [LABEL.claim]: claimId(namespace, name),
      [LABEL.persistentVolume]: provision.persistentVolume,
      [LABEL.spec]: provisionHash(provision),
      [LABEL.reclaim]: provision.reclaim,
    },
  }
}

/** The folder of the node that a volume of a pod stands for; not of one that was made of something else before. */
export function folderOf(
  { claim: name, source }: PodVolume,
  { claim, node }: { readonly claim: (name: string) => Claim | undefined; readonly node: NodeView },
): Provision['folder'] {
  const provision = name === undefined ? undefined : claim(name)?.provision
  const made = node.volumes.get(source)?.labels[LABEL.spec]
  const stands = provision !== undefined && (made === undefined || made === provisionHash(provision))
  return stands ? provision.folder : undefined
}

export function provisionHash({ driver, options }: Provision): string {
  return sha256(canonicalText({ driver, options })).slice(0, 16)
}
