/**
 * Which pods get their place on a node, and why the others have to wait. A pod has its place from before anything of it is
 * made until nothing of it is left, and with it all that it asks of the node: room, units, claims, neighbours.
 */
import { exceeds, quotaUsage } from '../model/quota.ts'
import { splitKey } from '../model/types/meta.ts'
import type { PodSpec } from '../model/types/pod.ts'
import type { Claim } from './claims.ts'
import { heldBy, shortage, unitsFor } from './grants.ts'
import { holdsPlace, type PodRecord, type SetRecord, type WorkloadMemory } from './memory.ts'
import { claimVolumeName } from './names.ts'
import type { NodeView } from './observed.ts'
import { claimTaken } from './onepod.ts'
import type { PodNow } from './podstate.ts'
import { least, NOTHING, plus, type Requests, requestsOf } from './requests.ts'
import { claimVanishing } from './retention.ts'
import { allocatable, noRoom, requestsIn } from './room.ts'
import { misfit, type Neighbour, neighboursOf, traitsOf } from './scheduling.ts'
import { unitKeys, unitsNeeded } from './units.ts'
import type { PodVolume } from './volumes.ts'
import type { WorkloadInput } from './workloadinput.ts'

/** A pod that is still to be given its place. */
export interface Applicant {
  readonly record: PodRecord
  readonly set: SetRecord
  readonly node: NodeView
  readonly volumes: readonly PodVolume[]
}

/** What is taken, of the pods of this workload as this pass knows them and of all others as they are remembered. */
export interface Taken {
  memory(): WorkloadMemory
  requests(node: string): Requests
  units(node: string): ReadonlySet<string>
}

export function takenIn(input: WorkloadInput, memory: WorkloadMemory): Taken {
  return {
    memory: () => memory,
    requests: (node) => plus(input.requested(node), requestsIn(memory).get(node) ?? NOTHING),
    units: (node) => new Set([...input.unitsHeld(node), ...heldBy(memory.pods, node)]),
  }
}

/** Why a pod has to wait: no node, or too much for its namespace; `''` when it may begin. */
export function placementOf(input: WorkloadInput, { record, set, node, volumes }: Applicant, taken: Taken): string {
  const { namespace } = splitKey(input.key)
  const { spec, metadata } = set.template
  const { cluster, nodes, quotas } = input
  const claim = (name: string): Claim | undefined => input.claim(namespace, name)
  const claimed = (name: string): string => claimVolumeName(cluster, namespace, name)
  // Of its own workload this pass knows more than what is remembered.
  const others = (): readonly Neighbour[] =>
    neighboursOf([...[...input.workloads()].filter(([key]) => key !== input.key), [input.key, taken.memory()]], record.uid)
  const why =
    misfit(spec, { namespace, labels: metadata.labels }, traitsOf(cluster, node), others, nodes.length === 1) ||
    claimVanishing(volumes, namespace, input.inFlight) ||
    claimTaken({ ...record, namespace, spec }, claim, claimed, node, others) ||
    [noRoom(spec, taken.requests(node.name), allocatable(cluster, node)), shortage(spec, cluster, () => taken.units(node.name))]
      .filter((one) => one !== '')
      .join(', 1 ')
  if (why !== '') return `0/${nodes.length} nodes are available: 1 ${why}.`
  if (quotas.length === 0) return ''
  const specs = others().flatMap((other) => (other.namespace === namespace ? [other.spec] : []))
  return exceeds(
    spec,
    quotas.map((quota) => quotaUsage(quota, specs)),
  )
}

/** The memory in which every pod that may begin has its place; who was made first is served first. */
export function placePods(memory: WorkloadMemory, pods: readonly PodNow[], input: WorkloadInput): WorkloadMemory {
  const asking = pods.filter(({ context }) => context.misfit === '' && asks(context.record, context.set.template.spec))
  if (asking.length === 0) return memory
  const giving = givingIn(input, memory)
  for (const { context } of asking.toSorted((a, b) => byAge(a.context.record, b.context.record))) {
    const { record, set, node, compiled } = context
    const { spec } = set.template
    const units = (): ReadonlySet<string> => giving.units(node.name)
    const fits = record.placed
      ? shortage(spec, input.cluster, units) === ''
      : placementOf(input, { record, set, node, volumes: compiled.volumes }, giving) === ''
    if (!fits) continue
    const own = unitsFor(spec, input.cluster, units)
    giving.give({ ...record, placed: true, ...(own && { units: own }) }, record.placed ? NOTHING : requestsOf(spec))
  }
  return giving.memory()
}

/** The least that one of the pods requests that wait for their places; `undefined` when none does. */
export function leastAsked({ sets, pods }: WorkloadMemory): Requests | undefined {
  const waiting = new Set(pods.flatMap(({ placed, set }) => (placed ? [] : [set])))
  const asked = sets.flatMap(({ name, template }) => (waiting.has(name) ? [requestsOf(template.spec)] : []))
  return asked.length === 0 ? undefined : asked.reduce(least)
}

/** Whether some pod had its place before, and has it no more. */
export function givesUpPlaces(before: WorkloadMemory | undefined, after: WorkloadMemory | undefined): boolean {
  if (before === undefined || before === after) return false
  const holding = new Set(after?.pods.filter(holdsPlace).map(({ uid }) => uid))
  return before.pods.some((record) => holdsPlace(record) && !holding.has(record.uid))
}

/** Also one that runs without its units, as it may after its store was lost: its next container has them. */
function asks({ placed, units, deletion, ended }: PodRecord, spec: PodSpec): boolean {
  if (deletion !== undefined || ended === true) return false
  return !placed || (units === undefined && unitsNeeded(spec).size > 0)
}

function byAge(a: PodRecord, b: PodRecord): number {
  return a.createdAt - b.createdAt || (a.uid < b.uid ? -1 : 1)
}

/** What is taken while pods are given their places one after the other. */
function givingIn(input: WorkloadInput, memory: WorkloadMemory): Taken & { give(record: PodRecord, asked: Requests): void } {
  const before = takenIn(input, memory)
  const given = new Map<string, PodRecord>()
  const requests = new Map<string, Requests>()
  const units = new Map<string, Set<string>>()
  const requestsOn = (node: string): Requests => requests.get(node) ?? before.requests(node)
  function unitsOn(node: string): Set<string> {
    const held = units.get(node) ?? new Set(before.units(node))
    units.set(node, held)
    return held
  }
  return {
    memory: () => (given.size === 0 ? memory : { ...memory, pods: memory.pods.map((record) => given.get(record.uid) ?? record) }),
    requests: requestsOn,
    units: unitsOn,
    give(record, asked) {
      const { uid, node } = record
      requests.set(node, plus(requestsOn(node), asked))
      if (record.units !== undefined) for (const unit of unitKeys(record.units)) unitsOn(node).add(unit)
      given.set(uid, record)
    },
  }
}
