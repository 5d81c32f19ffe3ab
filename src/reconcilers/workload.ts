/**
 * The workload planner, for every kind that runs pods: from what Git wants and what is observed to the
 * steps of one pass. Everything else about a workload (its sets, its pods) is remembered in `WorkloadMemory`.
 */
import { splitKey } from '../model/types/meta.ts'
import { adoptPods, emptyMemory } from './adoption.ts'
import { bindTemplate } from './binding.ts'
import { underOneClock } from './clock.ts'
import type { Controller, ControllerPass } from './controller.ts'
import { controllerOf } from './controllers.ts'
import { type PodEndpoint, podEndpoint } from './endpoints.ts'
import type { BoundConfig, SetRecord, WorkloadMemory } from './memory.ts'
import { newPods } from './newpod.ts'
import { forgetGonePods, observer } from './observepods.ts'
import type { DriftKind, Lane, Plan, Step } from './plan.ts'
import { planPod } from './pod.ts'
import type { PodRouting } from './podcontext.ts'
import { placePods } from './podplacement.ts'
import type { PodNow } from './podstate.ts'
import { type ProbeTarget, probeTargets } from './probetargets.ts'
import { countSets } from './replicas.ts'
import { planClaims } from './retention.ts'
import { type NodeTraits, traitsOf } from './scheduling.ts'
import type { EventNote, WorkloadStatus } from './status.ts'
import { dropGone, nextWake, recordPods, recordProgress } from './transitions.ts'
import { declareSet, wantedOf } from './wanted.ts'
import { describeChanges } from './workloadevents.ts'
import type { WorkloadInput } from './workloadinput.ts'
import { workloadStatus } from './workloadstatus.ts'

export interface WorkloadPass {
  readonly plan: Plan
  /** `undefined` once nothing is left of a workload that left Git */
  readonly memory: WorkloadMemory | undefined
  readonly status: WorkloadStatus | undefined
  /** its pods as Services see them */
  readonly endpoints: readonly PodEndpoint[]
  readonly probes: readonly ProbeTarget[]
  readonly events: readonly EventNote[]
  /** drifts that are mended by replacing a pod, seen in this pass for the first time */
  readonly drifts: readonly { readonly kind: DriftKind; readonly cause: string }[]
  /** ms since the epoch at which time alone changes something; `undefined` for never */
  readonly wakeAt: number | undefined
}

/** One pass over one workload; pure, and equal inputs give equal passes. */
export function planWorkload(given: WorkloadInput): WorkloadPass {
  const input = doubtUnshown(underOneClock(given))
  const wanted = input.target === null ? null : wantedOf(input.target, input.lookup, input.sourceRevision, traitsOfAll(input))
  const ids = counter(input.id)
  const remembered = input.memory ?? recoverMemory(input, ids)
  const declared = wanted === null ? retire(remembered) : declareSet(remembered, wanted, () => ids().uid, input.now)
  const observe = observer(input, wanted)
  const before = observe(declared)
  const recorded = recordPods(declared, before, input.now)
  const controller = controllerOf(splitKey(input.key).kind)
  const asked = controller.steer({ input, memory: recorded, wanted, pods: observe(recorded), newPods: newPods(input, ids) })
  const left = dropGone(asked, observe(asked))
  const scaled = placePods(left, observe(left), input)
  const pods = observe(scaled)
  const counts = countSets(scaled, pods, wanted?.spec.minReadySeconds ?? 0, input.now)
  const complete = wanted !== null && controller.isComplete({ input, memory: scaled, wanted, pods })
  const memory = recordProgress(scaled, counts, wanted, complete, input.now)
  const pass: ControllerPass = { input, memory, wanted, pods }
  forgetGonePods(input.key, memory)
  const lanes = [...uniqueLanes(pods.flatMap(planPod)), ...planExtraPods(input, memory), ...planClaims(memory, input)]
  const gone = wanted === null && memory.claims === undefined && memory.pods.length === 0 && lanes.length === 0
  return {
    plan: { key: input.key, lanes: lanes.filter(({ steps }) => steps.length > 0) },
    memory: gone ? undefined : memory,
    status: gone ? undefined : statusOf(controller, pass, complete),
    endpoints: pods.flatMap(podEndpoint),
    probes: pods.flatMap(probeTargets),
    events: describeChanges(input.key, controller.setNoun, remembered, memory),
    drifts: lostPods(before),
    // What has just become ready is looked at again once the tables that want it are known; and who is gone already by
    // whoever takes its place.
    wakeAt: shownAll(input.memory, memory) && left === asked ? wakeTime(controller, pass) : input.now,
  }
}

function statusOf({ summarize }: Controller, pass: ControllerPass, complete: boolean): WorkloadStatus {
  const common = workloadStatus(pass.input, pass.wanted, pass.memory, pass.pods, complete)
  return summarize === undefined ? common : summarize(common, pass)
}

function wakeTime({ wakeTimes }: Controller, { input, memory, wanted, pods }: ControllerPass): number | undefined {
  const own = wakeTimes === undefined ? [] : wakeTimes(memory, input.target).filter((at) => at > input.now)
  const times = [nextWake(pods, wanted, memory, input.now), ...own].filter((at) => at !== undefined)
  return times.length === 0 ? undefined : Math.min(...times)
}

/**
 * A pod that no pass before this one has shown to Services as ready is in no table that is asked for, so it cannot
 * be acknowledged yet, even if no table lacks it.
 */
function doubtUnshown(input: WorkloadInput): WorkloadInput {
  const shown = readyPods(input.memory)
  const routing = (uid: string): PodRouting => ({ ...input.routing(uid), ...(shown.has(uid) ? {} : { acknowledged: false }) })
  return { ...input, routing }
}

function shownAll(before: WorkloadMemory | undefined, after: WorkloadMemory): boolean {
  const shown = readyPods(before)
  return [...readyPods(after)].every((uid) => shown.has(uid))
}

function readyPods(memory: WorkloadMemory | undefined): Set<string> {
  return new Set(memory?.pods.filter(({ readySince }) => readySince > 0).map(({ uid }) => uid))
}

function traitsOfAll({ cluster, nodes }: WorkloadInput): NodeTraits[] {
  return nodes.map((node) => traitsOf(cluster, node))
}

function recoverMemory(input: WorkloadInput, ids: () => { uid: string }): WorkloadMemory {
  const { namespace } = splitKey(input.key)
  const bind = (template: SetRecord['template']): BoundConfig => bindTemplate(template, namespace, input.lookup).config
  return adoptPods(input.key, input.pods, bind, input.now) ?? emptyMemory(ids().uid, input.now)
}

function lostPods(pods: readonly PodNow[]): WorkloadPass['drifts'] {
  return pods.flatMap(({ context: { record }, lostBy, lostBecause }) =>
    lostBy === undefined || record.deletion !== undefined
      ? []
      : [{ kind: lostBy, cause: `replace ${record.name}: drift: ${lostBecause}` }],
  )
}

function retire(memory: WorkloadMemory): WorkloadMemory {
  return memory.sets.every(({ replicas }) => replicas === 0)
    ? memory
    : { ...memory, rollout: null, sets: memory.sets.map((set) => ({ ...set, replicas: 0 })) }
}

/** Pods that carry this workload's labels and that it never made. */
function planExtraPods(input: WorkloadInput, memory: WorkloadMemory): Lane[] {
  const known = new Set(memory.pods.map(({ uid }) => uid))
  const reachable = new Set(input.nodes.filter((node) => node.reachable).map(({ name }) => name))
  return input.pods
    .filter(({ uid, node }) => !known.has(uid) && reachable.has(node))
    .map((pod) => {
      const views = [...[...pod.containers.values()].flat(), ...(pod.sandbox === undefined ? [] : [pod.sandbox])]
      const cause = 'drift: an extra pod carries the labels of this workload'
      const removals = views.map(
        (view): Step => ({
          node: pod.node,
          target: `${pod.name}/${view.name}`,
          cause,
          drift: 'extra',
          op: 'remove',
          container: view.id,
        }),
      )
      const volumes = input
        .volumes(pod.uid)
        .map((volume): Step => ({ node: pod.node, target: `volume ${volume}`, cause, op: 'removeVolume', volume }))
      return { id: `pod/${pod.uid}`, steps: [...removals, ...volumes] }
    })
}

/** Pods of one template share the lane that pulls their image. */
function uniqueLanes(lanes: readonly Lane[]): Lane[] {
  return [...new Map(lanes.map((lane) => [lane.id, lane])).values()]
}

function counter<T>(of: (index: number) => T): () => T {
  let index = 0
  return () => of(index++)
}
