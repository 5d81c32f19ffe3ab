/**
 * What a newly rendered revision means for the cluster: which objects are to be there, as the revision has
 * them or as they were last applied, and which are to go.
 */
import { same } from '../diff/equal.ts'
import { byText, workloadKinds } from '../diff/order.ts'
import type { Loaded, LoadedObject, Problem } from '../model/types/loaded.ts'
import { type ObjectKey, objectKey, splitKey } from '../model/types/meta.ts'
import { gatesPrune, type Hold, type HoldKind, type PruneConfig, selectPrune } from './prune.ts'

/** An object that is to be there: as the revision has it, or as it was last applied and why. */
export type Effective =
  | (LoadedObject & { readonly state: 'wanted' })
  | (LoadedObject & { readonly state: 'retained'; readonly kind: HoldKind; readonly reason: string })

export interface AssessInput {
  readonly loaded: Loaded
  readonly lastApplied: ReadonlyMap<ObjectKey, LoadedObject>
  readonly config: PruneConfig
  /** whether a wanted workload has every replica on this revision, Ready and routed; asked for applied workloads only */
  readonly healthy: (key: ObjectKey) => boolean
  /** what went wrong before validation, such as a failed kustomize build: the revision lacks something */
  readonly problems?: readonly Problem[]
}

export interface Assessment {
  /** what is to be there, sorted by key; never holds what `prune` does */
  readonly effective: ReadonlyMap<ObjectKey, Effective>
  /** to be deleted now, in reverse apply order */
  readonly prune: readonly ObjectKey[]
  /** objects of `effective` that are retained, and why, sorted by key */
  readonly held: readonly Hold[]
  /** wanted objects that are new or differ from what was last applied, sorted by key */
  readonly changed: readonly ObjectKey[]
  /** set when the revision as a whole changes nothing: why, and what to do */
  readonly refusedWhole?: string
}

/**
 * Pure: no clock, no randomness; equal arguments give equal assessments, whatever order maps are in.
 *
 * An object is known by its key alone, so moving it to another file is no change. An object that the revision
 * refuses, as it does one declared twice, keeps what was last applied. A revision that renders nothing changes nothing.
 */
export function assess(input: AssessInput): Assessment {
  const { loaded, lastApplied, config } = input
  if (loaded.objects.size === 0) return refuseWhole(input)
  const wanted = loaded.objects
  const refused = refusals(loaded)
  const changed = selectChanged(wanted, lastApplied)
  const missing = selectMissing(lastApplied, wanted)
  const doubtful = missing.flatMap(([key, object]) => doubt(key, object, loaded, refused))
  const doubtfulKeys = new Set(doubtful.map(({ key }) => key))
  const verdict = selectPrune({
    revision: loaded.revision,
    leaving: new Map(missing.filter(([key]) => !doubtfulKeys.has(key))),
    present: new Set([...wanted.keys(), ...lastApplied.keys()]),
    appliedCount: lastApplied.size,
    config,
    incomplete: incompleteness(input),
    unhealthy: unhealthyWorkloads(wanted, new Set(changed), input.healthy),
  })
  const held = [...doubtful, ...verdict.held].sort((a, b) => byText(a.key, b.key))
  return {
    effective: selectEffective(wanted, lastApplied, held),
    prune: verdict.prune,
    held,
    changed,
  }
}

function refuseWhole({ loaded, lastApplied, problems = [] }: AssessInput): Assessment {
  const first = problems[0] ?? loaded.problems[0]
  const cause = first === undefined ? '' : ` (${first.file}:${first.line}: ${first.message})`
  const kept = lastApplied.size === 0 ? 'nothing is applied' : 'everything last applied is kept'
  const refusedWhole = `revision ${loaded.revision} renders no objects${cause}: ${kept}. Commit at least one object, or remove the whole cluster with "trireme down"`
  const held = [...lastApplied.keys()]
    .sort(byText)
    .map((key): Hold => ({ key, kind: 'empty', reason: 'the revision renders no objects' }))
  return { effective: selectEffective(new Map(), lastApplied, held), prune: [], held, changed: [], refusedWhole }
}

/** Objects that the revision names and refuses, with the reason. */
function refusals(loaded: Loaded): ReadonlyMap<ObjectKey, string> {
  const refused = new Map<ObjectKey, string>()
  for (const { file, line, kind, namespace, name, verdict, reasons } of loaded.verdicts) {
    if (verdict !== 'refused' || kind === '' || name === '') continue
    const reason = `refused at ${file}:${line}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`
    const key = objectKey(kind, namespace, name)
    if (!refused.has(key)) refused.set(key, reason)
  }
  return refused
}

function selectMissing(
  lastApplied: ReadonlyMap<ObjectKey, LoadedObject>,
  wanted: ReadonlyMap<ObjectKey, LoadedObject>,
): [ObjectKey, LoadedObject][] {
  return [...lastApplied].filter(([key]) => !wanted.has(key))
}

/** Whether a missing object only seems to have left: it is refused, or was in a file that cannot be read. */
function doubt(key: ObjectKey, applied: LoadedObject, loaded: Loaded, refused: ReadonlyMap<ObjectKey, string>): Hold[] {
  const reason = refused.get(key) ?? refusedSuccessor(key, refused)
  if (reason !== undefined) return [{ key, kind: 'refused', reason: `keeps its last applied state: ${reason}` }]
  const { file } = applied.origin
  if (!loaded.brokenFiles.has(file)) return []
  return [{ key, kind: 'brokenFile', reason: `keeps its last applied state: ${file} ${whyBroken(file, loaded)}` }]
}

/** A workload that became one of another kind, which is refused, would go without anything in its place. */
function refusedSuccessor(key: ObjectKey, refused: ReadonlyMap<ObjectKey, string>): string | undefined {
  const { kind, namespace, name } = splitKey(key)
  if (!workloadKinds.has(kind)) return undefined
  const successor = [...workloadKinds].map((other) => objectKey(other, namespace, name)).find((other) => refused.has(other))
  return successor && `${successor} in its place is ${refused.get(successor)}`
}

function whyBroken(file: string, { problems }: Loaded): string {
  const problem = problems.find((one) => one.file === file)
  return problem === undefined ? 'cannot be read' : `is broken at line ${problem.line}: ${problem.message}`
}

/**
 * What the revision may be lacking. An object that left one file may be on its way in another that is broken.
 * A document refused for what this version does not support is known for what it is: it leaves its file whole.
 */
function incompleteness({ loaded, problems = [] }: AssessInput): string {
  const [problem] = problems
  if (problem !== undefined) return `${problem.file}: ${problem.message}`
  const [file] = [...loaded.brokenFiles].sort(byText)
  return file === undefined ? '' : `${file} ${whyBroken(file, loaded)}`
}

/** What has not been applied yet cannot be healthy: any health it has is that of what ran before. */
function unhealthyWorkloads(
  wanted: ReadonlyMap<ObjectKey, LoadedObject>,
  changed: ReadonlySet<ObjectKey>,
  healthy: (key: ObjectKey) => boolean,
): ObjectKey[] {
  const waiting: ObjectKey[] = []
  for (const [key, object] of wanted) if (gatesPrune(object) && (changed.has(key) || !healthy(key))) waiting.push(key)
  return waiting.sort(byText)
}

function selectEffective(
  wanted: ReadonlyMap<ObjectKey, LoadedObject>,
  lastApplied: ReadonlyMap<ObjectKey, LoadedObject>,
  held: readonly Hold[],
): ReadonlyMap<ObjectKey, Effective> {
  const effective = new Map<ObjectKey, Effective>()
  for (const [key, { object, origin, unenforced }] of wanted) effective.set(key, { object, origin, unenforced, state: 'wanted' })
  for (const { key, kind, reason } of held) {
    const applied = lastApplied.get(key)
    if (applied !== undefined) effective.set(key, { ...applied, state: 'retained', kind, reason })
  }
  return sortedByKey(effective)
}

/** Mostly it is in order already, and told so faster than it is sorted. */
function sortedByKey<T>(map: ReadonlyMap<ObjectKey, T>): ReadonlyMap<ObjectKey, T> {
  let before = ''
  for (const key of map.keys()) {
    if (key < before) return new Map([...map].sort(([a], [b]) => byText(a, b)))
    before = key
  }
  return map
}

function selectChanged(
  wanted: ReadonlyMap<ObjectKey, LoadedObject>,
  lastApplied: ReadonlyMap<ObjectKey, LoadedObject>,
): ObjectKey[] {
  const changed: ObjectKey[] = []
  for (const [key, { object }] of wanted) if (!same(lastApplied.get(key)?.object, object)) changed.push(key)
  return changed.sort(byText)
}
