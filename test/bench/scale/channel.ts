/** What is pushed in comes out in order, to one reader. */
export interface Channel<T> {
  readonly push: (item: T) => void
  readonly end: () => void
  readonly all: AsyncIterable<T>
}

export function channel<T>(): Channel<T> {
  let items: T[] = []
  let ended = false
  let wake = (): void => {}

  async function* read(): AsyncGenerator<T> {
    for (;;) {
      const taken = items
      items = []
      yield* taken
      if (items.length > 0) continue
      if (ended) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }

  return {
    push(item) {
      items.push(item)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    all: read(),
  }
}
