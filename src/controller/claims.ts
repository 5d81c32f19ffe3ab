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
  let known: { readonly effective: Effective; readonly volumes: readonly ClaimVolumes[] } | undefined
  let claims: ReadonlyMap<string, Claim> = new Map()
  return {
    of(effective, volumes) {
      const same = known?.effective === effective && volumes.every((one, index) => one === known?.volumes[index])
      if (same) return claims
      known = { effective, volumes }
      claims = bind(effective, volumes)
      return claims
    },
  }
}

function bind(effective: Effective, volumes: readonly ClaimVolumes[]): ReadonlyMap<string, Claim> {
  const objects = [...effective.values()].map(({ object }) => object)
  const held = volumes.flatMap((all) =>
    [...all].map(([claim, { labels }]) => [claim, labels[LABEL.persistentVolume] ?? ''] as const),
  )
  return bindClaims({
    claims: declaredClaims(objects),
    volumes: objects.filter(({ kind }) => kind === 'PersistentVolume') as PersistentVolume[],
    classes: objects.filter(({ kind }) => kind === 'StorageClass') as StorageClass[],
    held: new Map(held),
  })
}
