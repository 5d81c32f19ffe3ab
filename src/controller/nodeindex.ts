/**
 * What is on a node, by what passes ask for: kept up to date change by change, because a pass that searched all
 * containers would take longer the more there are of others.
 */
import { groupPods, volumesByPod } from '../reconcilers/grouping.ts'
import { LABEL } from '../reconcilers/names.ts'
import type { ObservedPod } from '../reconcilers/observed.ts'
import type { ContainerView, VolumeView } from '../runtime/engine.ts'
import type { Change } from '../runtime/observer/cache.ts'
import { createGroups, type Groups } from './groups.ts'
import { ownsPods } from './kinds.ts'

export interface NodeIndex {
  take(change: { readonly containers: readonly Change<ContainerView>[]; readonly volumes: readonly Change<VolumeView>[] }): void
  /** Pods of one owner; the same value until one of its containers changes. */
  podsOf(owner: string): readonly ObservedPod[]
  /** keys of whatever owns a pod here */
  owners(): Iterable<string>
  /** names of a pod's volumes, sorted */
  volumesOf(podUid: string): readonly string[]
  /** volumes of claims, by `<namespace>/<name>` of the claim; another map once one of them changes */
  claims(): ReadonlyMap<string, VolumeView>
  /** edges of one Service, by id */
  edgesOf(service: string): ReadonlyMap<string, ContainerView>
  /** Routers, edges, and what no workload's pass can look after, by id. */
  apart(): ReadonlyMap<string, ContainerView>
  hasAddress(ip: string): boolean
  /** These pods are remembered no more, so that volumes of theirs may be left over. */
  released(podUids: readonly string[]): void
  /** Volumes of pods that nobody remembers and that have no container, by name. */
  leftVolumes(knownPod: (uid: string) => boolean): readonly VolumeView[]
}

export function createNodeIndex(node: string): NodeIndex {
  const byOwner: Groups<ContainerView> = createGroups(({ id }) => id)
  const byPod: Groups<ContainerView> = createGroups(({ id }) => id)
  const edges: Groups<ContainerView> = createGroups(({ id }) => id)
  const addresses: Groups<ContainerView> = createGroups(({ id }) => id)
  const volumes: Groups<VolumeView> = createGroups(({ name }) => name)
  let claims: ReadonlyMap<string, VolumeView> = new Map()
  const apart = new Map<string, ContainerView>()
  const pods = new Map<string, readonly ObservedPod[]>()
  const volumeNames = new Map<string, readonly string[]>()
  /** pods with volumes that may be left over; none other has any */
  const suspects = new Set<string>()

  function moveContainer({ before, after }: Change<ContainerView>): void {
    byOwner.move(before, after, ownerOf)
    byPod.move(before, after, ({ labels }) => labels[LABEL.podUid])
    edges.move(before, after, ({ labels }) => (labels[LABEL.role] === 'edge' ? labels[LABEL.service] : undefined))
    for (const view of [before, after]) {
      const owner = view && ownerOf(view)
      if (owner !== undefined) pods.delete(owner)
    }
    moveAddresses(before, after)
    if (before !== undefined) apart.delete(before.id)
    if (after !== undefined && ownerOf(after) === undefined) apart.set(after.id, after)
  }

  function moveAddresses(before: ContainerView | undefined, after: ContainerView | undefined): void {
    if (before !== undefined) for (const ip of addressesOf(before)) addresses.move(before, undefined, () => ip)
    if (after !== undefined) for (const ip of addressesOf(after)) addresses.move(undefined, after, () => ip)
  }

  function moveVolume({ before, after }: Change<VolumeView>): void {
    volumes.move(before, after, ({ labels }) => labels[LABEL.podUid])
    const claim = (after ?? before)?.labels[LABEL.claim]
    if (claim !== undefined) {
      const others = [...claims].filter(([id]) => id !== claim)
      claims = new Map(after === undefined ? others : [...others, [claim, after]])
    }
    const uid = (after ?? before)?.labels[LABEL.podUid]
    if (uid === undefined) return
    volumeNames.delete(uid)
    suspects.add(uid)
  }

  return {
    take(change) {
      change.containers.forEach(moveContainer)
      change.volumes.forEach(moveVolume)
    },
    podsOf(owner) {
      const known = pods.get(owner)
      if (known !== undefined) return known
      const found = groupPods(byOwner.of(owner).values(), node).get(owner) ?? []
      if (found.length > 0) pods.set(owner, found)
      return found
    },
    owners: byOwner.names,
    volumesOf(podUid) {
      const known = volumeNames.get(podUid)
      if (known !== undefined) return known
      const names = volumesByPod(volumes.of(podUid).values()).get(podUid) ?? []
      if (names.length > 0) volumeNames.set(podUid, names)
      return names
    },
    claims: () => claims,
    edgesOf: edges.of,
    apart: () => apart,
    hasAddress: (ip) => addresses.of(ip).size > 0,
    released(podUids) {
      for (const uid of podUids) if (volumes.of(uid).size > 0) suspects.add(uid)
    },
    leftVolumes(knownPod) {
      for (const uid of suspects) if (knownPod(uid) || volumes.of(uid).size === 0) suspects.delete(uid)
      return [...suspects]
        .filter((uid) => byPod.of(uid).size === 0)
        .flatMap((uid) => [...volumes.of(uid).values()])
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    },
  }
}

/** The workload whose pass looks after a container; `undefined` for one that is no whole pod's part. */
function ownerOf({ labels }: ContainerView): string | undefined {
  const whole = labels[LABEL.podUid] !== undefined && labels[LABEL.containerName] !== undefined
  const owner = labels[LABEL.owner] ?? ''
  return labels[LABEL.role] === 'pod' && whole && ownsPods(owner) ? owner : undefined
}

function addressesOf({ networks }: ContainerView): Set<string> {
  return new Set(Object.values(networks).flatMap(({ ip, requestedIp }) => [ip, requestedIp].filter((one) => one !== '')))
}
