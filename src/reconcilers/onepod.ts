/**
 * Claims that are ReadWriteOncePod: a second pod waits until the first is gone.
 * @see Kubernetes pkg/scheduler/framework/plugins/volumerestrictions
 */
import type { PodSpec } from '../model/types.ts'
import type { Claim } from './claims.ts'
import { LABEL } from './names.ts'
import type { NodeView } from './observed.ts'
import { ownClaim } from './rolloutspec.ts'
import type { Neighbour } from './scheduling.ts'

interface Applicant {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly spec: PodSpec
}

/**
 * Why a new pod has to wait for a claim, in the words of the Kubernetes scheduler; `''` when it need not.
 *
 * @param others pods that have their place before it; asked for only where a claim is for one pod
 */
export function claimTaken(
  pod: Applicant,
  claim: (name: string) => Claim | undefined,
  claimVolume: (name: string) => string,
  node: NodeView,
  others: () => readonly Neighbour[],
): string {
  const exclusive = claimNames(pod).filter((name) => claim(name)?.spec.accessModes.includes('ReadWriteOncePod'))
  const taken = exclusive.some((name) => isMounted(node, claimVolume(name), pod.uid) || others().some(has(pod.namespace, name)))
  return taken ? 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode' : ''
}

function claimNames({ spec, name }: Pick<Applicant, 'spec' | 'name'>): string[] {
  return spec.volumes.flatMap((volume) => ownClaim(volume, name).claim?.claimName ?? [])
}

function has(namespace: string, claim: string): (other: Neighbour) => boolean {
  return (other) => other.namespace === namespace && claimNames(other).includes(claim)
}

/** Also by a pod of a workload that only waits to be pruned: two writers would be worse than waiting. */
function isMounted({ containers }: NodeView, volume: string, except: string): boolean {
  return [...containers.values()].some(
    ({ state, labels, mounts }) =>
      (state === 'running' || state === 'paused' || state === 'restarting') &&
      labels[LABEL.podUid] !== except &&
      mounts.some(({ name }) => name === volume),
  )
}
