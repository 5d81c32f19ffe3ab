/** Deployment, ReplicaSet, ReplicationController and bare Pod: replicas that are all alike, rolled from one set to the next. */
import { splitKey } from '../model/types/meta.ts'
import { type Controller, type ControllerPass, labelled, type SteeringPass } from './controller.ts'
import { applyTargets, countSets, type ScaleContext, scalePods } from './replicas.ts'
import { isComplete, planRollout, type SetTargets } from './rollout.ts'
import { newestSet } from './wanted.ts'

export const replicated: Controller = {
  setNoun: 'Replica set',
  steer(pass) {
    const { memory, wanted, pods } = pass
    const scaled = scalePods(applyTargets(memory, rolloutTargets(pass)), pods, scaleContext(pass))
    const replicas = wanted?.spec.replicas ?? 0
    return scaled.scaledTo === replicas ? scaled : { ...scaled, scaledTo: replicas }
  },
  isComplete({ input, memory, wanted, pods }) {
    const counts = countSets(memory, pods, wanted.spec.minReadySeconds, input.now)
    const next = counts.find(({ name }) => name === wanted.set)
    if (next === undefined) return false
    const old = counts.filter((set) => set !== next)
    return isComplete(wanted.spec, next, old)
  },
  podTemplate: (template, { hash }) => labelled(template, { 'pod-template-hash': hash }),
}

function rolloutTargets({ input, memory, wanted, pods }: ControllerPass): SetTargets {
  if (wanted === null) return new Map()
  const counts = countSets(memory, pods, wanted.spec.minReadySeconds, input.now)
  // A template that came while the Deployment is paused has no set yet: the newest one stands in for it.
  const next = counts.find(({ name }) => name === wanted.set) ?? counts.find(({ name }) => name === newestSet(memory)?.name)
  if (next === undefined) return new Map()
  const old = counts.filter((set) => set !== next)
  return planRollout(wanted.spec, next, old, memory.scaledTo !== wanted.spec.replicas)
}

function scaleContext({ input, wanted, newPods }: SteeringPass): ScaleContext {
  const { kind, name } = splitKey(input.key)
  return {
    now: input.now,
    keepsFinished: kind === 'Pod',
    minReadySeconds: wanted?.spec.minReadySeconds ?? 0,
    leaving: wanted === null,
    cause: (set, own) =>
      own.some(({ context }) => context.record.deletion !== undefined) || set.name !== wanted?.set
        ? 'missing replica'
        : `revision ${set.revision}`,
    place: (set, taken) =>
      newPods.place(set, taken, (suffix) => (kind === 'Pod' ? name : `${kind === 'Deployment' ? set.name : name}-${suffix}`)),
  }
}
