/** Lanes that wait for a place on a node: those of one key together, keys in the order they came. */
import type { ObjectKey } from '../model/types/meta.ts'
import type { Lane } from '../reconcilers/plan.ts'

/**
 * Steps that wait (for a registry, for a grace period), or are over at once, do not take the places of those that work;
 * and those that clear away what is over leave the processors to those that make what is wanted.
 */
export type StepClass = 'work' | 'light' | 'tidy'

/** What a step under way takes one of. */
export interface Place {
  readonly node: string
  readonly kind: StepClass
}

export interface Waiting {
  add(place: Place, key: ObjectKey, lane: Lane): void
  /** The lane that is next in turn for `place`, which then waits no more. */
  take(place: Place): { readonly key: ObjectKey; readonly lane: Lane } | undefined
  /** Forgets all lanes of a key. */
  drop(key: ObjectKey): void
}

/** The lanes of one key for one place; those before `next` have been taken. */
interface Line {
  readonly lanes: Lane[]
  next: number
}

/** Nothing of it takes longer the more keys wait. */
export function createWaiting(): Waiting {
  const lines = new Map<string, Map<ObjectKey, Line>>()
  const placesOf = new Map<ObjectKey, Set<Map<ObjectKey, Line>>>()

  function placeLines({ node, kind }: Place): Map<ObjectKey, Line> {
    const name = `${node}/${kind}`
    const known = lines.get(name) ?? new Map<ObjectKey, Line>()
    lines.set(name, known)
    return known
  }

  function leave(key: ObjectKey, at: Map<ObjectKey, Line>): void {
    at.delete(key)
    const places = placesOf.get(key)
    places?.delete(at)
    if (places?.size === 0) placesOf.delete(key)
  }

  return {
    add(place, key, lane) {
      const at = placeLines(place)
      const line = at.get(key)
      if (line !== undefined) {
        line.lanes.push(lane)
        return
      }
      at.set(key, { lanes: [lane], next: 0 })
      const places = placesOf.get(key)
      if (places === undefined) placesOf.set(key, new Set([at]))
      else places.add(at)
    },
    take(place) {
      const at = placeLines(place)
      const [entry] = at
      if (entry === undefined) return undefined
      const [key, line] = entry
      const lane = line.lanes[line.next]
      line.next += 1
      if (line.next >= line.lanes.length) leave(key, at)
      return lane && { key, lane }
    },
    drop(key) {
      for (const at of placesOf.get(key) ?? []) at.delete(key)
      placesOf.delete(key)
    },
  }
}
