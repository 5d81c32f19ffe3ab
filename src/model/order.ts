/** Orders and repetitions that have no meaning are taken out of lists, so that they change nothing. */

/** A copy sorted by a text, by UTF-16 code unit; items with equal texts keep their order. */
export function sortedBy<T>(items: readonly T[], text: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, key: text(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item)
}

/** One item for each text, the last one, in the places of the last ones. */
export function lastOfEach<T>(items: readonly T[], text: (item: T) => string): T[] {
  const last = new Map(items.map((item, index) => [text(item), index]))
  return last.size === items.length ? [...items] : items.filter((item, index) => last.get(text(item)) === index)
}

/** A number as a text that sorts like the number; for 0 to 2^53. */
export function sortable(value: number): string {
  return String(value).padStart(16, '0')
}
