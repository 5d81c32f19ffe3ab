/**
 * PersistentVolumes on offer: each goes to one claim, and stays with the one that holds it. Kept in the order that claims
 * would rather have them, so that many claims and many volumes are not each looked at beside each.
 */
import { bytes } from '../model/quantity.ts'
import type { PersistentVolume } from '../model/types/volume.ts'

export interface Offer {
  named(name: string): PersistentVolume | undefined
  /** Whether it is on offer to this claim, as `claimId` has it. */
  isFree(name: string, claim: string): boolean
  /**
   * Free ones that may be this claim's, the one that it would rather have first: what is reserved for it, then the smallest
   * of its class.
   *
   * @param size bytes that it asks for
   */
  candidates(claim: string, className: string, size: number): Iterable<PersistentVolume>
  /** It is on offer no more. */
  take(name: string): void
}

interface Sized {
  readonly volume: PersistentVolume
  readonly size: number
}

/** @param held by claim: the PersistentVolume that it has already */
export function offerVolumes(volumes: readonly PersistentVolume[], held: ReadonlyMap<string, string>): Offer {
  const byName = new Map(volumes.map((volume) => [volume.metadata.name, volume]))
  // Also of claims that are declared no more: their data stays, and is nobody else's.
  const taken = new Set(held.values())
  const free = volumes
    .filter(({ metadata }) => !taken.has(metadata.name))
    .map((volume): Sized => ({ volume, size: bytes(volume.spec.storage) }))
    .sort((a, b) => a.size - b.size || (a.volume.metadata.name < b.volume.metadata.name ? -1 : 1))
  const reserved = Map.groupBy(free, ({ volume }) => claimOf(volume))
  const open = Map.groupBy(reserved.get(undefined) ?? [], ({ volume }) => volume.spec.storageClassName)
  return {
    named: (name) => byName.get(name),
    isFree: (name, claim) => !taken.has(name) || held.get(claim) === name,
    *candidates(claim, className, size) {
      for (const { volume } of reserved.get(claim) ?? []) if (!taken.has(volume.metadata.name)) yield volume
      const shelf = open.get(className) ?? []
      for (let index = firstOf(shelf, size); index < shelf.length; index++) yield (shelf[index] as Sized).volume
    },
    take(name) {
      taken.add(name)
      const volume = byName.get(name)
      const shelf = volume && open.get(volume.spec.storageClassName)
      if (shelf === undefined) return
      const index = shelf.findIndex((one) => one.volume === volume)
      if (index >= 0) shelf.splice(index, 1)
    },
  }
}

/** The claim that alone may have it, as `claimId` has it. */
function claimOf({ spec: { claimRef } }: PersistentVolume): string | undefined {
  return claimRef && `${claimRef.namespace}/${claimRef.name}`
}

/** The first that is large enough. */
function firstOf(shelf: readonly Sized[], size: number): number {
  let [from, to] = [0, shelf.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((shelf[middle] as Sized).size < size) from = middle + 1
    else to = middle
  }
  return from
}
