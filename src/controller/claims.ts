/** What every claim gets, kept until the objects or the volumes of claims change: passes ask for it one claim at a time. */
import type { LoadedObject } from '../model/types/loaded.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import type { PersistentVolume, StorageClass } from '../model/types/volume.ts'
import { bindClaims, type Claim, declaredClaims } from '../reconcilers/claims.ts'
import { LABEL } from '../reconcilers/names.ts'
import type { VolumeView } from '../runtime/engine.ts'

type Effective = ReadonlyMap<ObjectKey, LoadedObject>
/** volumes of claims on one node, by claim; another map once something changes */
type ClaimVolumes = ReadonlyMap<string, VolumeView>

export interface Claims {
  of(effective: Effective, volumes: readonly ClaimVolumes[]): ReadonlyMap<string, Claim>
}

export function createClaims(): Claims {
  let known: { readonly effective: Effective; readonly volumes: readonly ClaimVolumes[]; readonly held: Held } | undefined
  let claims: ReadonlyMap<string, Claim> = new Map()
  return {
    of(effective, volumes) {
      const before = known?.effective === effective ? known : undefined
      if (before !== undefined && volumes.every((one, index) => one === before.volumes[index])) return claims
      const held = heldIn(volumes)
      if (before === undefined || !asBound(claims, before.held, held)) claims = bind(effective, held)
      known = { effective, volumes, held }
      return claims
    },
  }
}

/** By claim: the PersistentVolume that its volume was made from, `''` for none. */
type Held = ReadonlyMap<string, string>

function heldIn(volumes: readonly ClaimVolumes[]): Held {
  const all = volumes.flatMap((one) => [...one])
  return new Map(all.map(([claim, { labels }]) => [claim, labels[LABEL.persistentVolume] ?? '']))
}

/** Volumes that were made since are of what their claims were to get: so nobody else gets anything else. */
function asBound(claims: ReadonlyMap<string, Claim>, before: Held, after: Held): boolean {
  if ([...before.keys()].some((id) => !after.has(id))) return false
  return [...after].every(([id, volume]) => (before.get(id) ?? claims.get(id)?.provision?.persistentVolume) === volume)
}

function bind(effective: Effective, held: Held): ReadonlyMap<string, Claim> {
  const objects = [...effective.values()].map(({ object }) => object)
  return bindClaims({
    claims: declaredClaims(objects),
    volumes: objects.filter(({ kind }) => kind === 'PersistentVolume') as PersistentVolume[],
    classes: objects.filter(({ kind }) => kind === 'StorageClass') as StorageClass[],
    held,
  })
}
