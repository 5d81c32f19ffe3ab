/**
 * Names and labels of what Trireme makes, after the convention of the old dockershim, so that cAdvisor,
 * log shippers and dashboards that know it work at once. Discovery is always by label, never by name.
 */
import { sha256 } from '../model/canonical.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import type { Cluster } from './cluster.ts'

export const LABEL = {
  cluster: 'trireme.cluster',
  role: 'trireme.role',
  owner: 'trireme.owner',
  set: 'trireme.set',
  hash: 'trireme.template-hash',
  attempt: 'trireme.attempt',
  /** quick failures in a row before this attempt: what the restart backoff grows with */
  failures: 'trireme.failures',
  revision: 'trireme.revision',
  service: 'trireme.service',
  /** the port of the host that an edge publishes: `tcp/80` */
  port: 'trireme.port',
  spec: 'trireme.spec',
  /** canonical JSON from which a lost store is recovered; no secret values */
  memory: 'trireme.memory',
  /** the Services that a pod's variables tell of, for containers that start again */
  services: 'trireme.services',
  volume: 'trireme.volume',
  /** `<namespace>/<name>` of the claim whose data a volume holds */
  claim: 'trireme.claim',
  /** the PersistentVolume that a claim's volume was made from */
  persistentVolume: 'trireme.persistent-volume',
  /** `Delete` or `Retain`: what becomes of a claim's volume when its StatefulSet deletes the claim */
  reclaim: 'trireme.reclaim',
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  dockerType: 'io.kubernetes.docker.type',
} as const

export type Role = 'pod' | 'router' | 'edge' | 'network' | 'volume' | 'claim' | 'look'

/** The container name of a sandbox in labels and names. */
export const SANDBOX = 'POD'

export interface PodIdentity {
  readonly uid: string
  readonly name: string
  readonly namespace: string
}

export function containerName(pod: PodIdentity, container: string, attempt: number): string {
  return `k8s_${container}_${pod.name}_${pod.namespace}_${pod.uid}_${attempt}`
}

export function volumeName(cluster: Cluster, podUid: string, volume: string): string {
  return `trireme-${cluster.id}-${podUid}-${volume}`
}

/** The longest name of a file, and so of a volume of the local driver. */
const LONGEST_NAME = 255

/**
 * The volume of a claim, the same for every pod that ever uses it. A namespace holds no `_`, so no two claims share one;
 * a name that would be too long ends with its hash.
 */
export function claimVolumeName(cluster: Cluster, namespace: string, claim: string): string {
  const name = `trireme-${cluster.id}-claim-${namespace}_${claim}`
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 17)}-${sha256(name).slice(0, 16)}`
}

const POD_UID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=-)/

/** The pod that a volume of this name belongs to, if it is one that `volumeName` has made. */
export function podOfVolume(clusterId: string, name: string): string | undefined {
  const prefix = `trireme-${clusterId}-`
  return name.startsWith(prefix) ? POD_UID.exec(name.slice(prefix.length))?.[0] : undefined
}

export function clusterLabels(cluster: Cluster, role: Role): Record<string, string> {
  return { ...cluster.extraLabels, [LABEL.cluster]: cluster.id, [LABEL.role]: role }
}

export function podLabels(
  cluster: Cluster,
  pod: PodIdentity,
  owner: ObjectKey,
  set: string,
  hash: string,
  revision: string,
): Record<string, string> {
  return {
    ...clusterLabels(cluster, 'pod'),
    [LABEL.owner]: owner,
    [LABEL.set]: set,
    [LABEL.hash]: hash,
    [LABEL.revision]: revision,
    [LABEL.podName]: pod.name,
    [LABEL.podNamespace]: pod.namespace,
    [LABEL.podUid]: pod.uid,
  }
}

export function routerName(cluster: Cluster): string {
  return `trireme-${cluster.id}-router`
}

export function routerVolume(cluster: Cluster): string {
  return `trireme-${cluster.id}-router`
}

/** Neither part of the name may hold a `_`, so no two edges share one. */
export function edgeName(cluster: Cluster, namespace: string, service: string, port: { protocol: string; hostPort: number }) {
  return `trireme-${cluster.id}-edge-${namespace}_${service}_${port.protocol}_${port.hostPort}`
}

/** The lane that a pod is prepared in. */
export function podLane(uid: string): string {
  return `pod/${uid}`
}

/** The container that places of the node are looked at with, before the sandbox of their pod is made. */
export function lookName(cluster: Cluster, podUid: string): string {
  return `trireme-${cluster.id}-look-${podUid}`
}

/** Folder in a sandbox below which a pod's volumes are mounted. */
export const SANDBOX_VOLUMES = '/trireme'
