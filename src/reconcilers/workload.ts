/**
 * The workload planner, for every kind that runs pods: from what Git wants and what is observed to the
 * steps of one pass. Everything else about a workload (its sets, its pods) is remembered in `WorkloadMemory`.
 */
import { exceeds, quotaUsage } from '../model/quota.ts'
import { splitKey } from '../model/types/meta.ts'
import type { PodSpec } from '../model/types/pod.ts'
import { adoptPods, emptyMemory, sandboxMemory } from './adoption.ts'
import { bindTemplate, missingIn } from './binding.ts'
import { type Claim, missingClaims } from './claims.ts'
import { underOneClock } from './clock.ts'
import { type CompiledPod, compilePod } from './compile.ts'
import type { Controller, ControllerPass } from './controller.ts'
import { controllerOf } from './controllers.ts'
import { type PodEndpoint, podEndpoint } from './endpoints.ts'
import type { BoundConfig, PodRecord, SetRecord, WorkloadMemory } from './memory.ts'
import { claimVolumeName, LABEL } from './names.ts'
import { newPods } from './newpod.ts'
import { mountsParts, type NodeView, type ObservedPod } from './observed.ts'
import { claimTaken } from './onepod.ts'
import type { DriftKind, Lane, Plan, Step } from './plan.ts'
import { planPod } from './pod.ts'
import { observePod, type PodContext, type PodNow, type PodRouting } from './podstate.ts'
import { type ProbeTarget, probeTargets } from './probetargets.ts'
import { countSets } from './replicas.ts'
import { planClaims, vanishingClaims } from './retention.ts'
import { misfit, type Neighbour, type NodeTraits, neighboursOf, traitsOf } from './scheduling.ts'
import type { EventNote, WorkloadStatus } from './status.ts'
import { dropGone, nextWake, recordPods, recordProgress } from './transitions.ts'
import { declareSet, type Wanted, wantedOf } from './wanted.ts'
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
  const scaled = dropGone(asked, observe(asked))
  const pods = observe(scaled)
  const counts = countSets(scaled, pods, wanted?.spec.minReadySeconds ?? 0, input.now)
  const complete = wanted !== null && controller.isComplete({ input, memory: scaled, wanted, pods })
  const memory = recordProgress(scaled, counts, wanted, complete, input.now)
  const pass: ControllerPass = { input, memory, wanted, pods }
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
    wakeAt: shownAll(input.memory, memory) && scaled === asked ? wakeTime(controller, pass) : input.now,
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

/** Pods as a memory has them; looked at again only once that has changed. */
function observer(input: WorkloadInput, wanted: Wanted | null): (memory: WorkloadMemory) => readonly PodNow[] {
  let last: { readonly memory: WorkloadMemory; readonly pods: readonly PodNow[] } | undefined
  return (memory) => {
    if (last?.memory !== memory) last = { memory, pods: observeAll(input, memory, wanted) }
    return last.pods
  }
}

function observeAll(input: WorkloadInput, memory: WorkloadMemory, wanted: Wanted | null): PodNow[] {
  const observed = new Map(input.pods.map((pod) => [pod.uid, pod]))
  const sets = new Map(memory.sets.map((set) => [set.name, set]))
  return memory.pods.flatMap((record) => {
    const set = sets.get(record.set)
    const node = input.nodes.find(({ name }) => name === record.node) ?? input.nodes[0]
    return set === undefined || node === undefined
      ? []
      : [observePod(podContext(input, memory, record, set, node, observed.get(record.uid), wanted))]
  })
}

function podContext(
  input: WorkloadInput,
  memory: WorkloadMemory,
  record: PodRecord,
  set: SetRecord,
  node: NodeView,
  observed: ObservedPod | undefined,
  wanted: Wanted | null,
): PodContext {
  const { namespace } = splitKey(input.key)
  const compiled = compileOnce(input, memory, record, set, node, linksOf(input, set, observed))
  const claim = (name: string): Claim | undefined => input.claim(namespace, name)
  // A set that was replaced before it had all it refers to must not start without it.
  const missing = set.name === wanted?.set ? wanted.missing : missingIn(set.template, namespace, set.config)
  return {
    record,
    set,
    namespace,
    cluster: input.cluster,
    compiled,
    missing: [
      ...missing,
      ...missingRuntime(set.template.spec, node),
      ...missingClaims(compiled.volumes, namespace, claim, node),
      ...vanishingClaims(compiled.volumes, namespace, input.inFlight),
    ],
    misfit: record.bound ? '' : placementOf(input, memory, record, set, node),
    observed,
    volumes: input.volumes(record.uid),
    claim,
    node,
    probes: input.probes,
    routing: input.routing(record.uid),
    failures: input.failures,
    inFlight: input.inFlight,
    hooks: input.hooks,
    tail: input.tail,
    message: input.message,
    now: input.now,
  }
}

/** A runtime is the node's own affair: Git can name it, and only its operator can install it. */
function missingRuntime({ runtimeClassName }: PodSpec, { name, info }: NodeView): string[] {
  if (runtimeClassName === undefined || info === undefined || info.runtimes.includes(runtimeClassName)) return []
  return [`node ${name} has no container runtime ${runtimeClassName}: it has ${info.runtimes.join(', ')} (runtimeClassName)`]
}

/** Why a pod that is still to be made has to wait: no node, or too much for its namespace; `''` when it may begin. */
function placementOf(input: WorkloadInput, memory: WorkloadMemory, record: PodRecord, set: SetRecord, node: NodeView): string {
  const { namespace } = splitKey(input.key)
  const { spec, metadata } = set.template
  const own = {
    claim: (name: string): Claim | undefined => input.claim(namespace, name),
    volume: (name: string): string => claimVolumeName(input.cluster, namespace, name),
  }
  // Of its own workload this pass knows more than what is remembered.
  const others = (): readonly Neighbour[] =>
    neighboursOf([...[...input.workloads()].filter(([key]) => key !== input.key), [input.key, memory]], record)
  const why =
    misfit(spec, { namespace, labels: metadata.labels }, traitsOf(input.cluster, node), others, input.nodes.length === 1) ||
    claimTaken({ ...record, namespace, spec }, own.claim, own.volume, node, others)
  if (why !== '') return `0/${input.nodes.length} nodes are available: 1 ${why}.`
  if (input.quotas.length === 0) return ''
  const beside = others().filter((other) => other.namespace === namespace)
  const specs = beside.map((other) => other.spec)
  return exceeds(
    spec,
    input.quotas.map((quota) => quotaUsage(quota, specs)),
  )
}

/** A pod is told of the Services that there are when its sandbox is made, which remembers them. */
function linksOf({ serviceLinks }: WorkloadInput, { template }: SetRecord, observed: ObservedPod | undefined): string {
  if (!template.spec.enableServiceLinks) return ''
  return observed?.sandbox === undefined ? serviceLinks : (observed.sandbox.labels[LABEL.services] ?? '')
}

/**
 * A pod's compilation never changes once it has a sandbox, and its set's bound values live as long as the set: so it is
 * kept with them.
 */
const compiled = new WeakMap<BoundConfig, Map<string, Compiled>>()

interface Compiled {
  readonly links: string
  readonly pod: CompiledPod
}

function compileOnce(
  input: WorkloadInput,
  memory: WorkloadMemory,
  record: PodRecord,
  set: SetRecord,
  node: NodeView,
  links: string,
): CompiledPod {
  const pods = compiled.get(set.config) ?? new Map<string, Compiled>()
  compiled.set(set.config, pods)
  const facts = {
    nodeMemoryBytes: node.info?.memoryBytes ?? 0,
    nodeCpus: node.info?.cpus ?? 0,
    mountsParts: mountsParts(node.info),
  }
  const key = `${record.uid} ${Object.values(facts).join(' ')}`
  const known = pods.get(key)
  if (known?.links === links) return known.pod
  const { uid, name, ip } = record
  const { hash, sourceRevision, template, config } = set
  const own = splitKey(input.key)
  const identity = {
    uid,
    name,
    namespace: own.namespace,
    ip,
    node: node.name,
    owner: input.key,
    set: set.name,
    hash,
    sourceRevision,
    template: controllerOf(own.kind).podTemplate(template, record, { name: own.name, uid: memory.uid }),
    config,
  }
  const made = compilePod({
    ...identity,
    cluster: input.cluster,
    ...facts,
    links,
    memory: sandboxMemory(memory, set, record),
  })
  pods.set(key, { links, pod: made })
  return made
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
