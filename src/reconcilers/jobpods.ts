/** Which pods a Job has: how many at once, for which indexes, and when the next one may be made. */
import { parseIndexes } from '../model/indexes.ts'
import type { JobSpec } from '../model/types/workload.ts'
import type { JobMemory, Setbacks } from './memory.ts'
import type { PodNow } from './podstate.ts'
import { isActive, slowStart } from './replicas.ts'

/** @see Kubernetes pkg/controller/job/backoff_utils.go: 10 s doubling to 10 min */
const BACKOFF_FIRST_MS = 10_000
const BACKOFF_MAX_MS = 600_000

/** How many pods are to be active; none once the Job has ended or while it is suspended. */
export function activeWanted(job: JobMemory, spec: JobSpec, active: number): number {
  if (job.end !== null || spec.suspend) return 0
  // Without a number of completions, those that run go on to their end.
  if (spec.completions === undefined) return job.succeeded > 0 ? Math.min(active, spec.parallelism) : spec.parallelism
  const settled = job.succeeded + parseIndexes(job.failedIndexes).length
  return Math.min(spec.completions - settled, spec.parallelism)
}

/** What is to be made now: an index for each pod of an Indexed Job, `undefined` for each other. */
export function podsToMake(
  job: JobMemory,
  spec: JobSpec,
  own: readonly PodNow[],
  wanted: number,
  now: number,
): readonly (number | undefined)[] {
  const occupying = own.filter((pod) => isActive(pod) || (spec.podReplacementPolicy === 'Failed' && isEnding(pod)))
  const missing = slowStart(wanted - occupying.length, own)
  if (missing <= 0) return []
  if (spec.backoffLimitPerIndex === undefined && now < mayFollow(job.setbacks)) return []
  if (spec.completionMode === 'NonIndexed') return Array.from({ length: missing }, () => undefined)
  return freeIndexes(job, spec, occupying, now).slice(0, missing)
}

/** On its way out, and not at its end yet. */
export function isEnding({ context: { record }, phase, containers }: PodNow): boolean {
  if (record.deletion === undefined) return false
  return (
    containers.some(({ stage }) => stage === 'running' || stage === 'paused') || (phase !== 'Succeeded' && phase !== 'Failed')
  )
}

/** The lowest indexes that have neither ended nor a pod. */
function freeIndexes(job: JobMemory, spec: JobSpec, occupying: readonly PodNow[], now: number): number[] {
  const taken = new Set<number | undefined>([
    ...parseIndexes(job.succeededIndexes),
    ...parseIndexes(job.failedIndexes),
    ...occupying.map(({ context }) => context.record.index),
  ])
  const all = Array.from({ length: spec.completions ?? 0 }, (_, index) => index)
  return all.filter((index) => !taken.has(index) && now >= mayFollow(job.indexes[index]))
}

/** When the next pod may be made after some have failed in a row: ms since the epoch. */
function mayFollow(setbacks: Setbacks | undefined): number {
  if (setbacks === undefined || setbacks.count === 0) return 0
  return setbacks.at + Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(setbacks.count - 1, 10))
}

/** Times at which a pod may follow one that failed. */
export function followTimes({ setbacks, indexes }: JobMemory): number[] {
  return [setbacks, ...Object.values(indexes)].map(mayFollow)
}

/**
 * Which of the active pods are too many, those that should go first coming first. After a lost store an index may have
 * two: its pod that was on its way out, and the one in its place.
 */
export function surplusOf(ranked: readonly PodNow[], wanted: number): readonly PodNow[] {
  const kept: PodNow[] = []
  for (const pod of ranked.toReversed()) {
    const { index } = pod.context.record
    const twin = index !== undefined && kept.some(({ context }) => context.record.index === index)
    if (kept.length < wanted && !twin) kept.push(pod)
  }
  return ranked.filter((pod) => !kept.includes(pod))
}
