/** What a pass writes down of what it sees: pods that appeared, became ready, were lost or are gone; progress. */

import { type ContainerNow, launchMark } from './containerstate.ts'
import { listenDeadline } from './listening.ts'
import {
  NO_SETBACKS,
  type PodFailure,
  type PodRecord,
  type Progress,
  type Rollout,
  type Setbacks,
  type WorkloadMemory,
} from './memory.ts'
import type { PodMark } from './plan.ts'
import { steadyAt } from './pod.ts'
import { isBusy, volumeRemovalId } from './podcontext.ts'
import type { PodNow } from './podstate.ts'
import { resumeAt } from './replicas.ts'
import type { SetCount } from './rollout.ts'
import { renewAt } from './tokenrenewal.ts'
import type { Wanted } from './wanted.ts'

/** Brings the pod records up to what is observed; drops those of which nothing is left. */
export function recordPods(memory: WorkloadMemory, pods: readonly PodNow[], now: number): WorkloadMemory {
  const next = pods.filter((pod) => !isGone(pod)).map((pod) => recordPod(pod, now))
  const unchanged = next.length === memory.pods.length && next.every((record, index) => record === memory.pods[index])
  return unchanged ? memory : { ...memory, pods: next, setbacks: countSetbacks(memory, pods, next, now) }
}

/** Without the records of pods that are to go and of which there never was anything: no step would end and wake anybody. */
export function dropGone(memory: WorkloadMemory, pods: readonly PodNow[]): WorkloadMemory {
  const left = pods.filter((pod) => !isGone(pod)).map(({ context }) => context.record)
  return left.length === memory.pods.length ? memory : { ...memory, pods: left }
}

/** A pod that nothing lets onto its node is looked at again after: ms. */
const MISFIT_RETRY_MS = 10_000

/** A pod that is lost sooner than this after it was made was never any good: ms. */
const QUICK_LOSS_MS = 10_000

/** Pods lost as soon as they are made, one after the other; forgotten when a pod becomes ready. */
function countSetbacks(memory: WorkloadMemory, pods: readonly PodNow[], next: readonly PodRecord[], now: number): Setbacks {
  const before = memory.setbacks ?? NO_SETBACKS
  if (next.some(({ readySince }) => readySince === now)) return NO_SETBACKS
  const lost = pods.filter(
    ({ sandbox, context: { record } }) =>
      sandbox === 'lost' && record.deletion === undefined && now - record.createdAt < QUICK_LOSS_MS,
  )
  return lost.length === 0 ? before : { count: before.count + 1, at: now }
}

/**
 * Nothing of the pod exists any more and nothing of it is on its way. Volumes that could not be removed are no part of it:
 * they go as soon as they can (`planLeftovers`), and no rollout waits for that. After a restart under live-restore Docker 20.10
 * takes volumes in memory for mounted until it is restarted once more.
 */
function isGone({ context }: PodNow): boolean {
  const { record, observed, volumes, node, failures } = context
  if (!node.reachable || record.deletion === undefined || observed !== undefined) return false
  if (volumes.length > 0 && !volumes.some((volume) => failures.has(volumeRemovalId(record.uid, volume)))) return false
  return !isBusy(context)
}

function recordPod(pod: PodNow, now: number): PodRecord {
  const { record, observed, node, set } = pod.context
  if (!node.reachable) return record
  const bound = record.bound || observed?.sandbox !== undefined
  const launched = markAttempts(
    record.launched,
    pod.containers.filter(({ stage, hooked }) => stage === 'running' && hooked),
  )
  const condemned = markAttempts(
    record.condemned ?? NONE,
    pod.containers.filter((one) => one.condemned !== undefined),
  )
  const passed = union(
    record.passed ?? NONE,
    pod.containers.filter((one) => one.role !== 'main' && one.passed).map(({ compiled }) => compiled.name),
  )
  const failed = record.failed ?? deadlineExceeded(pod, now)
  const ended = record.ended ?? hasComeToItsEnd(pod)
  const readySince = pod.ready ? record.readySince || now : 0
  const leaves = pod.sandbox === 'lost' ? pod.lostBecause : pod.evictedBecause
  const lost = record.deletion === undefined && (pod.sandbox === 'lost' || leaves !== '')
  const same =
    bound === record.bound &&
    launched === record.launched &&
    readySince === record.readySince &&
    condemned === (record.condemned ?? NONE) &&
    passed === (record.passed ?? NONE) &&
    failed === record.failed &&
    ended === (record.ended ?? false)
  if (same && !lost) return record
  const deletion = { since: now, graceSeconds: set.template.spec.terminationGracePeriodSeconds, cause: leaves }
  return {
    ...record,
    bound,
    launched,
    readySince,
    ...(condemned.length > 0 ? { condemned } : {}),
    ...(passed.length > 0 ? { passed } : {}),
    ...(failed === undefined ? {} : { failed }),
    ...(ended ? { ended } : {}),
    ...(lost ? { deletion } : {}),
  }
}

/** By itself, or because its time was up: one that is taken away goes as a whole. */
function hasComeToItsEnd({ context, phase, sandbox }: PodNow): boolean {
  return (phase === 'Succeeded' || phase === 'Failed') && sandbox !== 'lost' && context.record.deletion === undefined
}

const NONE: readonly string[] = []

/** The very same list when there is nothing new. */
function union(known: readonly string[], seen: readonly string[]): readonly string[] {
  const fresh = seen.filter((name) => !known.includes(name))
  return fresh.length === 0 ? known : [...known, ...fresh].sort()
}

/** What has come to its end in time has met its deadline. @see Kubernetes pkg/kubelet/active_deadline.go */
function deadlineExceeded(pod: PodNow, now: number): PodFailure | undefined {
  const at = deadlineOf(pod)
  if (at === undefined || now < at) return undefined
  const seconds = pod.context.set.template.spec.activeDeadlineSeconds
  return { reason: 'DeadlineExceeded', message: `it was not done within its activeDeadlineSeconds, ${seconds} s` }
}

/** When it fails unless it has come to its end: ms since the epoch. */
function deadlineOf({ context, ending }: PodNow): number | undefined {
  const { activeDeadlineSeconds } = context.set.template.spec
  if (activeDeadlineSeconds === undefined || ending !== undefined || context.record.deletion !== undefined) return undefined
  return context.record.createdAt + activeDeadlineSeconds * 1000
}

/** Notes that the preStop hook of an attempt begins. */
export function recordPreStop(memory: WorkloadMemory, { pod, attempt }: PodMark): WorkloadMemory {
  const noted = (record: PodRecord): PodRecord => {
    const others = (record.preStopped ?? NONE).filter((mark) => !sameContainer(mark, attempt))
    return { ...record, preStopped: [...others, attempt] }
  }
  return { ...memory, pods: memory.pods.map((record) => (record.uid === pod ? noted(record) : record)) }
}

/** `marks` with the current attempts of `containers`; only the newest of a container is kept, so a crash loop does not grow it. */
function markAttempts(marks: readonly string[], containers: readonly ContainerNow[]): readonly string[] {
  const fresh = containers
    .map(({ compiled, attempt }) => launchMark(compiled.name, attempt))
    .filter((mark) => !marks.includes(mark))
  return fresh.length === 0
    ? marks
    : [...marks.filter((mark) => !fresh.some((other) => sameContainer(mark, other))), ...fresh].sort()
}

function sameContainer(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf('#')) === b.slice(0, b.lastIndexOf('#'))
}

/**
 * Notes progress, and how the rollout stands. No timing while paused.
 *
 * @param complete as the controller of its kind sees it
 */
export function recordProgress(
  memory: WorkloadMemory,
  counts: readonly SetCount[],
  wanted: Wanted | null,
  complete: boolean,
  now: number,
): WorkloadMemory {
  if (wanted === null || memory.rollout === null) return memory
  const next = counts.find(({ name }) => name === wanted.set)
  if (next === undefined) return memory
  const old = counts.filter(({ name }) => name !== wanted.set)
  const progress = nextProgress(memory.progress, next, old, wanted.spec.paused, now)
  const rollout = nextRollout(memory.rollout, progress, complete, wanted, now)
  return progress === memory.progress && rollout === memory.rollout ? memory : { ...memory, progress, rollout }
}

function nextProgress(last: Progress | null, next: SetCount, old: readonly SetCount[], paused: boolean, now: number): Progress {
  const seen = {
    updated: next.pods,
    old: old.reduce((sum, { pods }) => sum + pods, 0),
    ready: [next, ...old].reduce((sum, { ready }) => sum + ready, 0),
    available: [next, ...old].reduce((sum, { available }) => sum + available, 0),
  }
  if (last === null) return { since: paused ? 0 : now, ...seen }
  const moved = seen.updated > last.updated || seen.old < last.old || seen.ready > last.ready || seen.available > last.available
  // Zero stands for "not timed": a paused rollout has no deadline, and gets a whole one when it resumes.
  const since = paused ? 0 : moved || last.since === 0 ? now : last.since
  return since === last.since && sameNumbers(last, seen) ? last : { since, ...seen }
}

function sameNumbers(last: Progress, seen: Omit<Progress, 'since'>): boolean {
  return last.updated === seen.updated && last.old === seen.old && last.ready === seen.ready && last.available === seen.available
}

function nextRollout(rollout: Rollout, progress: Progress, complete: boolean, wanted: Wanted, now: number): Rollout {
  if (rollout.result === 'complete') return rollout
  if (complete) return { ...rollout, endedAt: now, result: 'complete' }
  const late = progress.since > 0 && now - progress.since >= wanted.spec.progressDeadlineSeconds * 1000
  if (late && rollout.result === 'running') return { ...rollout, endedAt: now, result: 'deadlineExceeded' }
  if (!late && rollout.result === 'deadlineExceeded') return { ...rollout, endedAt: 0, result: 'running' }
  return rollout
}

/** When time alone changes something for this workload: restarts, minReadySeconds, deadlines, steadiness. */
export function nextWake(
  pods: readonly PodNow[],
  wanted: Wanted | null,
  memory: WorkloadMemory,
  now: number,
): number | undefined {
  const times = pods.flatMap((pod) => podTimes(pod, wanted))
  if (wanted !== null && memory.rollout?.result === 'running' && memory.progress !== null && memory.progress.since > 0)
    times.push(memory.progress.since + wanted.spec.progressDeadlineSeconds * 1000)
  // Who keeps a pod off its node, or from its claim, may leave any time, and tells only those who route to it.
  if (pods.some(({ context }) => context.misfit !== '')) times.push(now + MISFIT_RETRY_MS)
  // So may whoever has a claim that is to go.
  if ((memory.claims?.doomed.length ?? 0) > 0) times.push(now + MISFIT_RETRY_MS)
  if (memory.setbacks !== undefined) times.push(resumeAt(memory.setbacks))
  const ahead = times.filter((time) => time > now)
  return ahead.length === 0 ? undefined : Math.min(...ahead)
}

function podTimes(pod: PodNow, wanted: Wanted | null): number[] {
  const times = pod.containers.flatMap(({ restartAt, stage, latest, awaits }) => [
    ...(restartAt === undefined ? [] : [restartAt]),
    ...(stage === 'running' && latest !== undefined ? [steadyAt(latest)] : []),
    ...(latest !== undefined && awaits.length > 0 ? [listenDeadline(latest)] : []),
  ])
  const { compiled, node } = pod.context
  times.push(...compiled.volumes.flatMap((volume) => renewAt(volume, node) ?? []))
  const { readySince } = pod.context.record
  const deadline = deadlineOf(pod)
  if (deadline !== undefined) times.push(deadline)
  if (wanted !== null && readySince > 0) times.push(readySince + wanted.spec.minReadySeconds * 1000)
  return times
}
