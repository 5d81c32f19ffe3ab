/** A pod's volumes on Docker: which volumes to make, and which files go into them. */
import { HUGE_PAGES, type HugePagesMedium, hugePagesFor } from '../model/hugepages.ts'
import { podPeak } from '../model/podresources.ts'
import { bytes } from '../model/quantity.ts'
import type { PodSpec, PodTemplate } from '../model/types/pod.ts'
import type { HostPathType, Volume } from '../model/types/volume.ts'
import type { VolumeConfig } from '../runtime/engine.ts'
import { provesConfig } from './binding.ts'
import type { Cluster } from './cluster.ts'
import type { PodFacts } from './downward.ts'
import { type DriverOptions, hugePagesOptions, memoryOptions, nfsOptions } from './localdriver.ts'
import type { BoundConfig } from './memory.ts'
import { claimVolumeName, clusterLabels, LABEL, volumeName } from './names.ts'
import type { FileSpec } from './plan.ts'
import { hasToken } from './tokens.ts'
import { volumeFiles } from './volumefiles.ts'

export type VolumeKind =
  | 'emptyDir'
  | 'configMap'
  | 'secret'
  | 'downwardAPI'
  | 'projected'
  /** a projected volume with a Secret or a token in it */
  | 'projectedSecret'
  | 'ephemeral'
  | 'nfs'
  | 'claim'
  | 'hostPath'

/** Kinds that the pod's files from Git are put into. */
const FROM_GIT: ReadonlySet<VolumeKind> = new Set(['configMap', 'secret', 'downwardAPI', 'projected', 'projectedSecret'])

export interface PodVolume {
  /** as the pod calls it */
  readonly name: string
  readonly kind: VolumeKind
  /** the Docker volume, or the path on the node of a `hostPath` */
  readonly source: string
  /** what it is made from, for a volume that lives and dies with the pod */
  readonly volume?: VolumeConfig
  /** the claim whose data it is; what that is made from is no business of the pod */
  readonly claim?: string
  /** what a `hostPath` has to be */
  readonly type?: HostPathType
  /** no container may write to it, whatever its mount says */
  readonly readOnly: boolean
  readonly files: readonly FileSpec[]
  /** its files change while containers have them, all at one moment */
  readonly inPlace: boolean
  readonly folderMode: number
  readonly gid: number
}

/** Config content is put in by the pod itself, nothing is bind-mounted from a checkout. */
export function compileVolumes(cluster: Cluster, pod: PodFacts, owner: string, config: BoundConfig): PodVolume[] {
  const { volumes, securityContext } = pod.template.spec
  const gid = securityContext.fsGroup ?? 0
  return volumes.map((volume): PodVolume => {
    const { name, claim, hostPath } = volume
    if (claim) {
      const source = claimVolumeName(cluster, pod.namespace, claim.claimName)
      return { name, kind: 'claim', source, claim: claim.claimName, readOnly: claim.readOnly, ...bare(gid) }
    }
    if (hostPath) {
      return { name, kind: 'hostPath', source: hostPath.path, type: hostPath.type, readOnly: false, ...bare(0) }
    }
    return ownVolume(cluster, pod, owner, config, volume, gid)
  })
}

function bare(gid: number): Pick<PodVolume, 'files' | 'inPlace' | 'folderMode' | 'gid'> {
  return { files: [], inPlace: false, folderMode: 0, gid }
}

/** One that lives and dies with the pod. */
function ownVolume(cluster: Cluster, pod: PodFacts, owner: string, config: BoundConfig, volume: Volume, gid: number): PodVolume {
  const kind = kindOf(volume)
  const written = kind === 'emptyDir' || kind === 'ephemeral'
  const source = volumeName(cluster, pod.uid, volume.name)
  const labels = {
    ...clusterLabels(cluster, 'volume'),
    [LABEL.owner]: owner,
    [LABEL.podUid]: pod.uid,
    [LABEL.podName]: pod.name,
    [LABEL.podNamespace]: pod.namespace,
    [LABEL.volume]: `${kind}/${volume.name}`,
  }
  const files = volumeFiles(volume, pod, config, cluster)
  return {
    name: volume.name,
    kind,
    source,
    volume: { name: source, labels, driver: 'local', driverOpts: driverOptions(volume, kind, pod.template.spec) },
    readOnly: kind === 'nfs' ? (volume.nfs?.readOnly ?? false) : !written,
    files,
    inPlace: changesInPlace(kind, pod.template, files),
    // Kubernetes makes an emptyDir writable for whoever the container runs as, and config readable.
    folderMode: written ? (gid === 0 ? 0o777 : 0o2777) : 0o755,
    gid,
  }
}

/** Tokens are renewed in every pod; as for the rest, of most pods it is another pod that has other files. */
function changesInPlace(kind: VolumeKind, template: PodTemplate, files: readonly FileSpec[]): boolean {
  return FROM_GIT.has(kind) && (!provesConfig(template) || hasToken(files))
}

function kindOf({ configMap, secret, downwardAPI, projected, ephemeral, nfs }: Volume): VolumeKind {
  if (configMap) return 'configMap'
  if (secret) return 'secret'
  if (downwardAPI) return 'downwardAPI'
  if (projected)
    return projected.sources.some(({ secret, serviceAccountToken }) => secret ?? serviceAccountToken)
      ? 'projectedSecret'
      : 'projected'
  if (ephemeral) return 'ephemeral'
  return nfs ? 'nfs' : 'emptyDir'
}

/** Secrets and memory-backed emptyDirs live in tmpfs, so they never reach a disk. */
function driverOptions({ emptyDir, nfs }: Volume, kind: VolumeKind, pod: PodSpec): DriverOptions {
  if (nfs) return nfsOptions(nfs)
  if (kind === 'secret' || kind === 'projectedSecret') return memoryOptions('0755')
  if (emptyDir === undefined || emptyDir.medium === '') return {}
  const limit = emptyDir.sizeLimit === undefined ? undefined : bytes(emptyDir.sizeLimit)
  return emptyDir.medium === 'Memory' ? memoryOptions('1777', limit ?? memoryLimit(pod)) : hugePages(emptyDir.medium, limit, pod)
}

/** What all containers may have together, where each has a limit. @see Kubernetes pkg/volume/emptydir, SizeMemoryBackedVolumes */
function memoryLimit({ containers }: PodSpec): number | undefined {
  const limits = containers.flatMap(({ resources: { limits } }) => (limits.memory === undefined ? [] : [bytes(limits.memory)]))
  return limits.length < containers.length ? undefined : limits.reduce((sum, one) => sum + one, 0)
}

/** As many as the pod may have at once; a smaller limit of the volume counts. `validate` has seen that it may have some. */
function hugePages(medium: HugePagesMedium, limit: number | undefined, pod: PodSpec): DriverOptions {
  const containers = [...pod.initContainers, ...pod.containers]
  const found = hugePagesFor(
    medium,
    containers.flatMap(({ resources }) => Object.keys(resources.limits)),
  )
  if ('why' in found) return {}
  const { resource } = found
  const most = podPeak(pod, ({ resources }) => BigInt(bytes(resources.limits[resource] ?? '0')))
  return hugePagesOptions(HUGE_PAGES[resource] ?? 0, Math.min(Number(most), limit || Number.POSITIVE_INFINITY))
}

/** It is in memory, so it ends with the last container that has it mounted. */
export function isInMemory({ volume }: PodVolume): boolean {
  return volume?.driverOpts.type === 'tmpfs' || volume?.driverOpts.type === 'hugetlbfs'
}
