/** What becomes of each claim, and which volumes of claims are left of those that left Git. */
import { bytes } from '../model/quantity.ts'
import type { ContainerView, VolumeView } from '../runtime/engine.ts'
import { type Claim, provisionHash } from './claims.ts'
import { LABEL, SANDBOX } from './names.ts'
import type { ClaimStatus } from './status.ts'

export interface ClaimInput {
  /** by `claimId` */
  readonly claims: ReadonlyMap<string, Claim>
  /** volumes of claims that are there, likewise */
  readonly volumes: ReadonlyMap<string, VolumeView>
  readonly containers: Iterable<ContainerView>
}

/** Sorted by namespace and name. */
export function claimStatuses({ claims, volumes, containers }: ClaimInput): ClaimStatus[] {
  const pods = podsByVolume(containers)
  return [...new Set([...claims.keys(), ...volumes.keys()])].sort().map((id) => {
    const [claim, volume] = [claims.get(id), volumes.get(id)]
    const [namespace = '', name = ''] = id.split('/')
    return {
      namespace,
      name,
      phase: claim === undefined ? 'Retained' : volume === undefined ? 'Pending' : 'Bound',
      volume: volume?.name ?? '',
      driver: volume?.driver ?? '',
      persistentVolume: volume?.labels[LABEL.persistentVolume] ?? '',
      storageClass: claim?.spec.storageClassName ?? '',
      accessModes: claim?.spec.accessModes ?? [],
      requestBytes: claim === undefined ? 0 : bytes(claim.spec.storage),
      pods: [...(pods.get(volume?.name ?? '') ?? []), ...(pods.get(volume?.mountpoint ?? '') ?? [])].toSorted(),
      message: message(claim, volume),
    }
  })
}

function message(claim: Claim | undefined, volume: VolumeView | undefined): string {
  if (claim === undefined) return 'left Git: its data is kept until somebody removes the volume'
  const { provision, why } = claim
  if (volume === undefined) return provision === undefined ? why : 'its volume is made with its first pod'
  const made = volume.labels[LABEL.spec]
  if (provision === undefined || made === provisionHash(provision)) return ''
  return 'its volume was made of something else, and stays as it is: remove the volume, with its data, to have it made anew'
}

/** Names of pods by the volumes that they have, or by the folders that those stand for. */
function podsByVolume(containers: Iterable<ContainerView>): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { labels, mounts } of containers) {
    if (labels[LABEL.containerName] !== SANDBOX) continue
    for (const { name, source } of mounts)
      found.set(name || source, [...(found.get(name || source) ?? []), labels[LABEL.podName] ?? ''])
  }
  return found
}
