/** DaemonSet: one pod on every node that takes it. */
import { splitKey } from '../model/types/meta.ts'
import type { DaemonSet } from '../model/types/workload.ts'
import { type Controller, type ControllerPass, labelled } from './controller.ts'
import { type DaemonPod, type DaemonRules, daemonsComplete, planDaemons } from './daemons.ts'
import { countStaying, makePods, removeAll, removePods, type Wish } from './moves.ts'
import { rolloutBounds } from './rollout.ts'
import { runsOn, traitsOf } from './scheduling.ts'
import { sightOf } from './sight.ts'
import type { Wanted } from './wanted.ts'

export const daemonSet: Controller = {
  setNoun: 'Revision',
  steer(pass) {
    const { wanted, input } = pass
    if (wanted === null) return removeAll(pass)
    const { name } = splitKey(input.key)
    const { create, remove } = planDaemons(rulesOf({ ...pass, wanted }), seenPods({ ...pass, wanted }))
    const wishes = create.map((node): Wish => ({ set: wanted.set, name: (suffix) => `${name}-${suffix}`, on: node }))
    return countStaying(makePods(removePods(pass, remove, 'its node needs no other'), pass, wishes))
  },
  isComplete: (pass) => daemonsComplete(rulesOf(pass), seenPods(pass)),
  podTemplate: (template, { hash }) => labelled(template, { 'controller-revision-hash': hash }),
}

function rulesOf({ input, wanted }: ControllerPass & { readonly wanted: Wanted }): DaemonRules {
  const { spec, set } = wanted
  const { updateStrategy } = (input.target as DaemonSet).spec
  return {
    nodes: input.nodes
      .map((node) => traitsOf(input.cluster, node))
      .filter((node) => runsOn(spec.template.spec, node))
      .map(({ name }) => name),
    next: set,
    rolling: updateStrategy.type === 'OnDelete' ? null : rolloutBounds(spec),
  }
}

function seenPods({ pods, wanted, input }: ControllerPass & { readonly wanted: Wanted }): DaemonPod[] {
  return pods.map((pod) => {
    const { node, createdAt } = pod.context.record
    return { node, createdAt, ...sightOf(pod, wanted.spec.minReadySeconds, input.now) }
  })
}
