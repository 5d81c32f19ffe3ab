/**
 * Claims of a StatefulSet that go with their pods or with their set, because its persistentVolumeClaimRetentionPolicy says so.
 * No other claim is ever deleted. What is to go is remembered while its pod is still there: a claim that was left over before
 * the policy said Delete stays.
 * @see Kubernetes pkg/controller/statefulset, `UpdatePodClaimForRetentionPolicy`
 */
import { splitKey } from '../model/types/meta.ts'
import type { PodWorkload, StatefulSet, StatefulSetSpec } from '../model/types/workload.ts'
import { claimId } from './claims.ts'
import type { ClaimMemory, PodRecord, WorkloadMemory } from './memory.ts'
import { claimVolumeName, LABEL } from './names.ts'
import type { NodeView } from './observed.ts'
import type { Lane } from './plan.ts'
import { ownClaim } from './rolloutspec.ts'
import type { PodVolume } from './volumes.ts'
import type { WorkloadInput } from './workloadinput.ts'

const NONE: ClaimMemory = { owned: [], doomed: [] }

/** The memory with what goes with the pods that are in it, and without what is gone or is kept after all. */
export function recordClaims(memory: WorkloadMemory, input: WorkloadInput): WorkloadMemory {
  const before = memory.claims ?? NONE
  const { owned, doomed } = input.target === null ? withSet(before) : withPods(before, memory, specOf(input.target))
  const { namespace } = splitKey(input.key)
  const claims = { owned, doomed: doomed.filter((name) => isToGo(input, namespace, name)) }
  const { claims: _before, ...rest } = memory
  if (claims.owned.length + claims.doomed.length === 0) return memory.claims === undefined ? memory : rest
  return sameNames(claims.owned, before.owned) && sameNames(claims.doomed, before.doomed) ? memory : { ...memory, claims }
}

function specOf(target: PodWorkload): StatefulSetSpec {
  return (target as StatefulSet).spec
}

function withSet({ owned, doomed }: ClaimMemory): ClaimMemory {
  return { owned: [], doomed: union(doomed, owned) }
}

function withPods(before: ClaimMemory, memory: WorkloadMemory, spec: StatefulSetSpec): ClaimMemory {
  const { whenDeleted, whenScaled } = spec.persistentVolumeClaimRetentionPolicy ?? {}
  const last = spec.ordinals.start + spec.replicas
  const isWanted = (name: string): boolean => numberOf(name) >= spec.ordinals.start && numberOf(name) < last
  const claims = memory.pods.flatMap((pod) => claimsOf(memory, pod))
  return {
    owned: whenDeleted === 'Delete' ? union(before.owned, claims) : [],
    doomed: whenScaled === 'Delete' ? union(before.doomed, claims).filter((name) => !isWanted(name)) : [],
  }
}

/** Names of the claims that a pod has from the templates of its set. */
function claimsOf({ sets }: WorkloadMemory, { set, name }: PodRecord): string[] {
  const volumes = sets.find((one) => one.name === set)?.template.spec.volumes ?? []
  return volumes.flatMap((volume) => {
    const own = ownClaim(volume, name)
    return own === volume || own.claim === undefined ? [] : [own.claim.claimName]
  })
}

/** A claim ends with the number of its pod. */
function numberOf(name: string): number {
  return Number.parseInt(name.slice(name.lastIndexOf('-') + 1), 10)
}

/** Its volume was made for it alone, by a class that deletes, and nothing in Git declares it. */
function isToGo({ nodes, claim, cluster }: WorkloadInput, namespace: string, name: string): boolean {
  if (claim(namespace, name) !== undefined) return false
  const volume = claimVolumeName(cluster, namespace, name)
  return nodes.some((node) => !node.reachable || node.volumes.get(volume)?.labels[LABEL.reclaim] === 'Delete')
}

/** Removes the volumes of claims that are to go, each once nothing has it any more. */
export function planClaims(memory: WorkloadMemory, { key, nodes, cluster }: WorkloadInput): Lane[] {
  const doomed = memory.claims?.doomed ?? []
  if (doomed.length === 0) return []
  const { namespace } = splitKey(key)
  const taken = new Set(memory.pods.flatMap((pod) => claimsOf(memory, pod)))
  const places = nodes.filter(({ reachable }) => reachable).map((node) => ({ node, mounted: mountedVolumes(node) }))
  const cause = 'its pod is gone, and the persistentVolumeClaimRetentionPolicy is Delete'
  return doomed.flatMap((name): Lane[] => {
    const volume = claimVolumeName(cluster, namespace, name)
    const steps = places
      .filter(({ node, mounted }) => node.volumes.has(volume) && !taken.has(name) && !mounted.has(volume))
      .map(({ node }) => ({ node: node.name, target: `volume ${volume}`, cause, op: 'removeVolume', volume }) as const)
    return steps.length === 0 ? [] : [{ id: claimLane(namespace, name), steps }]
  })
}

/** Found once for all claims that are to go: there may be as many as there are containers. */
function mountedVolumes({ containers }: NodeView): ReadonlySet<string> {
  return new Set([...containers.values()].flatMap(({ mounts }) => mounts.map(({ name }) => name)))
}

function claimLane(namespace: string, name: string): string {
  return `claim/${claimId(namespace, name)}`
}

/** Why a new pod has to wait while a claim of its is removed, to get it made anew; `''` when it need not. In the words of the scheduler. */
export function claimVanishing(volumes: readonly PodVolume[], namespace: string, inFlight: ReadonlySet<string>): string {
  const going = volumes.find(({ claim }) => claim !== undefined && inFlight.has(claimLane(namespace, claim)))
  return going === undefined ? '' : `persistentvolumeclaim "${going.claim}" is being deleted`
}

/** Claims that are about to go, by `claimId`. */
export function doomedClaims(workloads: Iterable<readonly [key: string, memory: WorkloadMemory]>): ReadonlySet<string> {
  return new Set(
    [...workloads].flatMap(([key, { claims }]) => (claims?.doomed ?? []).map((name) => claimId(splitKey(key).namespace, name))),
  )
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])].sort()
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}
