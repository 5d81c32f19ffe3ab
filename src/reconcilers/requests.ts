/** What a pod asks of its node as a whole. @see Kubernetes pkg/api/v1/resource PodRequests, qos ComputePodQOS */
import { podPeak } from '../model/podresources.ts'
import { bytes, cpuMillis } from '../model/quantity.ts'
import type { Container, PodSpec } from '../model/types/pod.ts'

/** What else a container may ask for says nothing of its class. */
const COUNTED = ['cpu', 'memory']

export type Qos = 'Guaranteed' | 'Burstable' | 'BestEffort'

export function qosOf(spec: PodSpec): Qos {
  const all = [...spec.initContainers, ...spec.containers]
  const guaranteed = all.every(({ resources: { limits, requests } }) =>
    COUNTED.every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
  )
  if (guaranteed) return 'Guaranteed'
  const asked = all.some(({ resources: { limits, requests } }) => COUNTED.some((name) => limits[name] ?? requests[name]))
  return asked ? 'Burstable' : 'BestEffort'
}

/** Bytes. */
export function ownMemoryRequest({ resources: { requests, limits } }: Container): number {
  return bytes(requests.memory ?? limits.memory ?? '0')
}

/** The most memory that its containers ask for at any one time: bytes. */
export function memoryRequest(spec: PodSpec): number {
  return Number(podPeak(spec, (container) => BigInt(ownMemoryRequest(container))))
}

export interface Requests {
  /** thousandths of a processor */
  readonly cpuMillis: number
  readonly memoryBytes: number
}

export const NOTHING: Requests = { cpuMillis: 0, memoryBytes: 0 }

export function plus(a: Requests, b: Requests): Requests {
  return { cpuMillis: a.cpuMillis + b.cpuMillis, memoryBytes: a.memoryBytes + b.memoryBytes }
}

export function minus(a: Requests, b: Requests): Requests {
  return { cpuMillis: a.cpuMillis - b.cpuMillis, memoryBytes: a.memoryBytes - b.memoryBytes }
}

/** Of each the smaller one. */
export function least(a: Requests, b: Requests): Requests {
  return { cpuMillis: Math.min(a.cpuMillis, b.cpuMillis), memoryBytes: Math.min(a.memoryBytes, b.memoryBytes) }
}

/** The most that its containers ask for at any one time. */
export function requestsOf(spec: PodSpec): Requests {
  return { cpuMillis: cpuRequest(spec), memoryBytes: memoryRequest(spec) }
}

/** Thousandths of a processor. */
function cpuRequest(spec: PodSpec): number {
  return Number(podPeak(spec, ({ resources: { requests, limits } }) => BigInt(cpuMillis(requests.cpu ?? limits.cpu ?? '0'))))
}
