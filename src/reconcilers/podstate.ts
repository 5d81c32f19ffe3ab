/** What a pod is right now: its record and what is observed of it, reduced to the few states that planning needs. */
import type { PodSpec, Probe } from '../model/types.ts'
import type { ContainerView } from '../runtime/engine.ts'
import type { Claim } from './claims.ts'
import type { Cluster } from './cluster.ts'
import type { CompiledContainer, CompiledPod } from './compile.ts'
import { portsAwaited } from './listening.ts'
import type { PodRecord, SetRecord } from './memory.ts'
import { LABEL, SANDBOX } from './names.ts'
import type { ContainerProbes, Failure, MessageSource, NodeView, ObservedPod, ProbeState } from './observed.ts'
import type { DriftKind } from './plan.ts'
import { isInitialized, type Role, runs } from './podorder.ts'
import { isInMemory } from './volumes.ts'

/** @see Kubernetes pkg/kubelet MaxContainerBackOff, reset after ten minutes of running */
const BACKOFF_FIRST_MS = 10_000
const BACKOFF_MAX_MS = 300_000
const BACKOFF_RESET_MS = 600_000

/** Whether a pod is in the data plane. */
export interface PodRouting {
  /** every Service that should send to it does so, acknowledged by its router */
  readonly acknowledged: boolean
  /** some acknowledged table still holds it */
  readonly present: boolean
}

/** Everything one pass knows about one pod. */
export interface PodContext {
  readonly record: PodRecord
  readonly set: SetRecord
  readonly namespace: string
  readonly cluster: Cluster
  readonly compiled: CompiledPod
  /** sentences about what the template refers to and does not exist */
  readonly missing: readonly string[]
  /** why it cannot be on its node, `''` once it is there */
  readonly misfit: string
  readonly observed: ObservedPod | undefined
  /** names of this pod's volumes that exist */
  readonly volumes: readonly string[]
  /** the claims of its namespace by name; `undefined` for one that nobody has declared */
  readonly claim: (name: string) => Claim | undefined
  readonly node: NodeView
  readonly probes: (containerId: string) => ContainerProbes
  readonly routing: PodRouting
  readonly failures: ReadonlyMap<string, Failure>
  readonly inFlight: ReadonlySet<string>
  /** names of containers whose postStart hook has ended well */
  readonly hooks: { has(container: string): boolean }
  readonly tail: (containerId: string, secrets: readonly string[]) => readonly string[]
  readonly message: (containerId: string, source: MessageSource, secrets: readonly string[]) => string
  readonly now: number
}

export type SandboxStage = 'absent' | 'created' | 'running' | 'paused' | 'lost'
export type ContainerStage = 'none' | 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing'

export interface Condemnation {
  readonly cause: string
  /** the probe that failed, whose own grace period counts */
  readonly probe?: 'startup' | 'liveness'
}

export interface ContainerNow {
  readonly compiled: CompiledContainer
  readonly role: Role
  /** of an init container: it has completed; of a sidecar: it has started once. Then what comes after it may start */
  readonly passed: boolean
  readonly stage: ContainerStage
  readonly latest: ContainerView | undefined
  readonly attempt: number
  /** older attempts, ascending */
  readonly older: readonly ContainerView[]
  /** quick failures in a row before the latest attempt */
  readonly failures: number
  /** for an exited container: when its next attempt may start; `undefined` when its restart policy says never */
  readonly restartAt: number | undefined
  /** its postStart hook, if any, has ended well */
  readonly hooked: boolean
  /** why it is to be stopped and started anew, `undefined` while it may run on */
  readonly condemned: Condemnation | undefined
  readonly started: boolean
  /** TCP ports that are to listen before it is ready */
  readonly awaits: readonly number[]
  /** an init container is when it has completed */
  readonly ready: boolean
}

export interface PodNow {
  readonly context: PodContext
  readonly sandbox: SandboxStage
  /** why it is lost, `''` otherwise */
  readonly lostBecause: string
  /** the drift that lost it, when it was one */
  readonly lostBy: DriftKind | undefined
  /** why it is to go though it runs, `''` otherwise */
  readonly evictedBecause: string
  /** in the order they start */
  readonly containers: readonly ContainerNow[]
  /** why nothing of it starts any more and what still runs is to stop; `undefined` while it has something to do */
  readonly ending: string | undefined
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  readonly ready: boolean
}

/** While its engine is out of reach, a pod is taken to be as it was last seen: nothing is lost, and none that was ready is doubted. */
export function observePod(context: PodContext): PodNow {
  const seen = observeContainers(context)
  const ending = endingOf(context, seen)
  const containers = ending === undefined ? seen : seen.map(atEnd)
  const { stage, because, drift } = sandboxStage(context, containers, ending !== undefined)
  const phase = podPhase(context, stage, containers, ending)
  return {
    context,
    sandbox: stage,
    lostBecause: because,
    lostBy: drift,
    evictedBecause: evictionCause(context, containers),
    containers,
    ending,
    phase,
    ready: context.node.reachable
      ? phase === 'Running' && stage === 'running' && containers.every((one) => one.ready)
      : context.record.readySince > 0,
  }
}

/** @see Kubernetes pkg/kubelet/eviction: reason Evicted */
function evictionCause({ probes, observed }: PodContext, containers: readonly ContainerNow[]): string {
  const whole = observed?.sandbox?.state === 'running' ? probes(observed.sandbox.id).storage : undefined
  if (whole?.result === 'failure') return `Evicted: ${whole.lastAnswer}`
  for (const { latest, stage, compiled } of containers) {
    const storage = stage === 'running' && latest !== undefined ? probes(latest.id).storage : undefined
    if (storage?.result === 'failure') return `Evicted: container ${compiled.name} ${storage.lastAnswer}`
  }
  return ''
}

/** How an attempt is remembered: once it has been seen running with its hook done, or for what was done to it. */
export function launchMark(container: string, attempt: number): string {
  return `${container}#${attempt}`
}

/** Milliseconds to wait after the n-th quick failure in a row: at once, then 10 s doubling to 5 min. */
export function restartDelay(failures: number): number {
  return failures === 0 ? 0 : Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 10))
}

/** What comes after a container was made because that container had passed. */
function observeContainers(context: PodContext): ContainerNow[] {
  const { containers } = context.compiled
  const lastMade = containers.findLastIndex(({ name }) => (context.observed?.containers.get(name)?.length ?? 0) > 0)
  return containers.map((compiled, index) => observeContainer(context, compiled, index < lastMade))
}

/** Nothing starts again in a pod that comes to its end. */
function atEnd(one: ContainerNow): ContainerNow {
  return { ...one, restartAt: undefined, condemned: undefined }
}

/** @see Kubernetes pkg/kubelet getPhase: sidecars decide nothing, and an init container that may not run again decides it all */
function endingOf({ record }: PodContext, containers: readonly ContainerNow[]): string | undefined {
  if (record.failed !== undefined) return record.failed.message
  if (record.outcome !== undefined) return 'its pod has ended'
  const isOver = ({ stage, restartAt }: ContainerNow): boolean => stage === 'exited' && restartAt === undefined
  const failed = containers.find((one) => one.role === 'init' && !one.passed && isOver(one))
  if (failed !== undefined) return `init container ${failed.compiled.name} exited with ${failed.latest?.exitCode}`
  return containers.every((one) => one.role !== 'main' || isOver(one)) ? 'its containers have ended' : undefined
}

/**
 * A run of a container that has been ready stays so until a probe says otherwise: after a restart of the daemon, or
 * an engine that was out of reach, its probes have yet to answer for the first time.
 */
function observeContainer(context: PodContext, compiled: CompiledContainer, overtaken: boolean): ContainerNow {
  const attempts = context.observed?.containers.get(compiled.name) ?? []
  const latest = attempts.at(-1)
  const stage = containerStage(latest)
  const failures = failuresInARow(latest)
  const attempt = latest === undefined ? -1 : attemptOf(latest)
  const isUp = stage === 'running'
  const probes = latest !== undefined && isUp ? context.probes(latest.id) : {}
  const { container, role } = compiled
  const hooked =
    container.lifecycle?.postStart === undefined ||
    (latest !== undefined &&
      (context.hooks.has(latest.name) || context.record.launched.includes(launchMark(compiled.name, attempt))))
  const wasReady = latest !== undefined && latest.startedAt <= context.record.readySince
  const passes = (probe: Probe | undefined, state: ProbeState | undefined): boolean =>
    probe === undefined || state?.result === 'success' || (wasReady && (state === undefined || state.result === 'unknown'))
  // Such a port tells when a run may first be sent to, and nothing after that.
  const awaits =
    latest === undefined || !isUp || wasReady || role === 'init' ? [] : portsAwaited(container, latest, probes, context.now)
  const started = isUp && hooked && passes(container.startupProbe, probes.startup)
  const passed =
    overtaken ||
    context.record.passed?.includes(compiled.name) === true ||
    (role === 'init' ? latest !== undefined && hasCompleted(latest) : started)
  return {
    compiled,
    role,
    passed,
    stage,
    latest,
    attempt,
    older: attempts.slice(0, -1),
    failures,
    restartAt: latest !== undefined && stage === 'exited' ? restartTime(context, role, latest, failures) : undefined,
    hooked,
    condemned: isUp ? condemnation(context, compiled, attempt, hooked, probes) : undefined,
    started,
    awaits,
    ready: role === 'init' ? passed : started && awaits.length === 0 && passes(container.readinessProbe, probes.readiness),
  }
}

function hasCompleted(view: ContainerView): boolean {
  return view.state === 'exited' && view.exitCode === 0 && !neverStarted(view)
}

/**
 * When Docker itself starts, it starts containers in no order, and one whose sandbox is not up yet fails for good:
 * nothing is wrong with it, so it counts as no restart. It keeps the times and the exit code of its run before.
 */
export function neverStarted(view: ContainerView): boolean {
  return view.state === 'exited' && view.error.includes('cannot join network of a non running container')
}

/** @see Kubernetes pkg/kubelet: a failed postStart hook, startup or liveness probe kills the container */
function condemnation(
  context: PodContext,
  { name }: CompiledContainer,
  attempt: number,
  hooked: boolean,
  probes: ContainerProbes,
): Condemnation | undefined {
  if (!hooked) {
    const failure = context.failures.get(postStartStepId(context, name, attempt))
    return failure === undefined ? undefined : { cause: `postStart hook failed: ${failure.message}` }
  }
  for (const probe of ['startup', 'liveness'] as const) {
    const state = probes[probe]
    if (state?.result === 'failure') return { cause: `${probe} probe failed: ${state.lastAnswer}`, probe }
  }
  return undefined
}

function containerStage(view: ContainerView | undefined): ContainerStage {
  if (view === undefined) return 'none'
  if (view.state === 'dead' || view.state === 'removing') return 'removing'
  return view.state
}

export function attemptOf(view: ContainerView): number {
  return Number.parseInt(view.labels[LABEL.attempt] ?? '0', 10) || 0
}

function failuresInARow(view: ContainerView | undefined): number {
  if (view === undefined) return 0
  const ranMs = view.finishedAt - view.startedAt
  if (view.state === 'exited' && ranMs >= BACKOFF_RESET_MS) return 0
  return Number.parseInt(view.labels[LABEL.failures] ?? '0', 10) || 0
}

function restartTime(context: PodContext, role: Role, view: ContainerView, failures: number): number | undefined {
  const policy = restartPolicyOf(context, role)
  if (policy === 'Never' || (policy === 'OnFailure' && view.exitCode === 0)) return undefined
  return view.finishedAt + (endedWithEngine(context, view) ? 0 : restartDelay(failures))
}

/** A sidecar always starts again, and an init container until it has completed, if anything of its pod may. */
export function restartPolicyOf({ set }: PodContext, role: Role): PodSpec['restartPolicy'] {
  const { restartPolicy } = set.template.spec
  if (role === 'sidecar') return 'Always'
  return role === 'init' && restartPolicy === 'Always' ? 'OnFailure' : restartPolicy
}

/** It ended before its sandbox last started: everything did, so it is neither a crash nor somebody's doing. */
export function endedWithEngine({ observed, now }: PodContext, view: ContainerView): boolean {
  const sandboxStart = observed?.sandbox?.startedAt ?? 0
  return view.state === 'exited' && view.finishedAt < sandboxStart && sandboxStart <= now
}

interface SandboxState {
  readonly stage: SandboxStage
  readonly because: string
  readonly drift?: DriftKind
}

function sandboxStage(context: PodContext, containers: readonly ContainerNow[], ends: boolean): SandboxState {
  const view = context.observed?.sandbox
  // What is over needs no sandbox any more.
  const isOver = context.record.outcome !== undefined || (ends && wasPutToRest(view, containers))
  if (isOver) return { stage: view?.state === 'running' ? 'running' : 'absent', because: '' }
  if (!context.node.reachable) return { stage: context.record.bound ? 'running' : 'absent', because: '' }
  const gone = view === undefined || view.state === 'removing' || view.state === 'dead'
  if (gone && context.record.bound) return { stage: 'lost', because: 'its sandbox was removed', drift: 'removed' }
  if (view === undefined) return { stage: 'absent', because: '' }
  if (view.state === 'created') {
    const start = context.failures.get(sandboxStartId(context))
    if (start?.kind === 'addressTaken') return { stage: 'lost', because: `its address ${context.record.ip} is taken` }
    return { stage: 'created', because: '' }
  }
  if (view.state === 'paused') return { stage: 'paused', because: '' }
  if (view.state === 'exited') return { stage: 'lost', because: `its sandbox exited with ${view.exitCode}`, drift: 'stopped' }
  if (view.state !== 'running') return { stage: 'lost', because: `its sandbox is ${view.state}`, drift: 'stopped' }
  // Only its own network counts: those that somebody attached in addition are foreign.
  const address = view.networks[context.compiled.sandbox.networkMode]?.ip || context.record.ip
  if (address !== context.record.ip)
    return { stage: 'lost', because: `its address changed from ${context.record.ip} to ${address}`, drift: 'network' }
  // A restarted sandbox has a new network namespace; containers that joined the old one are cut off for good.
  const cutOff = containers.some(
    ({ latest, stage }) => latest !== undefined && stage === 'running' && latest.startedAt < view.startedAt,
  )
  if (cutOff && !ends)
    return { stage: 'lost', because: 'its sandbox was restarted, which left its containers without a network', drift: 'stopped' }
  if (!ends && hasLostOrder(context, containers, view.startedAt))
    return { stage: 'lost', because: 'its sandbox was started anew, and its init containers are to run before the others' }
  return containers.some((one) => hasLostMemory(context, one, view.startedAt))
    ? { stage: 'lost', because: 'its sandbox was started anew, and what it kept in memory, such as secret files, is gone' }
    : { stage: 'running', because: '' }
}

/** Only the sandbox of a pod that has ended is stopped without being started again, and a lost store leaves nothing else to tell it by. */
function wasPutToRest(view: ContainerView | undefined, containers: readonly ContainerNow[]): boolean {
  return view?.state === 'exited' && view.restartPolicy === 'no' && !containers.some(runs)
}

/**
 * Docker starts containers again in no order, and init containers are to run again in a new network namespace, before all
 * others: only a new pod has that order.
 */
function hasLostOrder({ set }: PodContext, containers: readonly ContainerNow[], sandboxStart: number): boolean {
  if (set.template.spec.initContainers.length === 0) return false
  return containers.some(({ latest }) => latest !== undefined && latest.createdAt < sandboxStart)
}

/**
 * Memory-backed volumes are empty once their sandbox has been started anew, and Docker starts the containers beside it as
 * if nothing had happened. It also loses count of who has mounted them, so that containers of one pod may end up with
 * different ones: only a new pod has volumes that can be trusted.
 */
function hasLostMemory(context: PodContext, { compiled, latest, stage, restartAt }: ContainerNow, sandboxStart: number): boolean {
  const over = stage === 'exited' && restartAt === undefined
  if (latest === undefined || over || latest.createdAt >= sandboxStart) return false
  return context.compiled.volumes.some(
    (volume) => isInMemory(volume) && compiled.container.volumeMounts.some(({ name }) => name === volume.name),
  )
}

/** Something is being done to the pod: what was about to start may still do so. */
export function isBusy({ record, inFlight }: PodContext): boolean {
  return [...inFlight].some((lane) => lane === `pod/${record.uid}` || lane.startsWith(`pod/${record.uid}/`))
}

/** The id of the step that starts a pod's sandbox, as `stepId` makes it. */
export function sandboxStartId(context: PodContext): string {
  return `pod/${context.record.uid}|start|${context.record.name}/${SANDBOX}`
}

/** The id of the step that removes a volume of a pod that goes, as `stepId` makes it. */
export function volumeRemovalId(uid: string, volume: string): string {
  return `pod/${uid}|removeVolume|volume ${volume}`
}

/** The id of the step that runs the postStart hook of one attempt, as `stepId` makes it. */
function postStartStepId(context: PodContext, container: string, attempt: number): string {
  return `pod/${context.record.uid}/${container}|hook|${context.record.name}/${container} postStart #${attempt}`
}

function podPhase(
  context: PodContext,
  sandbox: SandboxStage,
  containers: readonly ContainerNow[],
  ending: string | undefined,
): PodNow['phase'] {
  if (context.record.outcome !== undefined) return context.record.outcome
  if (!context.node.reachable) return context.record.bound ? 'Unknown' : 'Pending'
  if (sandbox === 'lost') return 'Failed'
  if (ending !== undefined && !containers.some(runs) && !isBusy(context))
    return containers.every(({ role, latest }) => role !== 'main' || latest?.exitCode === 0) &&
      context.record.failed === undefined
      ? 'Succeeded'
      : 'Failed'
  const launched = containers.every((one) => one.role !== 'main' || runs(one) || one.stage === 'exited' || one.attempt > 0)
  return launched && isInitialized(containers) ? 'Running' : 'Pending'
}

/** Ready for `minReadySeconds`, and every router that should send to it does. */
export function isAvailable(pod: PodNow, minReadySeconds: number, now: number): boolean {
  const { readySince } = pod.context.record
  return pod.ready && pod.context.routing.acknowledged && readySince > 0 && now - readySince >= minReadySeconds * 1000
}
