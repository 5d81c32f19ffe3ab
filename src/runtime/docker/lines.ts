/** Longest line kept whole, in bytes; what is over comes as further lines, so memory stays bounded. */
const lineLimit = 1024 * 1024

/** Splits bytes into lines as they come, without their line ends. Multi-byte characters survive any cut. */
export interface LineSplitter {
  /** The lines that `chunk` completes. */
  push(chunk: Uint8Array): string[]
  /** What is left after the last line end, if anything. */
  rest(): string[]
}

export function lineSplitter(limit: number = lineLimit): LineSplitter {
  let parts: Uint8Array[] = []
  let size = 0

  const take = (): string => {
    const line = Buffer.concat(parts).toString('utf8')
    parts = []
    size = 0
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }

  const keep = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return
    parts.push(bytes)
    size += bytes.length
  }

  return {
    push(chunk) {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        keep(chunk.subarray(start, end))
        lines.push(take())
        start = end + 1
      }
      keep(chunk.subarray(start))
      if (size >= limit) lines.push(take())
      return lines
    },
    rest: () => (size > 0 ? [take()] : []),
  }
}

/** JSON documents of a stream, one a line; lines that are not JSON are skipped. */
export async function* jsonLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const splitter = lineSplitter()
  for await (const chunk of stream) {
    for (const line of splitter.push(chunk)) yield* parsed(line)
  }
  for (const line of splitter.rest()) yield* parsed(line)
}

function* parsed(line: string): Generator<unknown> {
  if (line.trim() === '') return
  try {
    yield JSON.parse(line) as unknown
  } catch {
    // Half a line at a broken connection, or noise of a proxy: the next line stands on its own.
  }
}
