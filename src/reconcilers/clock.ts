/**
 * A clock may be set back: what was written down before then lies in the future, and whoever waited for it would wait for
 * as long as the clock was set back. Such times are taken for what they mean: long ago for what the engine says, now for
 * what is remembered, so that a wait that had begun begins again and ends.
 */
import type { ContainerView } from '../runtime/engine.ts'
import type { JobMemory, PodRecord, Setbacks, WorkloadMemory } from './memory.ts'
import type { ObservedPod, PodContainer } from './observed.ts'
import type { WorkloadInput } from './workloadinput.ts'

/** The clock of an engine on another host may be ahead of ours by some seconds; nothing is made of that. */
const SKEW_MS = 60_000
/** For times that are not known any more; 0 would mean that it never happened. */
const LONG_AGO = 1

/** Whether a time was written before the clock was set back. */
export function isAhead(at: number, now: number): boolean {
  return at - now > SKEW_MS
}

/** The same input with no time in it that lies ahead; the very same value in all but the rarest passes. */
export function underOneClock(input: WorkloadInput): WorkloadInput {
  const { memory, pods, now } = input
  const settledMemory = memory && settleMemory(memory, now)
  const settledPods = pods.some((pod) => viewsOf(pod).some((view) => viewIsAhead(view, now)))
    ? pods.map((pod) => settlePod(pod, now))
    : pods
  return settledMemory === memory && settledPods === pods ? input : { ...input, memory: settledMemory, pods: settledPods }
}

function settleMemory(memory: WorkloadMemory, now: number): WorkloadMemory {
  const { pods, progress, setbacks, job } = memory
  const ahead = (at: number | undefined): boolean => at !== undefined && isAhead(at, now)
  const jobIsAhead = job !== undefined && timesOf(job).some(ahead)
  const recordsAhead = pods.some((record) => recordIsAhead(record, now))
  if (!recordsAhead && !ahead(progress?.since) && !ahead(setbacks?.at) && !jobIsAhead) return memory
  return {
    ...memory,
    pods: pods.map((record) => (recordIsAhead(record, now) ? settleRecord(record, now) : record)),
    progress: progress !== null && ahead(progress.since) ? { ...progress, since: now } : progress,
    ...(setbacks !== undefined && ahead(setbacks.at) ? { setbacks: { ...setbacks, at: now } } : {}),
    ...(jobIsAhead ? { job: settleJob(job, now) } : {}),
  }
}

function timesOf({ startedAt, setbacks, indexes, end }: JobMemory): number[] {
  return [startedAt, setbacks.at, ...Object.values(indexes).map(({ at }) => at), end?.at ?? 0]
}

function settleJob(job: JobMemory, now: number): JobMemory {
  const { startedAt, setbacks, indexes, end } = job
  const settled = ({ count, at }: Setbacks): Setbacks => ({ count, at: Math.min(at, now) })
  return {
    ...job,
    startedAt: Math.min(startedAt, now),
    setbacks: settled(setbacks),
    indexes: Object.fromEntries(Object.entries(indexes).map(([index, own]) => [index, settled(own)])),
    end: end && { ...end, at: Math.min(end.at, now) },
  }
}

function recordIsAhead({ createdAt, readySince, deletion }: PodRecord, now: number): boolean {
  return isAhead(createdAt, now) || isAhead(readySince, now) || (deletion !== undefined && isAhead(deletion.since, now))
}

function settleRecord(record: PodRecord, now: number): PodRecord {
  const { createdAt, readySince, deletion } = record
  return {
    ...record,
    createdAt: Math.min(createdAt, now),
    readySince: Math.min(readySince, now),
    ...(deletion === undefined ? {} : { deletion: { ...deletion, since: Math.min(deletion.since, now) } }),
  }
}

function viewsOf({ sandbox, containers }: ObservedPod): ContainerView[] {
  return [...(sandbox === undefined ? [] : [sandbox]), ...[...containers.values()].flat()]
}

function viewIsAhead({ createdAt, startedAt, finishedAt }: ContainerView, now: number): boolean {
  return isAhead(createdAt, now) || isAhead(startedAt, now) || isAhead(finishedAt, now)
}

function settlePod(pod: ObservedPod, now: number): ObservedPod {
  return {
    ...pod,
    sandbox: pod.sandbox && settleView(pod.sandbox, now),
    containers: new Map([...pod.containers].map(([name, views]) => [name, views.map((view) => settleView(view, now))])),
  }
}

function settleView(view: ContainerView, now: number): PodContainer {
  const known = (at: number): number => (isAhead(at, now) ? LONG_AGO : at)
  const { createdAt, startedAt, finishedAt } = view
  return {
    ...view,
    createdAt: known(createdAt),
    startedAt: known(startedAt),
    finishedAt: known(finishedAt),
    ...(isAhead(startedAt, now) ? { startedAhead: startedAt } : {}),
  }
}
