/** Values by the name of the group they are in, moved one by one. */
export interface Groups<T> {
  /** Takes `before` out of its group and puts `after` into its own; `undefined` where a value is in none. */
  move(before: T | undefined, after: T | undefined, groupOf: (value: T) => string | undefined): void
  /** live, by id */
  of(group: string): ReadonlyMap<string, T>
  names(): Iterable<string>
}

export function createGroups<T>(idOf: (value: T) => string): Groups<T> {
  const groups = new Map<string, Map<string, T>>()
  const none: ReadonlyMap<string, T> = new Map()

  function leave(name: string, id: string): void {
    const group = groups.get(name)
    group?.delete(id)
    if (group?.size === 0) groups.delete(name)
  }

  return {
    move(before, after, groupOf) {
      const [from, to] = [before && groupOf(before), after && groupOf(after)]
      if (before !== undefined && from !== undefined && from !== to) leave(from, idOf(before))
      if (after === undefined || to === undefined) return
      const group = groups.get(to) ?? new Map<string, T>()
      groups.set(to, group)
      group.set(idOf(after), after)
    },
    of: (group) => groups.get(group) ?? none,
    names: () => groups.keys(),
  }
}
