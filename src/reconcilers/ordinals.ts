/**
 * The next moves of a StatefulSet, whose pods are numbered: in order or all at once, from the highest number down to the
 * partition.
 * @see Kubernetes pkg/controller/statefulset/stateful_set_control.go, `updateStatefulSet`
 */
import type { PodSight, Removal } from './sight.ts'

export interface OrdinalPod extends PodSight {
  readonly ordinal: number
}

export interface OrdinalRules {
  readonly start: number
  readonly replicas: number
  /** OrderedReady: one at a time, each once all before it are available */
  readonly ordered: boolean
  /** the set that was last rolled out whole */
  readonly current: string
  /** the set that carries the wanted template */
  readonly next: string
  /** `null` for OnDelete */
  readonly rolling: {
    /** so many pods, from the lowest number on, are left as they are and come back on `current` */
    readonly partition: number
    readonly maxUnavailable: number
  } | null
}

export interface OrdinalMoves {
  readonly create: readonly { readonly ordinal: number; readonly set: string }[]
  readonly remove: readonly Removal[]
}

interface Slot {
  readonly ordinal: number
  /** the set that a new pod here would carry */
  readonly set: string
  readonly held: boolean
  readonly pod: OrdinalPod | undefined
}

/**
 * What to do now; nothing once all is as it should be. Never creates an ordinal that is still there, and in order never more
 * than one move that takes a pod away or adds one, `maxUnavailable` replacements aside. Scaling comes before updating.
 *
 * Unlike in Kubernetes a pod that is not ready and not on the set it should carry is replaced at once: waiting for it to become
 * ready would keep a commit that mends it from ever taking effect.
 */
export function planOrdinals(rules: OrdinalRules, pods: readonly OrdinalPod[]): OrdinalMoves {
  const slots = slotsOf(rules, pods)
  const filled = fillSlots(rules, slots)
  if (filled.blocked) return filled
  const surplus = removeSurplus(rules, slots, pods)
  const remove = [...filled.remove, ...surplus.remove]
  if (surplus.blocked) return { create: filled.create, remove }
  return { create: filled.create, remove: [...remove, ...updateSlots(rules, slots, remove)] }
}

/** Whether every ordinal has its pod, available and as its set should be, and there is no other that stays. */
export function ordinalsComplete(rules: OrdinalRules, pods: readonly OrdinalPod[]): boolean {
  const slots = slotsOf(rules, pods)
  const staying = pods.filter(({ leaving }) => !leaving)
  return staying.length === rules.replicas && slots.every((slot) => slot.pod?.available === true && !isOutdated(rules, slot))
}

/**
 * The ordinals that matter now: those that have a pod, and the first ones of the others, twice as many as there are pods.
 * That is how far a pass may go at once, whatever number of replicas a manifest asks for.
 */
function slotsOf(rules: OrdinalRules, pods: readonly OrdinalPod[]): Slot[] {
  const { start, replicas, rolling, current, next } = rules
  const byIndex = new Map(pods.map((pod) => [pod.ordinal - start, pod]))
  const first = Array.from({ length: Math.min(replicas, 2 * pods.length + 1) }, (_, index) => index)
  const beyond = [...byIndex.keys()].filter((index) => index >= first.length && index < replicas).sort((a, b) => a - b)
  return [...first, ...beyond].map((index) => {
    const held = rolling !== null && index < rolling.partition
    return { ordinal: start + index, set: held ? current : next, held, pod: byIndex.get(index) }
  })
}

interface Stage extends OrdinalMoves {
  /** in order, nothing else may happen now */
  readonly blocked: boolean
}

/** Makes what is missing and replaces what will never serve, from the lowest number on. */
function fillSlots(rules: OrdinalRules, slots: readonly Slot[]): Stage {
  const create: OrdinalMoves['create'][number][] = []
  const remove: Removal[] = []
  for (const slot of slots) {
    const { pod, ordinal, set } = slot
    if (pod === undefined) create.push({ ordinal, set })
    else if (pod.over) remove.push({ uid: pod.uid, reason: 'over' })
    else if (!pod.leaving && !pod.ready && isForeign(rules, slot)) remove.push({ uid: pod.uid, reason: 'stale' })
    if (rules.ordered && pod?.available !== true) return { create, remove, blocked: true }
  }
  return { create, remove, blocked: false }
}

/** Pods of other numbers go, highest first; in order each is gone before the next one goes. */
function removeSurplus({ ordered }: OrdinalRules, slots: readonly Slot[], pods: readonly OrdinalPod[]): Stage {
  const wanted = new Set(slots.flatMap(({ pod }) => pod?.uid ?? []))
  const surplus = pods.filter(({ uid }) => !wanted.has(uid)).sort((a, b) => b.ordinal - a.ordinal)
  const [highest] = surplus
  if (!ordered || highest === undefined) return { create: [], remove: surplus.flatMap(surplusRemoval), blocked: false }
  return { create: [], remove: surplusRemoval(highest), blocked: true }
}

function surplusRemoval({ uid, leaving }: OrdinalPod): Removal[] {
  return leaving ? [] : [{ uid, reason: 'surplus' }]
}

/** Takes outdated pods, highest first, for as long as no more than `maxUnavailable` are not available. */
function updateSlots(rules: OrdinalRules, slots: readonly Slot[], going: readonly Removal[]): Removal[] {
  const gone = new Set(going.map(({ uid }) => uid))
  const unavailable = rules.replicas - slots.filter(({ pod }) => pod?.available === true).length
  const room = (rules.rolling?.maxUnavailable ?? 0) - unavailable
  return slots
    .toReversed()
    .filter((slot) => isOutdated(rules, slot))
    .flatMap(({ pod }): Removal[] =>
      pod === undefined || pod.leaving || gone.has(pod.uid) ? [] : [{ uid: pod.uid, reason: 'stale' }],
    )
    .slice(0, Math.max(0, room))
}

/** Its pod is to be replaced by one of the wanted set. */
function isOutdated({ rolling, next }: OrdinalRules, { pod, held }: Slot): boolean {
  return rolling !== null && !held && pod !== undefined && pod.set !== next
}

/** Its pod carries what no pod should: below the partition that is neither of the two sets. */
function isForeign(rules: OrdinalRules, slot: Slot): boolean {
  const { pod, held } = slot
  if (rules.rolling === null || !held) return isOutdated(rules, slot)
  return pod !== undefined && pod.set !== rules.current && pod.set !== rules.next
}
