/** Replica sets and their pods: counting them, and creating or deleting pod records until they match. */
import { NO_SETBACKS, type PodRecord, type Setbacks, type SetRecord, type WorkloadMemory } from './memory.ts'
import { isAvailable, type PodNow, restartDelay } from './podstate.ts'
import { rankForDeletion } from './ranking.ts'
import type { SetCount, SetTargets } from './rollout.ts'

export function countSets(memory: WorkloadMemory, pods: readonly PodNow[], minReadySeconds: number, now: number): SetCount[] {
  return memory.sets.map((set) => {
    const own = pods.filter(({ context }) => context.record.set === set.name)
    const active = own.filter(isActive)
    return {
      name: set.name,
      replicas: set.replicas,
      pods: active.length,
      ready: active.filter(({ ready }) => ready).length,
      available: active.filter((pod) => isAvailable(pod, minReadySeconds, now)).length,
      terminating: own.filter(({ context }) => context.record.deletion !== undefined).length,
      createdAt: set.createdAt,
      revision: set.revision,
    }
  })
}

/** Not on its way out, and not at its end. */
export function isActive({ context, phase }: PodNow): boolean {
  return context.record.deletion === undefined && phase !== 'Succeeded' && phase !== 'Failed'
}

export function applyTargets(memory: WorkloadMemory, targets: SetTargets): WorkloadMemory {
  const sets = memory.sets.map((set) => {
    const replicas = targets.get(set.name) ?? set.replicas
    return replicas === set.replicas ? set : { ...set, replicas }
  })
  return sets.every((set, index) => set === memory.sets[index]) ? memory : { ...memory, sets }
}

export interface ScaleContext {
  readonly now: number
  /** chooses name, node and address of a new pod; `undefined` when it cannot be placed */
  readonly place: (set: SetRecord, taken: readonly PodRecord[]) => PodRecord | undefined
  /** for a bare Pod: a pod at its end stays as it is and is not replaced */
  readonly keepsFinished: boolean
  readonly cause: (set: SetRecord, pods: readonly PodNow[]) => string
  readonly minReadySeconds: number
  /** the workload left Git */
  readonly leaving: boolean
}

/** Makes each set have as many active pods as it was told to, in the memory only; steps follow from that. */
export function scalePods(memory: WorkloadMemory, pods: readonly PodNow[], context: ScaleContext): WorkloadMemory {
  return memory.sets.reduce(
    (current, set) =>
      scaleSet(
        current,
        set,
        pods.filter(({ context: { record } }) => record.set === set.name),
        pods,
        context,
      ),
    memory,
  )
}

function scaleSet(
  memory: WorkloadMemory,
  set: SetRecord,
  own: readonly PodNow[],
  all: readonly PodNow[],
  context: ScaleContext,
): WorkloadMemory {
  const counted = own.filter(
    (pod) => isActive(pod) || (context.keepsFinished && pod.context.record.deletion === undefined && pod.sandbox !== 'lost'),
  )
  const difference = counted.length - set.replicas
  if (difference > 0)
    return deletePods(
      memory,
      rankPods(counted, all, context).slice(0, difference),
      context.leaving ? 'left Git' : deletionCause(set, memory),
      context.now,
    )
  if (difference < 0) return createPods(memory, set, -difference, own, context)
  return memory
}

function deletionCause(set: SetRecord, memory: WorkloadMemory): string {
  const newest = memory.sets.reduce((a, b) => (a.revision > b.revision ? a : b))
  return set.name === newest.name ? `scaled down to ${set.replicas}` : `replaced by revision ${newest.revision}`
}

/** The pods that should go first come first. */
export function rankPods(
  pods: readonly PodNow[],
  all: readonly PodNow[],
  { minReadySeconds, now }: Pick<ScaleContext, 'minReadySeconds' | 'now'>,
): PodNow[] {
  const onNode = Map.groupBy(all.filter(isActive), ({ context }) => context.record.node)
  return rankForDeletion(
    pods.map((pod) => ({
      pod,
      siblings: onNode.get(pod.context.record.node)?.length ?? 0,
      available: isAvailable(pod, minReadySeconds, now),
    })),
    now,
  )
}

/** Marks pods as leaving, in the memory only. */
export function deletePods(memory: WorkloadMemory, pods: readonly PodNow[], cause: string, now: number): WorkloadMemory {
  if (pods.length === 0) return memory
  const leaving = new Map(
    pods.map(({ context }) => [context.record.uid, context.set.template.spec.terminationGracePeriodSeconds]),
  )
  return {
    ...memory,
    pods: memory.pods.map((record) => {
      const graceSeconds = leaving.get(record.uid)
      return graceSeconds === undefined ? record : { ...record, deletion: { since: now, graceSeconds, cause } }
    }),
  }
}

/** When a pod may be made again after some were lost as soon as they were made: like restarts, at once first. */
export function resumeAt({ count, at }: Setbacks): number {
  return at + (count <= 1 ? 0 : restartDelay(count - 1))
}

/**
 * How many of the wanted pods are made now: 1, 2, 4, … at a time, each batch once the one before has its sandboxes, so
 * that a template that cannot start fails once and not a hundred times.
 */
export function slowStart(wanted: number, own: readonly PodNow[]): number {
  const bound = own.filter(({ context: { record } }) => record.bound).length
  const pending = own.filter((pod) => !pod.context.record.bound && isActive(pod)).length
  return Math.min(wanted, Math.max(0, bound + 1 - pending))
}

function createPods(
  memory: WorkloadMemory,
  set: SetRecord,
  wanted: number,
  own: readonly PodNow[],
  context: ScaleContext,
): WorkloadMemory {
  if (context.now < resumeAt(memory.setbacks ?? NO_SETBACKS)) return memory
  const batch = slowStart(wanted, own)
  const cause = context.cause(set, own)
  let { pods } = memory
  for (let index = 0; index < batch; index++) {
    const record = context.place(set, pods)
    if (record === undefined) break
    pods = [...pods, { ...record, cause }]
  }
  return pods === memory.pods ? memory : { ...memory, pods }
}
