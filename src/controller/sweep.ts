/** Whether something holds for all of many, asked again and again while it becomes true of one after the other. */

/** How one of many is looked at. */
export interface Sweeping<T> {
  /** all of them, asked for at each new start */
  readonly items: () => Iterable<T>
  readonly holds: (item: T) => boolean
  /** whether it is still one of them; absent for those that stay so until `restart` */
  readonly counts?: (item: T) => boolean
}

/**
 * Goes on where it last found one that does not hold, so that asking often costs little; only when it has come to the
 * end are all looked at once more, for what held may hold no longer.
 * `restart` makes the next question a new start.
 */
export function createSweep<T>({ items, holds, counts }: Sweeping<T>): { all(): boolean; restart(): void } {
  let pending: T[] = []
  let at = 0

  function advance(): boolean {
    while (at < pending.length && isPassed(pending[at] as T)) at += 1
    return at >= pending.length
  }

  /** What is no longer one of them is waited for in vain. */
  function isPassed(item: T): boolean {
    return holds(item) || counts?.(item) === false
  }

  return {
    all() {
      if (at < pending.length && !advance()) return false
      pending = [...items()]
      at = 0
      return advance()
    },
    restart() {
      pending = []
      at = 0
    },
  }
}
