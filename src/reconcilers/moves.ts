/** The moves of planners that name each pod, done in the memory; steps follow from that. */
import type { SteeringPass } from './controller.ts'
import { NO_SETBACKS, type WorkloadMemory } from './memory.ts'
import type { PodNow } from './podstate.ts'
import { deletePods, resumeAt } from './replicas.ts'
import type { Removal } from './sight.ts'

/** Marks the pods that go. @param surplus why those go whose place is not wanted any more */
export function removePods(
  { memory, pods, wanted, input }: SteeringPass,
  removals: readonly Removal[],
  surplus: string,
): WorkloadMemory {
  const revision = memory.sets.find(({ name }) => name === wanted?.set)?.revision ?? 0
  const words = { over: 'its containers have ended', surplus, stale: `replaced by revision ${revision}` }
  return removals.reduce((current, { uid, reason }) => {
    const leaving = pods.filter(({ context }) => context.record.uid === uid)
    return deletePods(current, leaving, words[reason], input.now)
  }, memory)
}

/** A pod that is to be made. */
export interface Wish {
  /** of its set */
  readonly set: string
  readonly name: (suffix: string) => string
  /** name of its node, where it has to be a certain one */
  readonly on?: string
}

/** Adds records of the pods that can be made now; the others are asked for again in another pass. */
export function makePods(memory: WorkloadMemory, { input, newPods }: SteeringPass, wishes: readonly Wish[]): WorkloadMemory {
  if (wishes.length === 0 || input.now < resumeAt(memory.setbacks ?? NO_SETBACKS)) return memory
  let { pods } = memory
  for (const { set: name, name: podName, on } of wishes) {
    const set = memory.sets.find((one) => one.name === name)
    const record = set && newPods.place(set, pods, podName, on)
    if (record === undefined) continue
    const cause = memory.rollout?.result === 'complete' ? 'missing replica' : `revision ${set?.revision}`
    pods = [...pods, { ...record, cause }]
  }
  return pods === memory.pods ? memory : { ...memory, pods }
}

/** The memory with each set as large as the pods that stay on it: what is counted where no set has a number of its own. */
export function countStaying(memory: WorkloadMemory): WorkloadMemory {
  const counts = new Map<string, number>()
  for (const { set, deletion } of memory.pods) if (deletion === undefined) counts.set(set, (counts.get(set) ?? 0) + 1)
  const sets = memory.sets.map((set) => {
    const replicas = counts.get(set.name) ?? 0
    return replicas === set.replicas ? set : { ...set, replicas }
  })
  return sets.every((set, index) => set === memory.sets[index]) ? memory : { ...memory, sets }
}

/** All that are not leaving yet, once the workload has left Git: at once and in no order, as when Kubernetes deletes it. */
export function removeAll({ memory, pods, input }: SteeringPass): WorkloadMemory {
  const staying = pods.filter(({ context }: PodNow) => context.record.deletion === undefined)
  return staying.length === 0 ? memory : countStaying(deletePods(memory, staying, 'left Git', input.now))
}
