/** Limits of what a pod may have on the disk, of `ephemeral-storage` and of each emptyDir: a pod that goes beyond one is replaced. */
import { podPeak } from '../model/podresources.ts'
import { bytes, formatQuantity, parseQuantity } from '../model/quantity.ts'
import type { Container, PodSpec, PodUsage, Probe, ProbeAction } from '../model/types/pod.ts'
import type { ProbeKind } from './observed.ts'
import { runs } from './podorder.ts'
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

/** Asks what a pod has on the disk, of its sandbox, which is there as long as the pod; none where the containers are asked enough. */
export function usageProbe(pod: PodNow): Probes {
  const volumes = emptyDirs(pod)
  const total = limitOf(pod.context.compiled.template.spec)
  const limitsVolume = volumes.some(({ limit }) => limit !== undefined)
  const addsUp =
    total !== undefined && (volumes.length > 0 || pod.containers.some(({ compiled }) => !isLimited(compiled.container)))
  if (!limitsVolume && !addsUp) return {}
  // What has ended is counted no more, as by the kubelet: an init container may have needed much.
  const containers = pod.containers.filter(runs).flatMap(({ latest }) => latest?.id ?? [])
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

function isLimited({ resources }: Container): boolean {
  return resources.limits['ephemeral-storage'] !== undefined
}

/** The most that its containers with a limit may have at any one time. @see Kubernetes `PodLimits` */
function limitOf(spec: PodSpec): PodUsage['total'] {
  if (![...spec.initContainers, ...spec.containers].some(isLimited)) return undefined
  const nanos = podPeak(spec, ({ resources }) => parseQuantity(resources.limits['ephemeral-storage'] ?? 0).nanos)
  const text = formatQuantity({ nanos, format: 'BinarySI' })
  return { bytes: bytes(text), text }
}
