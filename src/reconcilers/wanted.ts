/** What Git wants of a workload, as one shape for all kinds, and the sets that carry it. */
import { canonicalText } from '../model/canonical.ts'
import type { PodTemplate } from '../model/types/pod.ts'
import type { DeploymentSpec, PodWorkload } from '../model/types/workload.ts'
import { bindTemplate, type ConfigLookup, provesConfig, pullSecretNames, templateHash } from './binding.ts'
import { type BoundConfig, type SetRecord, secretDigests, type WorkloadMemory } from './memory.ts'
import { rolloutSpec } from './rolloutspec.ts'
import type { NodeTraits } from './scheduling.ts'

export interface Wanted {
  readonly template: PodTemplate
  readonly config: BoundConfig
  /** sentences about what the template refers to and does not exist */
  readonly missing: readonly string[]
  readonly hash: string
  /** name of the set that carries the template */
  readonly set: string
  /** a Deployment's own spec, or what amounts to it for another kind */
  readonly spec: DeploymentSpec
  readonly sourceRevision: string
}

export function wantedOf(
  target: PodWorkload,
  lookup: ConfigLookup,
  sourceRevision: string,
  nodes: readonly NodeTraits[],
): Wanted {
  const spec = rolloutSpec(target, nodes)
  const { config, missing } = bindTemplate(spec.template, target.metadata.namespace, lookup)
  const hash = templateHash(spec.template, config)
  return { template: spec.template, config, missing, hash, set: `${target.metadata.name}-${hash}`, spec, sourceRevision }
}

/**
 * Makes sure that a set carries the wanted template: the matching one is brought to the front, or a new one is made,
 * but not while the Deployment is paused.
 */
export function declareSet(memory: WorkloadMemory, wanted: Wanted, uid: () => string, now: number): WorkloadMemory {
  const newest = newestSet(memory)
  const match = memory.sets.find(({ name }) => name === wanted.set)
  if (match !== undefined && match === newest) return pruneHistory(rebindSet(memory, match, wanted), wanted)
  if (wanted.spec.paused) return memory
  const revision = (newest?.revision ?? 0) + 1
  const set: SetRecord = match === undefined ? newSet(wanted, uid(), revision, now) : { ...match, revision }
  return pruneHistory(
    {
      ...memory,
      generation: memory.generation + 1,
      sets: [...memory.sets.filter(({ name }) => name !== set.name), set],
      progress: null,
      rollout: { set: set.name, startedAt: now, endedAt: 0, result: 'running', sourceRevision: wanted.sourceRevision },
    },
    wanted,
  )
}

/**
 * What a template refers to may change without changing its hash, where its annotation says so: the set takes what there
 * is, as long as nothing is missing. Pull credentials it always takes: the next pull is to succeed.
 */
function rebindSet(memory: WorkloadMemory, set: SetRecord, wanted: Wanted): WorkloadMemory {
  const runs = memory.pods.some((pod) => pod.set === set.name && pod.bound)
  const follows = !runs || (!provesConfig(wanted.template) && wanted.missing.length === 0)
  const config = follows ? wanted.config : withCredentials(set.config, wanted)
  if (set.config === config || canonicalText(set.config) === canonicalText(config)) return memory
  const retired = runs ? retiredValues(set, config) : []
  const rebound = { ...set, config, ...(retired.length === 0 ? {} : { retired }) }
  return { ...memory, sets: memory.sets.map((other) => (other === set ? rebound : other)) }
}

/** Secret values that its pods may still hold, and say. */
function retiredValues({ retired = [], config: before }: SetRecord, config: BoundConfig): string[] {
  const now = new Set(secretDigests(config))
  return [...new Set([...retired, ...secretDigests(before)])].filter((digest) => !now.has(digest))
}

function withCredentials(config: BoundConfig, wanted: Wanted): BoundConfig {
  const names = pullSecretNames(wanted.template)
  if (names.size === 0) return config
  const others = Object.entries(config.secrets).filter(([name]) => !names.has(name))
  const pulling = Object.entries(wanted.config.secrets).filter(([name]) => names.has(name))
  return { ...config, secrets: Object.fromEntries([...others, ...pulling]) }
}

export function newestSet(memory: WorkloadMemory): SetRecord | undefined {
  return memory.sets.reduce<SetRecord | undefined>(
    (best, set) => (best === undefined || set.revision > best.revision ? set : best),
    undefined,
  )
}

function newSet(wanted: Wanted, uid: string, revision: number, now: number): SetRecord {
  const { template, config, hash, sourceRevision } = wanted
  return { name: wanted.set, uid, hash, revision, replicas: 0, createdAt: now, template, config, sourceRevision }
}

/** Keeps `revisionHistoryLimit` empty sets for rollbacks, the newest ones, and the one that pods below a partition come back on. */
function pruneHistory(memory: WorkloadMemory, wanted: Wanted): WorkloadMemory {
  const used = new Set(memory.pods.map(({ set }) => set))
  const empty = memory.sets
    .filter((set) => set.name !== wanted.set && set.name !== memory.current && set.replicas === 0 && !used.has(set.name))
    .sort((a, b) => b.revision - a.revision)
  const surplus = new Set(empty.slice(wanted.spec.revisionHistoryLimit).map(({ name }) => name))
  return surplus.size === 0 ? memory : { ...memory, sets: memory.sets.filter(({ name }) => !surplus.has(name)) }
}
