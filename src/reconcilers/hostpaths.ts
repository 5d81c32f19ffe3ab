/**
 * Places of the node that a pod mounts as something: each has to be that before anything of the pod is made. One that is not
 * keeps its pod waiting; nothing that runs is ever looked at again.
 * @see Kubernetes pkg/volume/hostpath
 */
import type { ContainerConfig } from '../runtime/engine.ts'
import { folderOf } from './claims.ts'
import { baseSpec } from './compile.ts'
import { clusterLabels, LABEL, lookName } from './names.ts'
import type { PathCheck, PathChecks } from './plan.ts'
import type { PodContext } from './podcontext.ts'

/** `{}` for a pod that mounts no such place, which is nearly every one. */
export function pathChecks(context: PodContext): { readonly checks?: PathChecks } {
  const paths = pathsOf(context)
  return paths.length === 0 ? {} : { checks: { container: lookingContainer(context, paths), paths } }
}

/** Of volumes that some container mounts, as in Kubernetes; of a claim, the folder that its PersistentVolume is. */
function pathsOf(context: PodContext): PathCheck[] {
  const { volumes, containers } = context.compiled
  const mounted = new Set(containers.flatMap(({ mounts }) => mounts.map(({ volume }) => volume)))
  return volumes.flatMap((volume): PathCheck[] => {
    if (!mounted.has(volume)) return []
    const { kind, source, type = '' } = volume
    const place = kind === 'hostPath' ? { path: source, type } : folderOf(volume, context)
    return place === undefined || place.type === '' ? [] : [{ volume: volume.name, path: place.path, type: place.type }]
  })
}

/** It runs only where a file is to be made, whoever owns the folder that is for. */
function lookingContainer({ cluster, record }: PodContext, paths: readonly PathCheck[]): ContainerConfig {
  const makes = paths.some(({ type }) => type === 'FileOrCreate')
  return {
    ...baseSpec(cluster),
    name: lookName(cluster, record.uid),
    labels: { ...clusterLabels(cluster, 'look'), [LABEL.podUid]: record.uid },
    networkMode: 'none',
    capDrop: ['ALL'],
    capAdd: makes ? ['DAC_OVERRIDE'] : [],
    securityOpt: ['no-new-privileges'],
  }
}
