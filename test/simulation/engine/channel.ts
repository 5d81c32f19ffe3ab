/** A queue between one writer and one reader. */

/**
 * What is pushed comes out in order; the reader waits when there is nothing. With a bound, what does not fit is
 * dropped, as the engine drops events for a slow reader.
 */
export class Channel<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = []
  readonly #bound: number
  #wake: (() => void) | undefined
  #end: { readonly error: Error | undefined } | undefined

  constructor(bound = Number.POSITIVE_INFINITY) {
    this.#bound = bound
  }

  get ended(): boolean {
    return this.#end !== undefined
  }

  push(item: T): void {
    if (this.#end !== undefined || this.#waiting.length >= this.#bound) return
    this.#waiting.push(item)
    this.#wake?.()
  }

  /** What is queued is still read; then the reader ends, or fails with `error`. The first end counts. */
  end(error?: Error): void {
    this.#end ??= { error }
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift() as T
      if (this.#end?.error !== undefined) throw this.#end.error
      if (this.#end !== undefined) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
