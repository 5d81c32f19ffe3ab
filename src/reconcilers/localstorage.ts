/** Limits of what a pod may have on the disk, of `ephemeral-storage` and of each emptyDir: a pod that goes beyond one is replaced. */
import { bytes, formatQuantity, parseQuantity } from '../model/quantity.ts'
import type { Container, PodUsage, Probe, ProbeAction } from '../model/types.ts'
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
  const usage = usageOf(pod)
  const limited = usage.volumes.some(({ limit }) => limit !== undefined) || usage.total !== undefined
  return limited && usage.volumes.length > 0 ? asked({ usage }) : {}
}

function asked(action: ProbeAction): Probes {
  const bounds = { initialDelaySeconds: 0, timeoutSeconds: TIMEOUT_SECONDS, periodSeconds: PERIOD_SECONDS }
  return { storage: { ...action, ...bounds, successThreshold: 1, failureThreshold: 1 } }
}

function usageOf({ context, containers }: PodNow): PodUsage {
  const limits = containers.flatMap(({ compiled: { container } }) => container.resources.limits['ephemeral-storage'] ?? [])
  const nanos = limits.reduce((sum, limit) => sum + parseQuantity(limit).nanos, 0n)
  const total = formatQuantity({ nanos, format: 'BinarySI' })
  return {
    // One that is in memory has its limit from the kernel.
    volumes: context.set.template.spec.volumes.flatMap(({ name, emptyDir }) => {
      const source = context.compiled.volumes.find((volume) => volume.name === name)?.source
      if (source === undefined || emptyDir === undefined || emptyDir.medium === 'Memory') return []
      const { sizeLimit } = emptyDir
      // As in Kubernetes a limit of 0 is none.
      const limited = sizeLimit !== undefined && bytes(sizeLimit) > 0
      return [{ name, source, ...(limited ? { limit: { bytes: bytes(sizeLimit), text: sizeLimit } } : {}) }]
    }),
    ...(limits.length === 0 ? {} : { total: { bytes: bytes(total), text: total } }),
    containers: containers.flatMap(({ latest }) => latest?.id ?? []),
  }
}
