/** Volumes of pods in canonical form. @see Kubernetes pkg/apis/core/v1/defaults.go */
import { compact } from './compact.ts'
import { sortedBy } from './order.ts'
import { normalQuantity } from './quantity.ts'
import { field, flagAt, has, mapAt, mapsAt, numberAt, type Raw, textAt } from './raw.ts'
import { claimSpec, nfsSource } from './storage.ts'
import type {
  ConfigMapVolume,
  DownwardItem,
  HostPathType,
  KeyToPath,
  ProjectedSource,
  ProjectedVolume,
  ResourceField,
  SecretVolume,
  TokenSource,
  Volume,
} from './types/volume.ts'

/** How each source is written, and what it is in canonical form. */
const sources: { readonly [key: string]: (raw: Raw) => Omit<Volume, 'name'> } = {
  configMap: (raw) => ({ configMap: configMapVolume(raw) }),
  secret: (raw) => ({ secret: secretVolume(raw) }),
  persistentVolumeClaim: (raw) => ({ claim: claim(raw) }),
  claim: (raw) => ({ claim: claim(raw) }),
  projected: (raw) => ({ projected: projectedVolume(raw) }),
  downwardAPI: (raw) => ({ downwardAPI: { items: downwardItems(raw), defaultMode: modeOf(raw) } }),
  hostPath: (raw) => ({ hostPath: { path: textAt(raw, 'path') ?? '', type: (textAt(raw, 'type') ?? '') as HostPathType } }),
  nfs: (raw) => ({ nfs: nfsSource(raw) }),
  ephemeral: (raw) => ({
    ephemeral: claimSpec(has(raw, 'volumeClaimTemplate') ? mapAt(raw, 'volumeClaimTemplate', 'spec') : raw),
  }),
}

/** A volume that names no source is an emptyDir, as in Kubernetes. */
export function canonicalVolume(raw: Raw): Volume {
  const name = textAt(raw, 'name') ?? ''
  for (const [key, canonical] of Object.entries(sources)) if (has(raw, key)) return { name, ...canonical(mapAt(raw, key)) }
  const kept = mapAt(raw, 'other')
  const others = Object.entries({ ...raw, ...kept }).filter(
    ([key, value]) => !['name', 'emptyDir', 'other'].includes(key) && value !== null && value !== undefined,
  )
  if (others.length > 0) return { name, other: structuredClone(Object.fromEntries(others)) }
  return { name, emptyDir: emptyDir(mapAt(raw, 'emptyDir')) }
}

function emptyDir(raw: Raw): NonNullable<Volume['emptyDir']> {
  const limit = field(raw, 'sizeLimit')
  return compact<NonNullable<Volume['emptyDir']>>({
    medium: (textAt(raw, 'medium') ?? '') as NonNullable<Volume['emptyDir']>['medium'],
    sizeLimit: limit === undefined ? undefined : normalQuantity(limit as string | number),
  })
}

function claim(raw: Raw): NonNullable<Volume['claim']> {
  return { claimName: textAt(raw, 'claimName') ?? '', readOnly: flagAt(raw, 'readOnly') ?? false }
}

const defaultMode = 0o644

function modeOf(raw: Raw): number {
  return numberAt(raw, 'defaultMode') ?? defaultMode
}

function configMapVolume(raw: Raw): ConfigMapVolume {
  return compact<ConfigMapVolume>({
    name: textAt(raw, 'name') ?? '',
    items: items(raw),
    defaultMode: modeOf(raw),
    optional: flagAt(raw, 'optional') ?? false,
  })
}

function secretVolume(raw: Raw): SecretVolume {
  return compact<SecretVolume>({
    secretName: textAt(raw, 'secretName') ?? '',
    items: items(raw),
    defaultMode: modeOf(raw),
    optional: flagAt(raw, 'optional') ?? false,
  })
}

function items(raw: Raw): readonly KeyToPath[] | undefined {
  if (!has(raw, 'items')) return undefined
  const list = mapsAt(raw, 'items').map((item) =>
    compact<KeyToPath>({ key: textAt(item, 'key') ?? '', path: textAt(item, 'path') ?? '', mode: numberAt(item, 'mode') }),
  )
  return sortedBy(list, ({ path }) => path)
}

function projectedVolume(raw: Raw): ProjectedVolume {
  return { sources: mapsAt(raw, 'sources').flatMap(projectedSource), defaultMode: modeOf(raw) }
}

/** A Secret is named `name` here, and `secretName` where it is a volume of its own. */
function projectedSource(raw: Raw): ProjectedSource[] {
  if (has(raw, 'configMap')) {
    const { defaultMode: _mode, ...configMap } = configMapVolume(mapAt(raw, 'configMap'))
    return [{ configMap }]
  }
  if (has(raw, 'secret')) {
    const written = mapAt(raw, 'secret')
    const { defaultMode: _mode, ...secret } = secretVolume({ ...written, secretName: written.secretName ?? written.name })
    return [{ secret }]
  }
  if (has(raw, 'downwardAPI')) return [{ downwardAPI: { items: downwardItems(mapAt(raw, 'downwardAPI')) } }]
  if (has(raw, 'serviceAccountToken')) return [{ serviceAccountToken: tokenSource(mapAt(raw, 'serviceAccountToken')) }]
  return []
}

const defaultTokenSeconds = 3600

function tokenSource(raw: Raw): TokenSource {
  return compact<TokenSource>({
    audience: textAt(raw, 'audience') || undefined,
    expirationSeconds: numberAt(raw, 'expirationSeconds') ?? defaultTokenSeconds,
    path: textAt(raw, 'path') ?? '',
  })
}

function downwardItems(raw: Raw): readonly DownwardItem[] {
  const list = mapsAt(raw, 'items').map((item) =>
    compact<DownwardItem>({
      path: textAt(item, 'path') ?? '',
      mode: numberAt(item, 'mode'),
      fieldRef: has(item, 'fieldRef') ? { fieldPath: textAt(mapAt(item, 'fieldRef'), 'fieldPath') ?? '' } : undefined,
      resourceFieldRef: has(item, 'resourceFieldRef') ? resourceField(mapAt(item, 'resourceFieldRef')) : undefined,
    }),
  )
  return sortedBy(list, ({ path }) => path)
}

/** A divisor of zero is the default, 1, as in Kubernetes. */
export function resourceField(raw: Raw): ResourceField {
  const divisor = field(raw, 'divisor') ?? '1'
  return compact<ResourceField>({
    containerName: textAt(raw, 'containerName') || undefined,
    resource: textAt(raw, 'resource') ?? '',
    divisor: normalQuantity(divisor === '0' || divisor === 0 ? '1' : (divisor as string | number)),
  })
}
