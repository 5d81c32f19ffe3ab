/** What a container mounts: whole volumes, parts of them (`subPath`), and folders of the node. */
import type { Container, VolumeMount } from '../model/types/pod.ts'
import type { Mount } from '../runtime/engine.ts'
import { expand } from './environment.ts'
import type { Text } from './plan.ts'
import type { PodVolume } from './volumes.ts'

/** A mount whose volume is known and whose part is a plain path. */
export interface PlacedMount {
  readonly volume: PodVolume
  /** relative to the volume's root, `''` for all of it */
  readonly part: string
  readonly target: string
  readonly readOnly: boolean
  readonly propagation?: 'rslave' | 'rshared'
}

/** The mounts, or why a container with them can never be made. */
export function compileMounts(
  container: Container,
  volumes: readonly PodVolume[],
  values: () => ReadonlyMap<string, Text>,
): { readonly mounts: readonly PlacedMount[]; readonly unfit: string } {
  const mounts: PlacedMount[] = []
  for (const mount of container.volumeMounts) {
    const volume = volumes.find(({ name }) => name === mount.name)
    const part = partOf(mount, values)
    if (part === undefined) return { mounts: [], unfit: unfitPart(mount) }
    if (volume === undefined) return { mounts: [], unfit: `volumeMounts: the pod has no volume ${mount.name}` }
    const { mountPath: target, mountPropagation } = mount
    const readOnly = mount.readOnly || volume.readOnly
    const propagation =
      mountPropagation === 'Bidirectional' ? 'rshared' : mountPropagation === 'HostToContainer' ? 'rslave' : undefined
    mounts.push({ volume, part, target, readOnly, ...(propagation === undefined ? {} : { propagation }) })
  }
  return { mounts, unfit: '' }
}

/** `undefined` for one that leaves the volume, names an unknown variable, or would write a secret into the engine's state. */
function partOf({ subPath, subPathExpr }: VolumeMount, values: () => ReadonlyMap<string, Text>): string | undefined {
  const written = subPathExpr === undefined ? (subPath ?? '') : expand(subPathExpr, values())
  if (typeof written !== 'string' || written.startsWith('/')) return undefined
  if (subPathExpr !== undefined && /\$\([^)]*\)/.test(written)) return undefined
  const parts = written.split('/').filter((part) => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : parts.join('/')
}

function unfitPart({ name, subPathExpr }: VolumeMount): string {
  const rule = 'expected a relative path without .., of variables that this container has and that hold no secret'
  return `the subPathExpr ${JSON.stringify(subPathExpr ?? '')} of the mount of ${name} gives no part of a volume: ${rule}`
}

/**
 * Without an engine that mounts parts, a part is a bind of its place in the volume's own folder on the node.
 *
 * @param mountpoint gives a volume's path on the node
 */
export function mountOf(
  { volume, part, target, readOnly, propagation }: PlacedMount,
  mountpoint: (volume: string) => string | undefined,
  mountsParts: boolean,
): Mount {
  const { source } = volume
  if (volume.kind === 'hostPath') {
    // Without a type nothing is asked of it, but the runtimes of Kubernetes make a folder of what is not there.
    const create = volume.type === '' || volume.type === 'DirectoryOrCreate' ? { create: true } : {}
    return { type: 'bind', source, target, readOnly, ...create, ...(propagation === undefined ? {} : { propagation }) }
  }
  if (part === '') return { type: 'volume', source, target, readOnly }
  if (mountsParts) return { type: 'volume', source, target, readOnly, part }
  return { type: 'bind', source: `${mountpoint(source) ?? NOWHERE}/${part}`, target, readOnly }
}

/** No such path is on any node: the engine refuses it. */
const NOWHERE = '/proc/trireme-unknown-volume'

/** Containers can write to it, so what is in it cannot be trusted. */
export function isWritten({ kind }: PodVolume): boolean {
  return kind === 'emptyDir' || kind === 'ephemeral' || kind === 'claim' || kind === 'nfs'
}
