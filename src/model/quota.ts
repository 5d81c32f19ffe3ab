/**
 * ResourceQuotas: how many pods, and how much processor and memory, the pods of a namespace may ask for together.
 * @see Kubernetes pkg/quota/v1/evaluator/core/pods.go
 */
import { isExtendedResource } from './extended.ts'
import { podPeak } from './podresources.ts'
import { formatQuantity, parseQuantity, type Quantity } from './quantity.ts'
import { field, has, mapAt } from './raw.ts'
import type { OtherObject } from './types/object.ts'
import type { PodSpec } from './types/pod.ts'

/** What of `spec.hard` is counted. */
export const countedResources = [
  'pods',
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
] as const

/** Of extended resources a quota counts what is requested: `requests.nvidia.com/gpu`. */
const REQUESTS = 'requests.'

export function isCounted(resource: string): boolean {
  return countedResources.some((counted) => counted === resource) || isExtended(resource)
}

function isExtended(resource: string): boolean {
  return resource.startsWith(REQUESTS) && isExtendedResource(resource.slice(REQUESTS.length))
}

/** One that is for some pods alone would hold back the others, so it counts none. */
export function isScoped({ body }: OtherObject): boolean {
  const spec = mapAt(body, 'spec')
  return has(spec, 'scopes') || has(spec, 'scopeSelector')
}

export interface QuotaUsage {
  readonly namespace: string
  readonly name: string
  readonly resources: readonly { readonly resource: string; readonly hard: Quantity; readonly used: Quantity }[]
}

/** @param pods specs of the namespace's pods */
export function quotaUsage(quota: OtherObject, pods: readonly PodSpec[]): QuotaUsage {
  const hard = mapAt(quota.body, 'spec', 'hard')
  return {
    namespace: quota.metadata.namespace,
    name: quota.metadata.name,
    resources: [...countedResources, ...Object.keys(hard).filter(isExtended).sort()]
      .filter((resource) => field(hard, resource) !== undefined)
      .map((resource) => ({ resource, hard: parseQuantity(String(field(hard, resource))), used: total(resource, pods) })),
  }
}

/** Why `spec` is too much for a quota of its namespace, in the words of the API server; `''` when it is not. */
export function exceeds(spec: PodSpec, usages: readonly QuotaUsage[]): string {
  for (const { name, resources } of usages) {
    const unsaid = resources.filter(({ resource }) => !says(resource, spec)).map(({ resource }) => resource)
    if (unsaid.length > 0) return `failed quota: ${name}: must specify ${unsaid.join(',')}`
    const over = resources
      .map(({ resource, hard, used }) => ({ resource, hard, used, asked: total(resource, [spec]) }))
      .filter(({ hard, used, asked }) => used.nanos + asked.nanos > hard.nanos)
    if (over.length === 0) continue
    const list = (of: (one: (typeof over)[number]) => Quantity): string =>
      over.map((one) => `${one.resource}=${formatQuantity(of(one))}`).join(',')
    return `exceeded quota: ${name}, requested: ${list(({ asked }) => asked)}, used: ${list(({ used }) => used)}, limited: ${list(({ hard }) => hard)}`
  }
  return ''
}

/** Every container must say what a quota counts, but that it has none of an extended resource. */
function says(resource: string, spec: PodSpec): boolean {
  if (resource === 'pods' || isExtended(resource)) return true
  return spec.containers.every((container) => amount(resource, container.resources) !== undefined)
}

function total(resource: string, pods: readonly PodSpec[]): Quantity {
  if (resource === 'pods') return { nanos: BigInt(pods.length) * 1_000_000_000n, format: 'DecimalSI' }
  const nanos = pods.reduce((sum, pod) => sum + podAmount(resource, pod), 0n)
  return { nanos, format: resource.endsWith('memory') ? 'BinarySI' : 'DecimalSI' }
}

function podAmount(resource: string, spec: PodSpec): bigint {
  return podPeak(spec, (container) => amount(resource, container.resources) ?? 0n)
}

/** A bare `cpu` or `memory` is the request; a limit alone is a request of as much. */
function amount(resource: string, { limits, requests }: PodSpec['containers'][number]['resources']): bigint | undefined {
  const name = resource.replace(/^(requests|limits)\./, '')
  const text = resource.startsWith('limits.') ? limits[name] : (requests[name] ?? limits[name])
  return text === undefined ? undefined : parseQuantity(text).nanos
}
