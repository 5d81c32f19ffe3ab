/** The last words of a container, fit for a status. */
import { stripVTControlCharacters } from 'node:util'
import { type Engine, EngineError } from './engine.ts'

export interface TailOptions {
  readonly engine: Engine
  readonly containerId: string
  /** default 10 */
  readonly lines?: number
  /** a longer line is cut, UTF-8 bytes; default 400 */
  readonly maxLineBytes?: number
  /** takes secret values out */
  readonly redact: (text: string) => string
}

/**
 * The last lines of both streams in the order they were written; `[]` when the container is gone.
 *
 * @throws EngineError other than `notFound`
 */
export async function readTail(options: TailOptions): Promise<string[]> {
  const { engine, containerId, lines = 10, maxLineBytes = 400, redact } = options
  const tail: string[] = []
  try {
    for await (const line of engine.logs(containerId, { tail: lines })) {
      // Redacted before it is cut: half a secret is a secret.
      tail.push(cut(redact(printable(line.text)), maxLineBytes))
      if (tail.length > lines) tail.shift()
    }
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'notFound') return []
    throw error
  }
  return tail
}

/** Without colours and other terminal commands: a status is shown in terminals. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
  return stripVTControlCharacters(text).replaceAll(/[\x00-\x08\x0a-\x1f\x7f]/g, '')
}

function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= maxBytes) return text
  let end = maxBytes
  // Not within a character: its later bytes begin with 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return `${bytes.subarray(0, end).toString('utf8')}…`
}
