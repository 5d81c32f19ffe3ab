/** What a pod asks of its node as a whole. @see Kubernetes pkg/api/v1/resource PodRequests, qos ComputePodQOS */
import { bytes } from '../model/quantity.ts'
import type { Container, PodSpec } from '../model/types.ts'
import { inOrder } from './podorder.ts'

export type Qos = 'Guaranteed' | 'Burstable' | 'BestEffort'

export function qosOf(spec: PodSpec): Qos {
  const all = [...spec.initContainers, ...spec.containers]
  const guaranteed = all.every(({ resources: { limits, requests } }) =>
    ['cpu', 'memory'].every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
  )
  if (guaranteed) return 'Guaranteed'
  const asked = all.some(({ resources }) => Object.keys(resources.limits).length + Object.keys(resources.requests).length > 0)
  return asked ? 'Burstable' : 'BestEffort'
}

/** The most memory that its containers ask for at any one time: bytes. */
export function memoryRequest(spec: PodSpec): number {
  return peak(spec, ({ resources: { requests, limits } }) => bytes(requests.memory ?? limits.memory ?? '0'))
}

/**
 * Sidecars add up from where they start; an init container runs beside those before it, and the main containers beside
 * all of them.
 */
function peak(spec: PodSpec, of: (container: Container) => number): number {
  let [beside, most] = [0, 0]
  for (const { role, container } of inOrder(spec)) {
    if (role !== 'init') beside += of(container)
    most = Math.max(most, role === 'init' ? beside + of(container) : beside)
  }
  return most
}
