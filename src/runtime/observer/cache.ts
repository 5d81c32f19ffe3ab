import { same } from '../../diff/equal.ts'

export type Labels = Readonly<Record<string, string>>

/** One object as it was and as it is; `undefined` where there was or is none. */
export interface Change<T> {
  readonly before: T | undefined
  readonly after: T | undefined
}

/** What these objects are and were labelled. */
export function labelsOf(changes: readonly Change<{ readonly labels: Labels }>[]): Labels[] {
  return changes.flatMap(({ before, after }) => {
    const view = after ?? before
    return view === undefined ? [] : [view.labels]
  })
}

/**
 * Objects of one kind on one node, by id or name, fed by answers that may overtake each other.
 *
 * Each observation takes a ticket before it asks the engine. An answer never replaces one that was asked
 * for later, so an object seen to be gone does not come back with an answer from before that.
 */
export class ObjectCache<T extends { readonly labels: Labels }> {
  #tickets = 0
  readonly #idOf: (view: T) => string
  readonly #views = new Map<string, T>()
  /** ticket of the last observation of what is there, by id */
  readonly #seen = new Map<string, number>()
  /** ticket of the observation that found an object gone, by id */
  readonly #gone = new Map<string, number>()

  constructor(idOf: (view: T) => string) {
    this.#idOf = idOf
  }

  /** To be taken before the engine is asked. */
  ticket(): number {
    this.#tickets += 1
    return this.#tickets
  }

  has(id: string): boolean {
    return this.#views.has(id)
  }

  get(id: string): T | undefined {
    return this.#views.get(id)
  }

  /** The objects by id; live, for a copy of all with every change of one would cost more than the change. */
  views(): ReadonlyMap<string, T> {
    return this.#views
  }

  /** Takes one object's answer in; `undefined` when there is none. */
  put(id: string, view: T | undefined, ticket: number): Change<T>[] {
    if ((this.#gone.get(id) ?? 0) > ticket || (this.#seen.get(id) ?? 0) > ticket) return []
    if (view === undefined) {
      this.#gone.set(id, ticket)
      return this.#drop(id)
    }
    const before = this.#views.get(id)
    this.#seen.set(id, ticket)
    if (before !== undefined && same(before, view)) return []
    const after = deepFreeze(view)
    this.#views.set(id, after)
    return [{ before, after }]
  }

  /** Takes a whole list in: what it lacks is gone, unless a later observation has seen it. */
  putList(views: readonly T[], ticket: number): Change<T>[] {
    const changed = this.putPart(views, this.#views.keys(), ticket)
    // Lists come one after the other: a later one cannot show what was gone before this one began.
    for (const [id, seen] of this.#gone) if (seen < ticket) this.#gone.delete(id)
    return changed
  }

  /** The same for a list of a part, which is what it holds and those of `ids` that are there no more. */
  putPart(views: readonly T[], ids: Iterable<string>, ticket: number): Change<T>[] {
    const changed = views.flatMap((view) => this.put(this.#idOf(view), view, ticket))
    return [...changed, ...this.unlisted(views, ticket, ids).flatMap((id) => this.#drop(id))]
  }

  /** Those of `ids` that a list lacks, and no later observation has seen. */
  unlisted(views: readonly T[], ticket: number, ids: Iterable<string> = this.#views.keys()): string[] {
    const listed = new Set(views.map(this.#idOf))
    return [...ids].filter((id) => !listed.has(id) && (this.#seen.get(id) ?? 0) <= ticket)
  }

  #drop(id: string): Change<T>[] {
    const before = this.#views.get(id)
    if (before === undefined) return []
    this.#views.delete(id)
    this.#seen.delete(id)
    return [{ before, after: undefined }]
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
