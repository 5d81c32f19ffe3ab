/** A pod's volumes on Docker: which volumes to make, and which files go into them. */
import { createHash } from 'node:crypto'
import { bytes } from '../model/quantity.ts'
import { ownOf } from '../model/raw.ts'
import type { KeyToPath, PodSpec, Volume } from '../model/types.ts'
import type { VolumeConfig } from '../runtime/engine.ts'
import type { Cluster } from './cluster.ts'
import type { BoundConfig } from './memory.ts'
import { clusterLabels, LABEL, type PodIdentity, volumeName } from './names.ts'
import type { FileSpec } from './plan.ts'

export interface PodVolume {
  /** as the pod calls it */
  readonly name: string
  readonly kind: 'emptyDir' | 'configMap' | 'secret'
  readonly volume: VolumeConfig
  readonly files: readonly FileSpec[]
  readonly folderMode: number
  readonly gid: number
}

/** What `spec` mounts, bound to `config`. Config content is put in by the pod itself, nothing is bind-mounted. */
export function compileVolumes(
  cluster: Cluster,
  pod: PodIdentity,
  owner: string,
  spec: PodSpec,
  config: BoundConfig,
): PodVolume[] {
  const gid = spec.securityContext.fsGroup ?? 0
  return spec.volumes.flatMap((volume): PodVolume[] => {
    const files = volumeFiles(volume, pod.namespace, config)
    const kind = volume.configMap ? 'configMap' : volume.secret ? 'secret' : 'emptyDir'
    const labels = {
      ...clusterLabels(cluster, 'volume'),
      [LABEL.owner]: owner,
      [LABEL.podUid]: pod.uid,
      [LABEL.podName]: pod.name,
      [LABEL.podNamespace]: pod.namespace,
      [LABEL.volume]: `${kind}/${volume.name}`,
    }
    const driverOpts = memoryOptions(volume)
    return [
      {
        name: volume.name,
        kind,
        volume: { name: volumeName(cluster, pod.uid, volume.name), labels, driver: 'local', driverOpts },
        files,
        // Kubernetes makes an emptyDir writable for whoever the container runs as, and config readable.
        folderMode: kind === 'emptyDir' ? (gid === 0 ? 0o777 : 0o2777) : 0o755,
        gid,
      },
    ]
  })
}

/** Secrets and memory-backed emptyDirs live in tmpfs, so they never reach a disk. */
function memoryOptions(volume: Volume): Record<string, string> {
  if (volume.secret) return { type: 'tmpfs', device: 'tmpfs', o: 'mode=0755' }
  if (volume.emptyDir?.medium !== 'Memory') return {}
  const size = volume.emptyDir.sizeLimit === undefined ? '' : `,size=${bytes(volume.emptyDir.sizeLimit)}`
  return { type: 'tmpfs', device: 'tmpfs', o: `mode=1777${size}` }
}

function volumeFiles(volume: Volume, namespace: string, config: BoundConfig): FileSpec[] {
  if (volume.configMap) {
    const { name, items, defaultMode } = volume.configMap
    const bound = ownOf(config.configMaps, name) ?? { data: {}, binaryData: {} }
    const keys = [...Object.keys(bound.data), ...Object.keys(bound.binaryData)]
    return project(keys, items, defaultMode).flatMap(({ key, path, mode }): FileSpec[] => {
      const text = ownOf(bound.data, key)
      if (text !== undefined) return [{ path, mode, content: { text }, digest: contentDigest(text) }]
      const base64 = ownOf(bound.binaryData, key)
      return base64 === undefined
        ? []
        : [{ path, mode, content: { base64 }, digest: contentDigest(Buffer.from(base64, 'base64')) }]
    })
  }
  if (volume.secret) {
    const { secretName, items, defaultMode } = volume.secret
    const bound = ownOf(config.secrets, secretName)?.data ?? {}
    return project(Object.keys(bound), items, defaultMode).flatMap(({ key, path, mode }): FileSpec[] => {
      const digest = ownOf(bound, key)
      return digest === undefined
        ? []
        : [{ path, mode, content: { secret: { namespace, name: secretName, key, digest } }, digest }]
    })
  }
  return []
}

function project(
  keys: readonly string[],
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
): { key: string; path: string; mode: number }[] {
  const chosen = items ?? keys.map((key) => ({ key, path: key, mode: undefined }))
  return chosen
    .map(({ key, path, mode }) => ({ key, path, mode: mode ?? defaultMode }))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

function contentDigest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
