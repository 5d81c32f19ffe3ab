/** What one container of a pod is right now: its latest attempt, judged by its probes, its hook and its restart policy. */
import type { PodSpec, Probe } from '../model/types/pod.ts'
import type { ContainerView } from '../runtime/engine.ts'
import type { CompiledContainer } from './compile.ts'
import { portsAwaited } from './listening.ts'
import { LABEL } from './names.ts'
import type { ContainerProbes, PodContainer, ProbeState } from './observed.ts'
import type { PodContext } from './podcontext.ts'
import type { Role } from './podorder.ts'

/** @see Kubernetes pkg/kubelet MaxContainerBackOff, reset after ten minutes of running */
const BACKOFF_FIRST_MS = 10_000
const BACKOFF_MAX_MS = 300_000
const BACKOFF_RESET_MS = 600_000

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
  readonly latest: PodContainer | undefined
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

/** How an attempt is remembered: once it has been seen running with its hook done, or for what was done to it. */
export function launchMark(container: string, attempt: number): string {
  return `${container}#${attempt}`
}

/** Milliseconds to wait after the n-th quick failure in a row: at once, then 10 s doubling to 5 min. */
export function restartDelay(failures: number): number {
  return failures === 0 ? 0 : Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 10))
}

/** What comes after a container was made because that container had passed. */
export function observeContainers(context: PodContext): ContainerNow[] {
  const { containers } = context.compiled
  const lastMade = containers.findLastIndex(({ name }) => (context.observed?.containers.get(name)?.length ?? 0) > 0)
  return containers.map((compiled, index) => observeContainer(context, compiled, index < lastMade))
}

function observeContainer(context: PodContext, compiled: CompiledContainer, overtaken: boolean): ContainerNow {
  const { name, role } = compiled
  const attempts = context.observed?.containers.get(name) ?? []
  const latest = asItEnded(attempts.at(-1))
  const stage = containerStage(latest)
  const attempt = latest === undefined ? -1 : attemptOf(latest)
  const failures = failuresInARow(latest)
  const hooked = isHooked(context, compiled, latest, attempt)
  const probes = latest !== undefined && stage === 'running' ? context.probes(latest.id) : {}
  const { started, awaits, serves } = judgeRun(context, compiled, latest, hooked, probes)
  const hasPassed = role === 'init' ? latest !== undefined && hasCompleted(latest) : started
  const passed = overtaken || context.record.passed?.includes(name) === true || hasPassed
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
    condemned: stage === 'running' ? condemnation(context, compiled, attempt, hooked, probes) : undefined,
    started,
    awaits,
    ready: role === 'init' ? passed : serves,
  }
}

function isHooked(
  { hooks, record }: PodContext,
  { name, container }: CompiledContainer,
  latest: ContainerView | undefined,
  attempt: number,
): boolean {
  if (container.lifecycle?.postStart === undefined) return true
  return latest !== undefined && (hooks.has(latest.name) || record.launched.includes(launchMark(name, attempt)))
}

/**
 * A run of a container that has been ready stays so until a probe says otherwise: after a restart of the daemon, or
 * an engine that was out of reach, its probes have yet to answer for the first time.
 */
function judgeRun(
  { record, now }: PodContext,
  { container, role }: CompiledContainer,
  latest: ContainerView | undefined,
  hooked: boolean,
  probes: ContainerProbes,
): Pick<ContainerNow, 'started' | 'awaits'> & { readonly serves: boolean } {
  if (latest?.state !== 'running') return { started: false, awaits: [], serves: false }
  const wasReady = latest.startedAt <= record.readySince
  const passes = (probe: Probe | undefined, state: ProbeState | undefined): boolean =>
    probe === undefined || state?.result === 'success' || (wasReady && (state === undefined || state.result === 'unknown'))
  // Such a port tells when a run may first be sent to, and nothing after that.
  const awaits = wasReady || role === 'init' ? [] : portsAwaited(container, latest, probes, now)
  const started = hooked && passes(container.startupProbe, probes.startup)
  return { started, awaits, serves: started && awaits.length === 0 && passes(container.readinessProbe, probes.readiness) }
}

function hasCompleted(view: ContainerView): boolean {
  return view.state === 'exited' && view.exitCode === 0
}

/**
 * A start that fails leaves a container that has run as it was, but for its exit code: Docker makes 128 of 0. So a run that
 * went well would count as failed for what was done to its container afterwards.
 */
function asItEnded(view: PodContainer | undefined): PodContainer | undefined {
  const overwritten = view?.state === 'exited' && view.exitCode === 128 && view.error !== '' && view.startedAt > 0
  return overwritten ? { ...view, exitCode: 0 } : view
}

/**
 * When Docker itself starts, it starts containers in no order, and one whose sandbox is not up yet fails for good:
 * nothing is wrong with it, so it counts as no restart. It keeps the times of its run before.
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

/** The id of the step that runs the postStart hook of one attempt, as `stepId` makes it. */
function postStartStepId(context: PodContext, container: string, attempt: number): string {
  return `pod/${context.record.uid}/${container}|hook|${context.record.name}/${container} postStart #${attempt}`
}
