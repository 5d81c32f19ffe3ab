/** Which units of its node a pod is given, and why it has to wait for them. */
import type { PodSpec } from '../model/types/pod.ts'
import type { Cluster } from './cluster.ts'
import { holdsPlace, type PodRecord } from './memory.ts'
import { type Units, unitKey, unitKeys, unitsNeeded } from './units.ts'

/**
 * Why a node has too few units for one more pod, in the words of the Kubernetes scheduler; `''` when it has enough.
 *
 * @param held what is held of its units; asked for only where some are needed
 */
export function shortage(spec: PodSpec, { nodeResources }: Cluster, held: () => ReadonlySet<string>): string {
  const needed = unitsNeeded(spec)
  if (needed.size === 0) return ''
  const free = freeUnits(nodeResources, held())
  const short = [...needed].filter(([name, count]) => free(name).length < count).map(([name]) => name)
  if (short.length === 0) return ''
  const unknown = short.filter((name) => nodeResources[name] === undefined)
  const words = short.map((name) => `Insufficient ${name}`).join(', 1 ')
  return unknown.length === 0 ? words : `${words} (the node has been given no ${unknown.join(' and no ')}: --node-resource)`
}

/** Units for one pod, the first that are free; `undefined` when it needs none. */
export function unitsFor(spec: PodSpec, { nodeResources }: Cluster, held: () => ReadonlySet<string>): Units | undefined {
  const needed = unitsNeeded(spec)
  if (needed.size === 0) return undefined
  const free = freeUnits(nodeResources, held())
  return Object.fromEntries([...needed].map(([name, count]) => [name, free(name).slice(0, count)]))
}

/** What these pods hold of a node. */
export function heldBy(pods: readonly PodRecord[], node: string): string[] {
  return pods.flatMap((pod) => (pod.node === node && holdsPlace(pod) ? unitKeys(pod.units) : []))
}

function freeUnits(units: Units, held: ReadonlySet<string>): (name: string) => string[] {
  return (name) => (units[name] ?? []).filter((unit) => !held.has(unitKey(name, unit)))
}
