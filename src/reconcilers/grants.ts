/** Which pod gets which units of its node, and why one has to wait for them. */
import type { PodSpec } from '../model/types/pod.ts'
import type { PodRecord, WorkloadMemory } from './memory.ts'
import type { PodNow } from './podstate.ts'
import { unitKey, unitKeys, unitsNeeded } from './units.ts'
import type { WorkloadInput } from './workloadinput.ts'

/** Why a pod does not get what it needs, in the words of the Kubernetes scheduler; `''` when it has it, or can. */
export function shortage(input: WorkloadInput, memory: WorkloadMemory, record: PodRecord, spec: PodSpec): string {
  const needed = unitsNeeded(spec)
  if (needed.size === 0 || record.units !== undefined) return ''
  const held = heldUnits(input, memory, record.node)
  const short = [...needed].filter(([name, count]) => freeUnits(input, held, name).length < count).map(([name]) => name)
  if (short.length === 0) return ''
  const unknown = short.filter((name) => input.cluster.nodeResources[name] === undefined)
  const words = short.map((name) => `Insufficient ${name}`).join(', 1 ')
  return unknown.length === 0 ? words : `${words} (the node has been given no ${unknown.join(' and no ')}: --node-resource)`
}

/** The memory in which every pod that may begin has the units that it needs; who was made first is served first. */
export function giveUnits(memory: WorkloadMemory, pods: readonly PodNow[], input: WorkloadInput): WorkloadMemory {
  const asking = pods.filter(({ context }) => mayHave(context) && unitsNeeded(context.set.template.spec).size > 0)
  if (asking.length === 0) return memory
  const given = new Map<string, PodRecord>()
  for (const { context } of asking.toSorted((a, b) => byAge(a.context.record, b.context.record))) {
    const { record, set } = context
    const held = heldUnits(input, { ...memory, pods: memory.pods.map((one) => given.get(one.uid) ?? one) }, record.node)
    const units = [...unitsNeeded(set.template.spec)].map(
      ([name, count]) => [name, freeUnits(input, held, name).slice(0, count), count] as const,
    )
    if (units.some(([, free, count]) => free.length < count)) continue
    given.set(record.uid, { ...record, units: Object.fromEntries(units.map(([name, free]) => [name, free])) })
  }
  return given.size === 0 ? memory : { ...memory, pods: memory.pods.map((one) => given.get(one.uid) ?? one) }
}

/** Also one that runs and has none, as it may be after its store was lost: its next container has them. */
function mayHave({ record, misfit }: PodNow['context']): boolean {
  return misfit === '' && record.units === undefined && record.deletion === undefined && record.outcome === undefined
}

function byAge(a: PodRecord, b: PodRecord): number {
  return a.createdAt - b.createdAt || (a.uid < b.uid ? -1 : 1)
}

/** What these pods hold of a node. */
export function heldBy(pods: readonly PodRecord[], node: string): string[] {
  return pods.flatMap((pod) => (pod.node === node && !hasEnded(pod) ? unitKeys(pod.units) : []))
}

/** A pod that is kept for its logs alone. One that is taken away counts as failed at once, while its containers still stop. */
function hasEnded({ outcome, deletion }: PodRecord): boolean {
  return outcome !== undefined && deletion === undefined
}

function heldUnits(input: WorkloadInput, { pods }: WorkloadMemory, node: string): ReadonlySet<string> {
  return new Set([...input.unitsHeld(node), ...heldBy(pods, node)])
}

function freeUnits({ cluster }: WorkloadInput, held: ReadonlySet<string>, name: string): string[] {
  return (cluster.nodeResources[name] ?? []).filter((unit) => !held.has(unitKey(name, unit)))
}
