/** Sets of completion indexes as Kubernetes writes them: `0,3-5,7`. */

/** The numbers of a text, ascending. @throws Error that says what is wrong with it */
export function parseIndexes(text: string): readonly number[] {
  const found: number[] = []
  for (const part of text === '' ? [] : text.split(',')) {
    const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? []
    if (first === undefined || last === undefined)
      throw new Error(`${JSON.stringify(part)} is neither a number nor a range such as 3-5`)
    const [from, to] = [Number(first), Number(last)]
    if (from > to) throw new Error(`${part} ends before it begins`)
    if (from <= (found.at(-1) ?? -1)) throw new Error(`${part} does not come after ${found.at(-1)}: numbers must ascend`)
    if (to - from > MAX_RANGE) throw new Error(`${part} holds more than ${MAX_RANGE} numbers`)
    for (let index = from; index <= to; index++) found.push(index)
  }
  return found
}

const MAX_RANGE = 100_000

export function indexesText(indexes: Iterable<number>): string {
  const parts: string[] = []
  let [from, to] = [-1, -1]
  const flush = (): void => {
    if (from >= 0) parts.push(from === to ? String(from) : `${from}-${to}`)
  }
  for (const index of [...indexes].sort((a, b) => a - b)) {
    if (index === to + 1 && from >= 0) to = index
    else {
      flush()
      ;[from, to] = [index, index]
    }
  }
  flush()
  return parts.join(',')
}
