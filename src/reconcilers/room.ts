/**
 * How much processor time and memory pods ask of their node together, and how much of each a node has for them.
 * @see Kubernetes pkg/scheduler/framework/plugins/noderesources/fit.go
 */
import { formatQuantity } from '../model/quantity.ts'
import type { PodSpec } from '../model/types/pod.ts'
import type { Cluster } from './cluster.ts'
import { holdsPlace, type WorkloadMemory } from './memory.ts'
import type { NodeView } from './observed.ts'
import { minus, NOTHING, plus, type Requests, requestsOf } from './requests.ts'

const counted = new WeakMap<WorkloadMemory, ReadonlyMap<string, Requests>>()

/** What the pods that have their place ask for, by node; one that has ended asks for nothing. A memory is counted once. */
export function requestsIn(memory: WorkloadMemory): ReadonlyMap<string, Requests> {
  const known = counted.get(memory)
  if (known !== undefined) return known
  const bySet = new Map(memory.sets.map(({ name, template }) => [name, requestsOf(template.spec)]))
  const byNode = new Map<string, Requests>()
  for (const pod of memory.pods) {
    const own = bySet.get(pod.set)
    if (own === undefined || !holdsPlace(pod)) continue
    byNode.set(pod.node, plus(byNode.get(pod.node) ?? NOTHING, own))
  }
  counted.set(memory, byNode)
  return byNode
}

/** What pods may ask of a node together: what the operator says, or else all that it has; `undefined` while nobody knows. */
export function allocatable({ nodeAllocatable }: Cluster, { info }: Pick<NodeView, 'info'>): Requests | undefined {
  if (info === undefined) return undefined
  return { cpuMillis: info.cpus * 1000, memoryBytes: info.memoryBytes, ...nodeAllocatable }
}

/** `undefined` while nobody knows. */
export function roomLeft(cluster: Cluster, node: Pick<NodeView, 'info'>, taken: Requests): Requests | undefined {
  const has = allocatable(cluster, node)
  return has && minus(has, taken)
}

/**
 * Of those who wait, first come first served, the ones for whom there may be room now, so that not all are asked each time.
 *
 * @param free what is left of each node, `undefined` where nobody knows
 */
export function whoFits<Key>(waiting: ReadonlyMap<Key, Requests>, free: readonly (Requests | undefined)[]): Key[] {
  if (free.includes(undefined)) return [...waiting.keys()]
  const left = [...(free as readonly Requests[])]
  return [...waiting].flatMap(([key, asked]) => {
    const at = left.findIndex((one) => isEnough(one.cpuMillis, asked.cpuMillis) && isEnough(one.memoryBytes, asked.memoryBytes))
    if (at < 0) return []
    left[at] = minus(left[at] as Requests, asked)
    return [key]
  })
}

function isEnough(has: number, asked: number): boolean {
  return asked === 0 || asked <= has
}

/** Why a node has no room for one more pod, in the words of the Kubernetes scheduler; `''` when it has. */
export function noRoom(spec: PodSpec, taken: Requests, has: Requests | undefined): string {
  if (has === undefined) return ''
  const asked = requestsOf(spec)
  const amounts = [
    { name: 'cpu', asked: asked.cpuMillis, taken: taken.cpuMillis, has: has.cpuMillis, show: showMillis },
    { name: 'memory', asked: asked.memoryBytes, taken: taken.memoryBytes, has: has.memoryBytes, show: showBytes },
  ]
  return amounts
    .filter((one) => one.asked > 0 && one.taken + one.asked > one.has)
    .map(({ name, show, ...one }) => {
      const [wants, held, all] = [show(one.asked), show(one.taken), show(one.has)]
      return `Insufficient ${name} (it requests ${wants}, and of ${all} pods have requested ${held})`
    })
    .join(', 1 ')
}

function showMillis(millis: number): string {
  return formatQuantity({ nanos: BigInt(millis) * 1_000_000n, format: 'DecimalSI' })
}

function showBytes(bytes: number): string {
  return formatQuantity({ nanos: BigInt(bytes) * 1_000_000_000n, format: 'BinarySI' })
}
