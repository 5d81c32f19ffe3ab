/** PersistentVolumeClaims under the names of kube-state-metrics. */
import type { ClusterStatus } from '../reconcilers/status.ts'
import { type Families, gauge, oneOf, type Sample, sample } from './family.ts'

const claim = ['namespace', 'persistentvolumeclaim']

export const claimFamilies: Families = {
  kube_persistentvolumeclaim_access_mode: gauge('Access modes that the claim asks for.', [...claim, 'access_mode']),
  kube_persistentvolumeclaim_info: gauge('The class of the claim, and the Docker volume that it has.', [
    ...claim,
    'storageclass',
    'volumename',
    'volumemode',
  ]),
  kube_persistentvolumeclaim_resource_requests_storage_bytes: gauge('Storage that the claim asks for.', claim),
  kube_persistentvolumeclaim_status_phase: gauge('Phase of the claim.', [...claim, 'phase']),
}

/** A claim that left Git is none any more, though its volume is kept. */
export function collectClaims({ claims }: ClusterStatus): Sample[] {
  return claims
    .filter(({ phase }) => phase === 'Bound' || phase === 'Pending')
    .flatMap(({ namespace, name, phase, volume, storageClass, accessModes, requestBytes }) => {
      const labels = { namespace, persistentvolumeclaim: name }
      return [
        ...accessModes.map((mode) => sample('kube_persistentvolumeclaim_access_mode', { ...labels, access_mode: mode }, 1)),
        sample(
          'kube_persistentvolumeclaim_info',
          { ...labels, storageclass: storageClass, volumename: volume, volumemode: 'Filesystem' },
          1,
        ),
        sample('kube_persistentvolumeclaim_resource_requests_storage_bytes', labels, requestBytes),
        ...oneOf('kube_persistentvolumeclaim_status_phase', labels, 'phase', ['Bound', 'Pending', 'Lost'], phase),
      ]
    })
}
