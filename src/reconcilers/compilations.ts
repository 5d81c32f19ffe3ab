/**
 * Compiled pods, so that a pass compiles none twice. What a pod is compiled from changes next to never, and the values that
 * its set is bound to live as long as the set: so it is kept with them, until the pod is gone.
 */
import type { ObjectKey } from '../model/types/meta.ts'
import type { CompiledPod } from './compile.ts'
import type { BoundConfig } from './memory.ts'

export interface Compilations {
  /** @param from whatever else the compilation follows from, compared one by one */
  of(owner: ObjectKey, config: BoundConfig, uid: string, from: readonly unknown[], compile: () => CompiledPod): CompiledPod
  /** Forgets pods of a workload that are not among the living. A set stays in the history long after its last pod. */
  sweep(owner: ObjectKey, sets: readonly { readonly config: BoundConfig }[], living: readonly { readonly uid: string }[]): void
  /** how many pods of a workload are kept with these values */
  count(owner: ObjectKey, config: BoundConfig): number
}

interface Kept {
  readonly from: readonly unknown[]
  readonly pod: CompiledPod
}

export function createCompilations(): Compilations {
  /** by workload too, for Jobs of one CronJob have the very same values */
  const kept = new WeakMap<BoundConfig, Map<ObjectKey, Map<string, Kept>>>()

  function podsOf(owner: ObjectKey, config: BoundConfig): Map<string, Kept> {
    const owners = kept.get(config) ?? new Map<ObjectKey, Map<string, Kept>>()
    kept.set(config, owners)
    const pods = owners.get(owner) ?? new Map<string, Kept>()
    owners.set(owner, pods)
    return pods
  }

  function count(owner: ObjectKey, config: BoundConfig): number {
    return kept.get(config)?.get(owner)?.size ?? 0
  }

  return {
    of(owner, config, uid, from, compile) {
      const pods = podsOf(owner, config)
      const known = pods.get(uid)
      if (known !== undefined && from.every((value, index) => value === known.from[index])) return known.pod
      const pod = compile()
      pods.set(uid, { from, pod })
      return pod
    },
    sweep(owner, sets, living) {
      if (sets.reduce((sum, { config }) => sum + count(owner, config), 0) <= living.length) return
      const staying = new Set(living.map(({ uid }) => uid))
      for (const { config } of sets) {
        const pods = podsOf(owner, config)
        for (const uid of pods.keys()) if (!staying.has(uid)) pods.delete(uid)
        if (pods.size === 0) kept.get(config)?.delete(owner)
      }
    },
    count,
  }
}
