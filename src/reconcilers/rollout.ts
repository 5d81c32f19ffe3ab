/**
 * How many pods each replica set of a Deployment should have now: scaling, rolling update, Recreate.
 * @see Kubernetes pkg/controller/deployment/{sync,rolling,recreate}.go
 */
import type { IntOrPercent } from '../model/types/meta.ts'
import type { DeploymentSpec } from '../model/types/workload.ts'

/** A replica set in numbers; `pods` counts what is not being deleted. */
export interface SetCount {
  readonly name: string
  /** what it was last told to have */
  readonly replicas: number
  readonly pods: number
  readonly ready: number
  readonly available: number
  /** pods that are on their way out but still run */
  readonly terminating: number
  readonly createdAt: number
  readonly revision: number
}

/** Sets to what they should have, by name; sets left out keep their number. */
export type SetTargets = ReadonlyMap<string, number>

export interface Bounds {
  readonly surge: number
  readonly unavailable: number
}

/** maxSurge rounds up, maxUnavailable rounds down, both zero means one unavailable, and it never exceeds the replicas. */
export function rolloutBounds(spec: DeploymentSpec): Bounds {
  if (spec.strategy.type === 'Recreate') return { surge: 0, unavailable: spec.replicas }
  const { maxSurge, maxUnavailable } = spec.strategy.rollingUpdate
  const surge = resolveCount(maxSurge, spec.replicas, Math.ceil)
  const unavailable = resolveCount(maxUnavailable, spec.replicas, Math.floor)
  return { surge, unavailable: Math.min(surge === 0 && unavailable === 0 ? 1 : unavailable, spec.replicas) }
}

/**
 * One move of the rollout: grow the new set, or else shrink old ones.
 *
 * Never asks for more than `replicas + surge` pods in all, and never takes an available pod while that would
 * leave fewer than `replicas − maxUnavailable` available.
 *
 * @param next the set that carries the wanted template
 * @param old all other sets
 * @param scaled `spec.replicas` is not what the last pass worked towards
 */
export function planRollout(spec: DeploymentSpec, next: SetCount, old: readonly SetCount[], scaled: boolean): SetTargets {
  const rolling = old.some((set) => set.replicas > 0 || set.pods > 0) || next.replicas === 0
  if (spec.paused || !rolling || (scaled && next.replicas > 0)) return planScale(spec, next, old)
  if (spec.strategy.type === 'Recreate') return planRecreate(spec, next, old)
  const bounds = rolloutBounds(spec)
  const grown = growNext(spec, bounds, next, old)
  return grown !== next.replicas ? new Map([[next.name, grown]]) : shrinkOld(spec, bounds, next, old)
}

/** Every pod that should exist does, carries the wanted template and is available, and nothing older is left. */
export function isComplete(spec: DeploymentSpec, next: SetCount, old: readonly SetCount[]): boolean {
  const leftovers = old.some((set) => set.pods > 0 || set.replicas > 0)
  return !leftovers && next.pods === spec.replicas && next.available === spec.replicas && next.replicas === spec.replicas
}

function growNext(spec: DeploymentSpec, { surge }: Bounds, next: SetCount, old: readonly SetCount[]): number {
  if (next.replicas >= spec.replicas) return spec.replicas
  const total = sum([next, ...old], ({ replicas }) => replicas)
  const room = spec.replicas + surge - total
  return next.replicas + Math.max(0, Math.min(room, spec.replicas - next.replicas))
}

function shrinkOld(spec: DeploymentSpec, { unavailable }: Bounds, next: SetCount, old: readonly SetCount[]): SetTargets {
  const sets = [...old].sort(oldestFirst)
  const total = sum([next, ...old], ({ replicas }) => replicas)
  const minAvailable = spec.replicas - unavailable
  const max = total - minAvailable - (next.replicas - next.available)
  if (max <= 0) return new Map()
  const targets = new Map<string, number>()
  let room = max
  // First what does not serve anyway, so that a stuck rollout never costs a serving pod.
  for (const set of sets) {
    const unhealthy = Math.min(room, Math.max(0, set.replicas - set.available))
    if (unhealthy === 0) continue
    targets.set(set.name, set.replicas - unhealthy)
    room -= unhealthy
  }
  // What is left of the room is no more than what is available beyond the minimum: who does not serve is counted out by now.
  for (const set of sets) {
    const replicas = targets.get(set.name) ?? set.replicas
    const cut = Math.min(replicas, room)
    if (cut === 0) continue
    targets.set(set.name, replicas - cut)
    room -= cut
  }
  return targets
}

/** All old pods go, and are gone, before the first new one comes. */
function planRecreate(spec: DeploymentSpec, next: SetCount, old: readonly SetCount[]): SetTargets {
  const targets = new Map(old.filter(({ replicas }) => replicas > 0).map((set) => [set.name, 0]))
  const running = old.some(({ pods, terminating }) => pods > 0 || terminating > 0)
  if (targets.size === 0 && !running && next.replicas !== spec.replicas) targets.set(next.name, spec.replicas)
  return targets
}

/** A change of `replicas` alone, or a paused rollout: several live sets share the change in proportion. */
function planScale(spec: DeploymentSpec, next: SetCount, old: readonly SetCount[]): SetTargets {
  const live = [next, ...old].filter(({ replicas }) => replicas > 0)
  if (live.length <= 1) {
    const only = live[0] ?? next
    return only.replicas === spec.replicas ? new Map() : new Map([[only.name, spec.replicas]])
  }
  if (next.available === spec.replicas && next.replicas === spec.replicas)
    return new Map(old.filter(({ replicas }) => replicas > 0).map((set) => [set.name, 0]))
  const allowed = spec.replicas > 0 ? spec.replicas + rolloutBounds(spec).surge : 0
  return scaleProportionally(allowed, live)
}

function scaleProportionally(allowed: number, live: readonly SetCount[]): SetTargets {
  const total = sum(live, ({ replicas }) => replicas)
  const change = allowed - total
  if (change === 0) return new Map()
  const sets = [...live].sort(
    (a, b) =>
      b.replicas - a.replicas ||
      (change > 0 ? b.createdAt - a.createdAt : a.createdAt - b.createdAt) ||
      compareText(a.name, b.name),
  )
  const targets = new Map<string, number>()
  let left = change
  for (const set of sets) {
    const share = Math.trunc(Math.round((set.replicas * allowed) / total) - set.replicas)
    const part = change > 0 ? Math.min(Math.max(share, 0), left) : Math.max(Math.min(share, 0), left)
    targets.set(set.name, set.replicas + part)
    left -= part
  }
  const [largest] = sets
  if (largest !== undefined && left !== 0) targets.set(largest.name, Math.max(0, (targets.get(largest.name) ?? 0) + left))
  return targets
}

function oldestFirst(a: SetCount, b: SetCount): number {
  return a.createdAt - b.createdAt || a.revision - b.revision || compareText(a.name, b.name)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

/** @see Kubernetes apimachinery intstr.GetScaledValueFromIntOrPercent */
export function resolveCount(value: IntOrPercent, total: number, round: (x: number) => number): number {
  if (typeof value === 'number') return value
  return round((Number.parseInt(value, 10) * total) / 100)
}
