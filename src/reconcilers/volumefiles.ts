/** The files of volumes that are made from Git: ConfigMaps, Secrets and what a pod is told about itself. */
import { createHash } from 'node:crypto'
import { ownOf } from '../model/raw.ts'
import type { DownwardItem, KeyToPath, ProjectedVolume, Volume } from '../model/types/volume.ts'
import type { Cluster } from './cluster.ts'
import { containerResource, type PodFacts, podField } from './downward.ts'
import type { BoundConfig } from './memory.ts'
import type { FileSpec } from './plan.ts'
import { tokenFile } from './tokens.ts'

/** Sorted by path; `[]` for a volume that has no files from Git. */
export function volumeFiles(volume: Volume, pod: PodFacts, config: BoundConfig, cluster: Cluster): readonly FileSpec[] {
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap) return byPath(configMapFiles(configMap.name, configMap.items, configMap.defaultMode, config))
  if (secret) return byPath(secretFiles(pod.namespace, secret.secretName, secret.items, secret.defaultMode, config))
  if (downwardAPI) return byPath(downwardFiles(downwardAPI.items, downwardAPI.defaultMode, pod))
  return projected ? byPath(projectedFiles(projected, pod, config, cluster)) : []
}

function configMapFiles(
  name: string,
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
  config: BoundConfig,
): FileSpec[] {
  const bound = ownOf(config.configMaps, name) ?? { data: {}, binaryData: {} }
  const keys = [...Object.keys(bound.data), ...Object.keys(bound.binaryData)]
  return chosen(keys, items, defaultMode).flatMap(({ key, path, mode }): FileSpec[] => {
    const text = ownOf(bound.data, key)
    if (text !== undefined) return [textFile(path, mode, text)]
    const base64 = ownOf(bound.binaryData, key)
    return base64 === undefined ? [] : [{ path, mode, content: { base64 }, digest: contentDigest(Buffer.from(base64, 'base64')) }]
  })
}

function secretFiles(
  namespace: string,
  name: string,
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
  config: BoundConfig,
): FileSpec[] {
  const bound = ownOf(config.secrets, name)?.data ?? {}
  return chosen(Object.keys(bound), items, defaultMode).flatMap(({ key, path, mode }): FileSpec[] => {
    const digest = ownOf(bound, key)
    return digest === undefined ? [] : [{ path, mode, content: { secret: { namespace, name, key, digest } }, digest }]
  })
}

function downwardFiles(items: readonly DownwardItem[], defaultMode: number, pod: PodFacts): FileSpec[] {
  return items.map(({ path, mode, fieldRef, resourceFieldRef }) => {
    const { containers, initContainers } = pod.template.spec
    const named = [...initContainers, ...containers].find(({ name }) => name === resourceFieldRef?.containerName)
    const amount = resourceFieldRef && named ? containerResource(resourceFieldRef, named, pod) : ''
    return textFile(path, mode ?? defaultMode, fieldRef ? (podField(fieldRef.fieldPath, pod) ?? '') : amount)
  })
}

/** Of two files with one path the later source counts, as in Kubernetes. */
function projectedFiles(
  { sources, defaultMode }: ProjectedVolume,
  pod: PodFacts,
  config: BoundConfig,
  cluster: Cluster,
): FileSpec[] {
  const all = sources.flatMap(({ configMap, secret, downwardAPI, serviceAccountToken }): FileSpec[] => {
    if (configMap) return configMapFiles(configMap.name, configMap.items, defaultMode, config)
    if (secret) return secretFiles(pod.namespace, secret.secretName, secret.items, defaultMode, config)
    if (serviceAccountToken) return [tokenFile(serviceAccountToken, defaultMode, pod, cluster)]
    return downwardAPI ? downwardFiles(downwardAPI.items, defaultMode, pod) : []
  })
  return [...new Map(all.map((file) => [file.path, file])).values()]
}

function chosen(
  keys: readonly string[],
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
): { key: string; path: string; mode: number }[] {
  const wanted = items ?? keys.map((key) => ({ key, path: key, mode: undefined }))
  return wanted.map(({ key, path, mode }) => ({ key, path, mode: mode ?? defaultMode }))
}

function textFile(path: string, mode: number, text: string): FileSpec {
  return { path, mode, content: { text }, digest: contentDigest(text) }
}

function byPath(files: readonly FileSpec[]): FileSpec[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

function contentDigest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
