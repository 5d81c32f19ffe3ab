/** One direction of a pipe: what is pushed is read, in order, until its end. */
export interface Pipe {
  push(text: string): void
  end(): void
  readonly output: AsyncIterable<Uint8Array>
}

export function pipe(): Pipe {
  const chunks: Uint8Array[] = []
  let ended = false
  let wake: (() => void) | undefined

  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = chunks.shift()
      if (chunk !== undefined) yield chunk
      else if (ended) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const stir = (): void => {
    wake?.()
    wake = undefined
  }
  return {
    push(text) {
      chunks.push(Buffer.from(text))
      stir()
    },
    end() {
      ended = true
      stir()
    },
    output: read(),
  }
}
