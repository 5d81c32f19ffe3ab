/** PersistentVolumeClaims, PersistentVolumes and StorageClasses in canonical form. */
import { compact } from './compact.ts'
import { normalQuantity } from './quantity.ts'
import { field, flagAt, has, mapAt, type Raw, textAt, textMapAt, textsAt } from './raw.ts'
import { readSelector } from './selector.ts'
import type { KubeObject } from './types/meta.ts'
import type { ClaimSpec, FolderType, NfsSource, PersistentVolume, PersistentVolumeClaim, StorageClass } from './types/volume.ts'

export function persistentVolumeClaim(base: KubeObject, body: Raw): PersistentVolumeClaim {
  return { ...base, kind: 'PersistentVolumeClaim', spec: claimSpec(mapAt(body, 'spec')) }
}

/** Of a claim, of a template for claims, or of one that is in canonical form already. */
export function claimSpec(raw: Raw): ClaimSpec {
  return compact<ClaimSpec>({
    accessModes: [...new Set(textsAt(raw, 'accessModes'))].sort(),
    storage: quantityOf(field(mapAt(raw, 'resources', 'requests'), 'storage') ?? field(raw, 'storage')),
    storageClassName: textAt(raw, 'storageClassName'),
    volumeName: textAt(raw, 'volumeName') || undefined,
    selector: has(raw, 'selector') ? readSelector(mapAt(raw, 'selector')) : undefined,
  })
}

export function persistentVolume(base: KubeObject, body: Raw): PersistentVolume {
  const spec = mapAt(body, 'spec')
  const claim = mapAt(spec, 'claimRef')
  const csi = mapAt(spec, 'csi')
  return {
    ...base,
    kind: 'PersistentVolume',
    spec: compact<PersistentVolume['spec']>({
      accessModes: [...new Set(textsAt(spec, 'accessModes'))].sort(),
      storage: quantityOf(field(mapAt(spec, 'capacity'), 'storage') ?? field(spec, 'storage')),
      storageClassName: textAt(spec, 'storageClassName') ?? '',
      claimRef: has(spec, 'claimRef')
        ? { namespace: textAt(claim, 'namespace') ?? '', name: textAt(claim, 'name') ?? '' }
        : undefined,
      mountOptions: textsAt(spec, 'mountOptions'),
      hostPath: textAt(mapAt(spec, 'hostPath'), 'path') ?? textAt(mapAt(spec, 'local'), 'path') ?? textAt(spec, 'hostPath'),
      folderType: folderType(spec),
      nfs: has(spec, 'nfs') ? nfsSource(mapAt(spec, 'nfs')) : undefined,
      csi: has(spec, 'csi')
        ? {
            driver: textAt(csi, 'driver') ?? '',
            attributes: { ...textMapAt(csi, 'volumeAttributes'), ...textMapAt(csi, 'attributes') },
          }
        : undefined,
    }),
  }
}

/** Of the types of a `hostPath` only those of folders pass `validate`. */
function folderType(spec: Raw): FolderType | undefined {
  const written = has(mapAt(spec, 'hostPath'), 'path') ? (textAt(mapAt(spec, 'hostPath'), 'type') ?? '') : undefined
  return (written ?? textAt(spec, 'folderType')) as FolderType | undefined
}

export function storageClass(base: KubeObject, body: Raw): StorageClass {
  return {
    ...base,
    kind: 'StorageClass',
    provisioner: textAt(body, 'provisioner') ?? '',
    parameters: textMapAt(body, 'parameters'),
    mountOptions: textsAt(body, 'mountOptions'),
    ...(textAt(body, 'reclaimPolicy') === 'Retain' ? { reclaimPolicy: 'Retain' } : {}),
  }
}

export function nfsSource(raw: Raw): NfsSource {
  return { server: textAt(raw, 'server') ?? '', path: textAt(raw, 'path') ?? '', readOnly: flagAt(raw, 'readOnly') ?? false }
}

function quantityOf(value: unknown): string {
  return value === undefined ? '0' : normalQuantity(value as string | number)
}
