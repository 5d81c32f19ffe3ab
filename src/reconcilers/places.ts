/**
 * What has to be so in the volumes of a pod before one of its containers may be made or started: looked at on the node, at
 * the last moment, because a container may have changed it since it was planned.
 */
import type { ContainerView, VolumeView } from '../runtime/engine.ts'
import { isWritten, type PlacedMount } from './mounts.ts'
import { LABEL, SANDBOX, SANDBOX_VOLUMES } from './names.ts'
import type { NodeView } from './observed.ts'
import type { Place } from './plan.ts'

/** `[]` when nothing has to be done. @param first no container of this name has been made yet */
export function placesOf(
  mounts: readonly PlacedMount[],
  input: {
    readonly node: NodeView
    readonly mountsParts: boolean
    readonly changePolicy: string | undefined
    readonly first: boolean
  },
): Place[] {
  const volumes = new Map(mounts.filter(({ volume }) => isWritten(volume)).map(({ volume }) => [volume.name, volume]))
  return [...volumes.values()].flatMap((volume): Place[] => {
    const own = mounts.filter((mount) => mount.volume === volume)
    const parts = [...new Set(own.map(({ part }) => part).filter((part) => part !== ''))].sort()
    const owned = volume.kind === 'claim' && input.first && !volume.readOnly && isOurs(input.node, volume.source)
    if (parts.length === 0 && !owned) return []
    return [
      {
        volume: volume.source,
        folder: `${SANDBOX_VOLUMES}/${volume.name}`,
        parts,
        guarded: parts.length > 0 && !input.mountsParts,
        ...(owned ? { own: { gid: volume.gid, onMismatch: input.changePolicy === 'OnRootMismatch' } } : {}),
      },
    ]
  })
}

/** What a sandbox needs to see to its places, whoever owns the folders in them: all of it is in Docker's own default set. */
export function keeperCapabilities(mounts: readonly PlacedMount[]): readonly string[] {
  const sees = mounts.some(({ volume, part }) => isWritten(volume) && (part !== '' || volume.kind === 'claim'))
  return sees ? ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID'] : []
}

/**
 * Names of running containers that can write to a folder above a part of a volume: each could put a link there while the
 * engine mounts the part, and the engine would follow it on the node.
 */
export function writersAbove(containers: Iterable<ContainerView>, volume: VolumeView | undefined, part: string): string[] {
  if (volume === undefined) return []
  const { name, mountpoint } = volume
  return [...containers]
    .filter(({ state }) => state === 'running' || state === 'paused' || state === 'restarting')
    .filter(({ labels }) => labels[LABEL.containerName] !== SANDBOX)
    .filter(({ mounts }) =>
      mounts.some((mount) => {
        if (mount.readOnly) return false
        if (mount.type === 'volume') return mount.name === name
        return mount.source === mountpoint || `${mountpoint}/${part}`.startsWith(`${mount.source}/`)
      }),
    )
    .map((view) => view.name)
    .sort()
}

/** It was made for its claim alone; what a PersistentVolume describes has owners of its own. */
function isOurs({ volumes }: NodeView, name: string): boolean {
  const view = volumes.get(name)
  return view !== undefined && view.driver === 'local' && (view.labels[LABEL.persistentVolume] ?? '') === ''
}
