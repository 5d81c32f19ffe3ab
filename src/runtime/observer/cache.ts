import type { ContainerView, NetworkView, VolumeView } from '../engine.ts'

export type Labels = Readonly<Record<string, string>>

interface Entry<T> {
  readonly view: T
  /** canonical text, for telling a change from a repetition */
  readonly text: string
}

/**
 * The containers of one node, fed by answers that may overtake each other.
 *
 * Each observation takes a ticket before it asks the engine. An answer never replaces one that was asked
 * for later, and a container once seen to be gone does not come back: ids are never used again.
 */
export class ContainerCache {
  #tickets = 0
  readonly #entries = new Map<string, Entry<ContainerView> & { readonly ticket: number }>()
  /** ticket of the observation that found the container gone, by id */
  readonly #gone = new Map<string, number>()
  #views: ReadonlyMap<string, ContainerView> | undefined

  /** To be taken before the engine is asked. */
  ticket(): number {
    this.#tickets += 1
    return this.#tickets
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  /** The containers by id; the same map until one of them changes. */
  views(): ReadonlyMap<string, ContainerView> {
    this.#views ??= new Map([...this.#entries].map(([id, { view }]) => [id, view]))
    return this.#views
  }

  /** Takes one container's answer in; `undefined` when there is none. Returns the labels of what changed. */
  put(id: string, view: ContainerView | undefined, ticket: number): Labels[] {
    const known = this.#entries.get(id)
    if (this.#gone.has(id) || (known && known.ticket > ticket)) return []
    if (view === undefined) {
      this.#gone.set(id, ticket)
      return this.#drop(id)
    }
    const text = JSON.stringify(view)
    if (known?.text === text) {
      this.#entries.set(id, { ...known, ticket })
      return []
    }
    this.#entries.set(id, { view: deepFreeze(view), text, ticket })
    this.#views = undefined
    return [view.labels]
  }

  /** Takes a whole list in: what it lacks is gone, unless a later observation has seen it. Returns the labels of what changed. */
  putList(views: readonly ContainerView[], ticket: number): Labels[] {
    const listed = new Set(views.map(({ id }) => id))
    const changed = views.flatMap((view) => this.put(view.id, view, ticket))
    const unlisted = [...this.#entries].filter(([id, { ticket: seen }]) => !listed.has(id) && seen <= ticket)
    const gone = unlisted.flatMap(([id]) => this.#drop(id))
    // Lists come one after the other: a later one cannot show what was gone before this one began.
    for (const [id, seen] of this.#gone) if (seen < ticket) this.#gone.delete(id)
    return [...changed, ...gone]
  }

  #drop(id: string): Labels[] {
    const known = this.#entries.get(id)
    if (!known) return []
    this.#entries.delete(id)
    this.#views = undefined
    return [known.view.labels]
  }
}

/** Networks or volumes of one node, replaced as a whole; unchanged ones keep their identity. */
export class ListCache<T extends NetworkView | VolumeView> {
  #entries: ReadonlyMap<string, Entry<T>> = new Map()
  #views: ReadonlyMap<string, T> = new Map()

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  /** By name, sorted; the same map until one of them changes. */
  views(): ReadonlyMap<string, T> {
    return this.#views
  }

  /** Returns the labels of what appeared, changed or went. */
  putList(views: readonly T[]): Labels[] {
    const before = this.#entries
    const sorted = [...views].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    const entries = new Map(sorted.map((view) => [view.name, this.#entry(view)]))
    const changed = [...entries].filter(([name, entry]) => before.get(name) !== entry)
    const gone = [...before].filter(([name]) => !entries.has(name))
    const labels = [...changed, ...gone].map(([, { view }]) => view.labels)
    if (labels.length === 0) return []
    this.#entries = entries
    this.#views = new Map([...entries].map(([name, { view }]) => [name, view]))
    return labels
  }

  #entry(view: T): Entry<T> {
    const text = JSON.stringify(view)
    const known = this.#entries.get(view.name)
    return known?.text === text ? known : { view: deepFreeze(view), text }
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
