/** What the volumes of a pod hold, against their limits and the pod's own. */
import type { PodUsage } from '../../model/types/pod.ts'
import type { Engine } from '../engine.ts'
import type { Timers } from '../timers.ts'
import { failure, ownError, type ProbeAnswer, type ProbeSite, success } from './answer.ts'

const NOTHING: ReadonlyMap<string, number> = new Map()

export type VolumeCounts = (engine: Engine) => Promise<ReadonlyMap<string, number>>

/** However many pods ask, an engine counts at most once in this time: ms. */
const KEPT_MS = 30_000

/** An engine counts all of its volumes at once, and refuses a second count while one is under way: so all who ask share one. */
export function createVolumeCounts(timers: Timers): VolumeCounts {
  const counts = new Map<Engine, Promise<ReadonlyMap<string, number>>>()
  return (engine) => {
    const known = counts.get(engine)
    if (known !== undefined) return known
    const count = engine.volumeBytes()
    const forget = (): void => void counts.delete(engine)
    counts.set(engine, count)
    count.then(() => timers.setTimeout(forget, KEPT_MS), forget)
    return count
  }
}

/**
 * What cannot be counted says nothing of the pod.
 *
 * @see Kubernetes pkg/kubelet/eviction, emptyDirLimitEviction and podEphemeralStorageLimitEviction
 */
export async function probeUsage(usage: PodUsage, { engine }: ProbeSite, counts: VolumeCounts): Promise<ProbeAnswer> {
  try {
    const held = usage.volumes.length === 0 ? NOTHING : await counts(engine)
    const full = usage.volumes.find(({ source, limit }) => limit !== undefined && (held.get(source) ?? 0) > limit.bytes)
    if (full !== undefined) return failure(`Usage of EmptyDir volume "${full.name}" exceeds the limit "${full.limit?.text}".`)
    if (usage.total === undefined) return success('within its limits')
    const written = await Promise.all(usage.containers.map((id) => engine.writtenBytes(id)))
    const inVolumes = usage.volumes.map(({ source }) => held.get(source) ?? 0)
    const sum = [...written, ...inVolumes].reduce((all, bytes) => all + bytes, 0)
    if (sum <= usage.total.bytes) return success('within its limits')
    return failure(`Pod ephemeral local storage usage exceeds the total limit of containers ${usage.total.text}.`)
  } catch (error) {
    return ownError(error instanceof Error ? error.message : String(error))
  }
}
