/** Whether something holds for all of many, asked again and again while it becomes true of one after the other. */

/**
 * Goes on where it last found one that does not hold, so that asking often costs little; only when it has come to the
 * end are all looked at once more, for what held may hold no longer.
 *
 * @param items all of them, asked for at each new start; `restart` makes the next question one
 */
export function createSweep<T>(items: () => Iterable<T>, holds: (item: T) => boolean): { all(): boolean; restart(): void } {
  let pending: T[] = []
  let at = 0

  function advance(): boolean {
    while (at < pending.length && holds(pending[at] as T)) at += 1
    return at >= pending.length
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
