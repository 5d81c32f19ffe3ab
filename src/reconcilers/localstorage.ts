/** Limits of what a pod may have on the disk, of `ephemeral-storage` and of each emptyDir: a pod that goes beyond one is replaced. */
import { bytes, formatQuantity, parseQuantity } from '../model/quantity.ts'
import type { Container, PodUsage, Probe, ProbeAction } from '../model/types/pod.ts'
import type { ProbeKind } from './observed.ts'
import type { PodNow } from './podstate.ts'

/** Docker counts file by file, which for a large container takes a while. */
const PERIOD_SECONDS = 60
const TIMEOUT_SECONDS = 30

type Probes = Partial<Record<ProbeKind, Probe>>

/** Asks what a container has written; none where there is no limit. */
export function storageProbe({ resources }: Container): Probes {
  const limit = resources.limits['ephemeral-storage']
  return limit === undefined ? {} : asked({ storage: { limitBytes: bytes(limit) } })
}

/** Asks what a pod has on the disk, of its sandbox, which is there as long as the pod; none where nothing limits its volumes. */
export function usageProbe(pod: PodNow): Probes {
  const volumes = emptyDirs(pod)
  if (volumes.length === 0) return {}
  const total = totalOf(pod)
  if (total === undefined && volumes.every(({ limit }) => limit === undefined)) return {}
  const containers = pod.containers.flatMap(({ latest }) => latest?.id ?? [])
  return asked({ usage: { volumes, containers, ...(total === undefined ? {} : { total }) } })
}

function asked(action: ProbeAction): Probes {
  const bounds = { initialDelaySeconds: 0, timeoutSeconds: TIMEOUT_SECONDS, periodSeconds: PERIOD_SECONDS }
  return { storage: { ...action, ...bounds, successThreshold: 1, failureThreshold: 1 } }
}

/** Those on the disk: one that is in memory has its limit from the kernel. */
function emptyDirs({ context: { compiled } }: PodNow): PodUsage['volumes'] {
  return compiled.template.spec.volumes.flatMap(({ name, emptyDir }) => {
    if (emptyDir === undefined || emptyDir.medium !== '') return []
    const source = compiled.volumes.find((volume) => volume.name === name)?.source ?? ''
    const { sizeLimit } = emptyDir
    // As in Kubernetes a limit of 0 is none.
    const limited = sizeLimit !== undefined && bytes(sizeLimit) > 0
    return [{ name, source, ...(limited ? { limit: { bytes: bytes(sizeLimit), text: sizeLimit } } : {}) }]
  })
}

/** Of all its containers that have a limit. */
function totalOf({ containers }: PodNow): PodUsage['total'] {
  const limits = containers.flatMap(({ compiled: { container } }) => container.resources.limits['ephemeral-storage'] ?? [])
  if (limits.length === 0) return undefined
  const text = formatQuantity({ nanos: limits.reduce((sum, limit) => sum + parseQuantity(limit).nanos, 0n), format: 'BinarySI' })
  return { bytes: bytes(text), text }
}
