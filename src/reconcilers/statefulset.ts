/** StatefulSet: pods with names that stay, made and replaced by number. */
import { type PodTemplate, type StatefulSet, type StatefulSetSpec, splitKey } from '../model/types.ts'
import { type Controller, type ControllerPass, labelled } from './controller.ts'
import type { PodRecord, WorkloadMemory } from './memory.ts'
import { countStaying, makePods, removeAll, removePods, type Wish } from './moves.ts'
import { type OrdinalPod, type OrdinalRules, ordinalsComplete, planOrdinals } from './ordinals.ts'
import { recordClaims } from './retention.ts'
import { rolloutBounds } from './rollout.ts'
import { ownClaim } from './rolloutspec.ts'
import { sightOf } from './sight.ts'
import type { Wanted } from './wanted.ts'

export const statefulSet: Controller = {
  setNoun: 'Revision',
  steer(pass) {
    const { wanted, pods, input } = pass
    if (wanted === null) return recordClaims(removeAll(pass), input)
    const { name } = splitKey(input.key)
    const rules = rulesOf({ ...pass, wanted })
    const seen = pods.map((pod) => numbered(pod, wanted, input.now))
    const { create, remove } = planOrdinals(rules, seen)
    const rolled = seen.every(({ set }) => set === rules.next) && ordinalsComplete(rules, seen)
    const left = removePods(pass, remove, `scaled down to ${rules.replicas}`)
    const wishes = create.map(({ ordinal, set }): Wish => ({ set, name: () => `${name}-${ordinal}` }))
    const made = makePods(withCurrent(left, rolled ? rules.next : rules.current), pass, wishes)
    return recordClaims(countStaying(made), input)
  },
  isComplete(pass) {
    return ordinalsComplete(
      rulesOf(pass),
      pass.pods.map((pod) => numbered(pod, pass.wanted, pass.input.now)),
    )
  },
  podTemplate,
}

/**
 * Its host is named after it, and so are its claims.
 * @see Kubernetes pkg/controller/statefulset/stateful_set_utils.go, `initIdentity` and `updateStorage`
 */
function podTemplate(template: PodTemplate, { name, hash }: Pick<PodRecord, 'name' | 'hash'>): PodTemplate {
  const own = labelled(template, {
    'controller-revision-hash': hash,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinalOf(name)),
  })
  return { ...own, spec: { ...own.spec, hostname: name, volumes: own.spec.volumes.map((volume) => ownClaim(volume, name)) } }
}

/** The number at the end of a pod's name. */
function ordinalOf(name: string): number {
  return Number.parseInt(name.slice(name.lastIndexOf('-') + 1), 10)
}

function numbered(pod: ControllerPass['pods'][number], { spec }: Wanted, now: number): OrdinalPod {
  return { ordinal: ordinalOf(pod.context.record.name), ...sightOf(pod, spec.minReadySeconds, now) }
}

function rulesOf({ input, memory, wanted }: ControllerPass & { readonly wanted: Wanted }): OrdinalRules {
  const { ordinals, podManagementPolicy, updateStrategy, replicas } = statefulSpec(input.target)
  return {
    start: ordinals.start,
    replicas,
    ordered: podManagementPolicy === 'OrderedReady',
    current: currentSet(memory, wanted),
    next: wanted.set,
    rolling:
      updateStrategy.type === 'OnDelete'
        ? null
        : { partition: updateStrategy.rollingUpdate.partition, maxUnavailable: rolloutBounds(wanted.spec).unavailable },
  }
}

function statefulSpec(target: ControllerPass['input']['target']): StatefulSetSpec {
  return (target as StatefulSet).spec
}

/** When the store was lost, the oldest set that still has pods was the one before the rollout. */
function currentSet({ current, sets, pods }: WorkloadMemory, wanted: Wanted): string {
  if (sets.some(({ name }) => name === current)) return current as string
  const used = new Set(pods.map(({ set }) => set))
  const [oldest] = sets.filter(({ name }) => used.has(name)).sort((a, b) => a.revision - b.revision)
  return oldest?.name ?? wanted.set
}

function withCurrent(memory: WorkloadMemory, current: string): WorkloadMemory {
  return memory.current === current ? memory : { ...memory, current }
}
