/** Keys and when each is due, the earliest first: a heap, in which an entry that was overtaken by an earlier one stays and counts for nothing. */
import type { ObjectKey } from '../model/types/meta.ts'

export interface Schedule {
  /** Sets when `key` is due, ms since the epoch; an earlier time that is already set stays. */
  set(key: ObjectKey, at: number): void
  /** `undefined` when nothing is set */
  nextAt(): number | undefined
  /** Takes out what is due at `now`, the earliest first. */
  takeUntil(now: number): ObjectKey[]
  clear(): void
}

interface Entry {
  readonly key: ObjectKey
  readonly at: number
}

export function createSchedule(): Schedule {
  const due = new Map<ObjectKey, number>()
  let heap: Entry[] = []

  /** The earliest entry that still counts. */
  function first(): Entry | undefined {
    for (;;) {
      const [entry] = heap
      if (entry === undefined || due.get(entry.key) === entry.at) return entry
      dropFirst(heap)
    }
  }

  return {
    set(key, at) {
      const known = due.get(key)
      if (known !== undefined && known <= at) return
      due.set(key, at)
      insert(heap, { key, at })
    },
    nextAt: () => first()?.at,
    takeUntil(now) {
      const taken: ObjectKey[] = []
      for (let entry = first(); entry !== undefined && entry.at <= now; entry = first()) {
        due.delete(entry.key)
        dropFirst(heap)
        taken.push(entry.key)
      }
      return taken
    },
    clear() {
      due.clear()
      heap = []
    },
  }
}

function insert(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent] as Entry
    if (above.at <= entry.at) break
    heap[index] = above
    index = parent
  }
  heap[index] = entry
}

function dropFirst(heap: Entry[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let index = 0
  for (;;) {
    let child = index * 2 + 1
    if (child + 1 < heap.length && (heap[child + 1] as Entry).at < (heap[child] as Entry).at) child += 1
    const below = heap[child]
    if (below === undefined || below.at >= last.at) break
    heap[index] = below
    index = child
  }
  heap[index] = last
}
