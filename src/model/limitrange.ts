/**
 * LimitRanges: what containers get that say nothing about their resources, and what none may ask for.
 * @see Kubernetes plugin/pkg/admission/limitranger/admission.go
 */
import { podPeak } from './podresources.ts'
import { formatQuantity, parseQuantity, type Quantity } from './quantity.ts'
import { field, mapAt, mapsAt, type Raw, textAt } from './raw.ts'
import type { FieldPath } from './types/meta.ts'
import type { Container, PodSpec } from './types/pod.ts'

type Amounts = Readonly<Record<string, string>>

/** One entry of `spec.limits`, with what it leaves out filled in as the API server does. */
export interface LimitItem {
  readonly type: string
  readonly min: Amounts
  readonly max: Amounts
  readonly defaultLimits: Amounts
  readonly defaultRequests: Amounts
  readonly maxRatio: Amounts
}

export function limitItems(body: Raw): LimitItem[] {
  return mapsAt(mapAt(body, 'spec'), 'limits').map((item) => {
    const [min, max] = [amounts(item, 'min'), amounts(item, 'max')]
    const defaultLimits = { ...max, ...amounts(item, 'default') }
    return {
      type: textAt(item, 'type') ?? '',
      min,
      max,
      defaultLimits,
      defaultRequests: { ...min, ...defaultLimits, ...amounts(item, 'defaultRequest') },
      maxRatio: amounts(item, 'maxLimitRequestRatio'),
    }
  })
}

function amounts(item: Raw, key: string): Amounts {
  const map = mapAt(item, key)
  return Object.fromEntries(Object.keys(map).map((name) => [name, String(field(map, name))]))
}

/** The same pod spec where nothing is to be filled in. */
export function withDefaults(spec: PodSpec, items: readonly LimitItem[]): PodSpec {
  const own = items.filter(({ type }) => type === 'Container')
  if (own.length === 0) return spec
  const filled = (container: Container): Container => own.reduce(fill, container)
  const [initContainers, containers] = [spec.initContainers.map(filled), spec.containers.map(filled)]
  const same = [...initContainers, ...containers].every(
    (one, index) => one === [...spec.initContainers, ...spec.containers][index],
  )
  return same ? spec : { ...spec, initContainers, containers }
}

/** A limit alone is a request of as much, before any default counts. */
function fill(container: Container, { defaultLimits, defaultRequests }: LimitItem): Container {
  const { limits, requests } = container.resources
  const next = {
    limits: { ...defaultLimits, ...limits },
    requests: { ...defaultRequests, ...limits, ...requests },
  }
  const grown =
    Object.keys(next.limits).length > Object.keys(limits).length ||
    Object.keys(next.requests).length > Object.keys(requests).length
  return grown ? { ...container, resources: next } : container
}

export interface BrokenBound {
  /** of the container, from the pod spec; empty for the pod as a whole */
  readonly container: FieldPath
  readonly message: string
}

export function boundsBroken(spec: PodSpec, items: readonly LimitItem[]): BrokenBound[] {
  return items.flatMap((item) => {
    if (item.type === 'Pod') return brokenIn(item, 'this Pod', podTotal(spec)).map((message) => ({ container: [], message }))
    if (item.type !== 'Container') return []
    return (['initContainers', 'containers'] as const).flatMap((list) =>
      spec[list].flatMap((container, index) =>
        brokenIn(item, `container ${container.name}`, asked(container)).map((message) => ({
          container: [list, index, 'resources'],
          message,
        })),
      ),
    )
  })
}

interface Asked {
  readonly limits: ReadonlyMap<string, Quantity>
  readonly requests: ReadonlyMap<string, Quantity>
}

function asked({ resources: { limits, requests } }: Container): Asked {
  return { limits: quantities(limits), requests: quantities({ ...limits, ...requests }) }
}

function quantities(of: Amounts): ReadonlyMap<string, Quantity> {
  return new Map(Object.entries(of).map(([name, value]) => [name, parseQuantity(value)]))
}

/** A sum of limits counts only where all have one. */
function podTotal(spec: PodSpec): Asked {
  const total = (of: (one: Asked) => ReadonlyMap<string, Quantity>, needAll: boolean): ReadonlyMap<string, Quantity> => {
    const all = spec.containers.map((one) => of(asked(one)))
    const names = new Set(all.flatMap((one) => [...one.keys()]))
    const counted = [...names].filter((name) => !needAll || all.every((one) => one.has(name)))
    return new Map(
      counted.map((name) => {
        const nanos = podPeak(spec, (one) => of(asked(one)).get(name)?.nanos ?? 0n)
        return [name, { nanos, format: name === 'memory' ? 'BinarySI' : 'DecimalSI' }]
      }),
    )
  }
  return { limits: total(({ limits }) => limits, true), requests: total(({ requests }) => requests, false) }
}

function brokenIn({ min, max, maxRatio }: LimitItem, who: string, { limits, requests }: Asked): string[] {
  const least = Object.entries(min).flatMap(([name, bound]) => {
    const request = requests.get(name)
    if (request === undefined) return [`${who} must request at least ${bound} of ${name}, and requests none`]
    return request.nanos < parseQuantity(bound).nanos
      ? [`${who} requests ${formatQuantity(request)} of ${name}, and must request at least ${bound}`]
      : []
  })
  const most = Object.entries(max).flatMap(([name, bound]) => {
    const limit = limits.get(name)
    if (limit === undefined) return [`${who} must limit ${name} to at most ${bound}, and has no limit`]
    return limit.nanos > parseQuantity(bound).nanos
      ? [`${who} limits ${name} to ${formatQuantity(limit)}, and at most ${bound} is allowed`]
      : []
  })
  const ratios = Object.entries(maxRatio).flatMap(([name, bound]) => {
    const [limit, request] = [limits.get(name)?.nanos ?? 0n, requests.get(name)?.nanos ?? 0n]
    if (request === 0n || limit === 0n)
      return [`${who} must have a request and a limit of ${name}, for its ratio is bounded by ${bound}`]
    // In billionths on both sides.
    return limit * 1_000_000_000n > request * parseQuantity(bound).nanos
      ? [`the limit of ${name} of ${who} is more than ${bound} times its request`]
      : []
  })
  return [...least, ...most, ...ratios]
}
