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
  /** those that are to go, by `claimId` */
  readonly doomed: ReadonlySet<string>
}

/** Sorted by namespace and name. */
export function claimStatuses({ claims, volumes, containers, doomed }: ClaimInput): ClaimStatus[] {
  const pods = podsByVolume(containers)
  return [...new Set([...claims.keys(), ...volumes.keys()])].sort().map((id) => {
    const [claim, volume] = [claims.get(id), volumes.get(id)]
    const [namespace = '', name = ''] = id.split('/')
    return {
      namespace,
      name,
      phase: phaseOf(claim, volume, doomed.has(id)),
      volume: volume?.name ?? '',
      driver: volume?.driver ?? '',
      persistentVolume: volume?.labels[LABEL.persistentVolume] ?? '',
      storageClass: claim?.spec.storageClassName ?? '',
      accessModes: claim?.spec.accessModes ?? [],
      requestBytes: claim === undefined ? 0 : bytes(claim.spec.storage),
      pods: [...(pods.get(volume?.name ?? '') ?? []), ...(pods.get(volume?.mountpoint ?? '') ?? [])].toSorted(),
      message: message(claim, volume, doomed.has(id)),
    }
  })
}

function phaseOf(claim: Claim | undefined, volume: VolumeView | undefined, goes: boolean): ClaimStatus['phase'] {
  if (claim === undefined) return goes ? 'Terminating' : 'Retained'
  return volume === undefined ? 'Pending' : 'Bound'
}

function message(claim: Claim | undefined, volume: VolumeView | undefined, goes: boolean): string {
  if (claim === undefined && goes) return 'goes with its data once no pod has it: its StatefulSet says so'
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
    for (const { name, source } of mounts) {
      const pods = found.get(name || source) ?? []
      found.set(name || source, pods)
      // Added in place, for one claim may have all pods of a cluster.
      pods.push(labels[LABEL.podName] ?? '')
    }
  }
  return found
}
