/**
 * Which of the objects that left Git may be deleted now, and why the others may not.
 *
 * Deleting is the one thing a later commit cannot take back, so every doubt keeps: a revision that was not
 * read whole, an object that asks to be kept, a share of the cluster too large to be meant, replacements that
 * do not serve yet.
 */
import { inApplyOrder, workloadKinds } from '../diff/order.ts'
import type { LoadedObject } from '../model/types/loaded.ts'
import { type Labels, type ObjectKey, splitKey } from '../model/types/meta.ts'

export type HoldKind =
  | 'empty' /** the revision renders nothing at all */
  | 'brokenFile' /** the file it came from could not be read */
  | 'refused' /** it is in the revision, and was refused there */
  | 'protected' /** the object itself asks to be kept */
  | 'disabled' /** pruning is switched off */
  | 'incomplete' /** some other part of the revision is missing, and may be where the object went */
  | 'ceiling' /** more would go than may without confirmation */
  | 'health' /** a wanted workload is not healthy yet */
  | 'occupied' /** a namespace with objects in it */

/** An object that is kept although the revision does not bring it, and why: a sentence for the status. */
export interface Hold {
  readonly key: ObjectKey
  readonly kind: HoldKind
  readonly reason: string
}

export interface PruneConfig {
  readonly prune: boolean
  /** the largest share of the applied objects that goes without confirmation, 0 to 1 */
  readonly maxShare: number
  /** the revision whose deletions the operator has confirmed: its id, or at least the first 7 digits of it */
  readonly confirmedRevision?: string
}

export interface PruneInput {
  readonly revision: string
  /** what left Git, as last applied */
  readonly leaving: ReadonlyMap<ObjectKey, LoadedObject>
  /** every object that is there or comes to be, `leaving` included */
  readonly present: ReadonlySet<ObjectKey>
  /** how many objects were last applied */
  readonly appliedCount: number
  readonly config: PruneConfig
  /** why the revision may be lacking something, `''` when it was read whole */
  readonly incomplete: string
  /** wanted workloads that are not healthy, sorted */
  readonly unhealthy: readonly ObjectKey[]
}

export interface PruneVerdict {
  /** to be deleted now, in reverse apply order */
  readonly prune: readonly ObjectKey[]
  readonly held: readonly Hold[]
}

/** Up to this many objects go whatever share they are: small clusters change by large shares. */
const freeCount = 3

/** Sorts what left Git into what goes now and what stays for now. Pure; equal arguments give equal verdicts. */
export function selectPrune(input: PruneInput): PruneVerdict {
  const keys = inApplyOrder(input.leaving.keys()).reverse()
  const kept = keys.flatMap((key) => holdOf(key, 'protected', protection(input.leaving.get(key))))
  const keptKeys = new Set(kept.map(({ key }) => key))
  const free = keys.filter((key) => !keptKeys.has(key))
  const together = holdTogether(input, free)
  if (together !== undefined) return { prune: [], held: [...kept, ...free.flatMap((key) => holdOf(key, ...together))] }
  const occupied = free.flatMap((key) => holdOf(key, 'occupied', occupants(key, input.present)))
  const occupiedKeys = new Set(occupied.map(({ key }) => key))
  return { prune: free.filter((key) => !occupiedKeys.has(key)), held: [...kept, ...occupied] }
}

function holdOf(key: ObjectKey, kind: HoldKind, reason: string): Hold[] {
  return reason === '' ? [] : [{ key, kind, reason }]
}

/** The first reason that keeps all of them at once. */
function holdTogether(input: PruneInput, free: readonly ObjectKey[]): [HoldKind, string] | undefined {
  const reasons: [HoldKind, string][] = [
    ['disabled', input.config.prune ? '' : 'pruning is off'],
    ['incomplete', input.incomplete === '' ? '' : `nothing is pruned while the revision is incomplete: ${input.incomplete}`],
    ['ceiling', excess(input, free.length)],
    ['health', input.unhealthy.length === 0 ? '' : `waits for health: ${listed(input.unhealthy)}`],
  ]
  return reasons.find(([, reason]) => reason !== '')
}

function excess({ revision, appliedCount, config }: PruneInput, count: number): string {
  if (isConfirmed(revision, config.confirmedRevision)) return ''
  if (count <= freeCount || count <= config.maxShare * appliedCount) return ''
  const share = `${count} of ${appliedCount} objects would be pruned, more than ${Math.round(config.maxShare * 100)}% at once`
  return `${share}; confirm revision ${revision} if that is meant`
}

/** A folder's revision is a digest with `folder-` before it; people give the digits alone. */
function isConfirmed(revision: string, confirmed: string | undefined): boolean {
  if (confirmed === undefined || confirmed === '') return false
  return revision.startsWith(confirmed) || revision.startsWith(`folder-${confirmed}`)
}

function listed(keys: readonly ObjectKey[]): string {
  const [first = '', ...others] = keys
  return others.length === 0 ? `${first} is not healthy` : `${first} and ${others.length} more are not healthy`
}

/** Annotations that keep an object, by what each tool's users write. */
const protections: readonly { readonly annotation: string; readonly protects: (value: string) => boolean }[] = [
  { annotation: 'trireme.dev/prune', protects: (value) => word(value) === 'disabled' },
  { annotation: 'kustomize.toolkit.fluxcd.io/prune', protects: (value) => word(value) === 'disabled' },
  { annotation: 'argocd.argoproj.io/sync-options', protects: (value) => value.split(',').map(word).includes('prune=false') },
  { annotation: 'helm.sh/resource-policy', protects: (value) => value.split(',').map(word).includes('keep') },
]

function word(value: string): string {
  return value.trim().toLowerCase()
}

function protection(loaded: LoadedObject | undefined): string {
  const annotations: Labels = loaded?.object.metadata.annotations ?? {}
  for (const { annotation, protects } of protections) {
    const value = Object.hasOwn(annotations, annotation) ? annotations[annotation] : undefined
    if (value !== undefined && protects(value)) return `its annotation ${annotation}: ${value} keeps it`
  }
  return ''
}

/** Why a namespace cannot go yet; `''` for one that is empty and for everything else. */
function occupants(key: ObjectKey, present: ReadonlySet<ObjectKey>): string {
  const { kind, name } = splitKey(key)
  if (kind !== 'Namespace') return ''
  const inside = inApplyOrder([...present].filter((other) => splitKey(other).namespace === name))
  if (inside.length === 0) return ''
  return `waits until nothing is left in it: ${inside[0]}${inside.length > 1 ? ` and ${inside.length - 1} more` : ''}`
}

/** Whether pruning waits for this object's health: it runs pods, and Trireme acts on it. */
export function gatesPrune({ object }: LoadedObject): boolean {
  return workloadKinds.has(object.kind) && !('body' in object)
}
