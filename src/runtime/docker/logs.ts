import type { LogLine, LogOptions } from '../engine.ts'
import type { Connection } from './connect.ts'
import { demultiplexer, type Frame } from './frames.ts'
import { record } from './json.ts'
import { lineSplitter } from './lines.ts'

/**
 * A container's output, line by line, from `GET /containers/{id}/logs`.
 *
 * Works for running and dead containers. Follows until the container ends or `signal` aborts, which
 * ends the lines quietly. Errors: notFound, unreachable, timeout.
 */
export async function* containerLogs(
  connection: Connection,
  id: string,
  options: LogOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  const request = { op: 'logs', subject: id, method: 'GET', ...(signal ? { signal } : {}) } as const
  try {
    const inspected = await connection.json({ ...request, path: `/containers/${id}/json` })
    const tty = record(record(inspected).Config).Tty === true
    const answer = await connection.stream({ ...request, path: `/containers/${id}/logs`, query: logQuery(options) })
    try {
      const output = options.follow === true ? answer : connection.body(answer)
      yield* tty ? plainLines(output, options) : multiplexedLines(output, options)
    } finally {
      answer.destroy()
    }
  } catch (cause) {
    if (signal?.aborted) return
    throw connection.lost(request, cause)
  }
}

function logQuery(options: LogOptions): Record<string, unknown> {
  return {
    stdout: 1,
    stderr: 1,
    follow: options.follow ? 1 : 0,
    timestamps: options.timestamps ? 1 : 0,
    tail: options.tail ?? 'all',
    since: options.sinceMs === undefined ? undefined : (options.sinceMs / 1000).toFixed(3),
  }
}

/** A terminal's output is one stream without headers. */
async function* plainLines(answer: AsyncIterable<Uint8Array>, options: LogOptions): AsyncGenerator<LogLine> {
  const splitter = lineSplitter()
  for await (const chunk of answer) {
    for (const line of splitter.push(chunk)) yield logLine('stdout', line, options)
  }
  for (const line of splitter.rest()) yield logLine('stdout', line, options)
}

async function* multiplexedLines(answer: AsyncIterable<Uint8Array>, options: LogOptions): AsyncGenerator<LogLine> {
  const demultiplex = demultiplexer()
  const output = { stdout: messages(options), stderr: messages(options) }
  for await (const chunk of answer) {
    for (const frame of demultiplex(chunk)) {
      for (const line of output[frame.stream].push(frame)) yield logLine(frame.stream, line, options)
    }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    for (const line of output[stream].rest()) yield logLine(stream, line, options)
  }
}

/**
 * The lines of one stream. Lines over 16 kB are stored in pieces, one frame each; every piece carries a
 * timestamp when they are asked for, and only the first one's belongs into the line.
 */
function messages(options: LogOptions) {
  const splitter = lineSplitter()
  let midLine = false
  return {
    push({ bytes }: Frame): string[] {
      const piece = midLine && options.timestamps ? bytes.subarray(bytes.indexOf(32) + 1) : bytes
      midLine = bytes.at(-1) !== 10
      return splitter.push(piece)
    },
    rest: () => splitter.rest(),
  }
}

function logLine(stream: LogLine['stream'], line: string, options: LogOptions): LogLine {
  if (!options.timestamps) return { stream, timestamp: '', text: line }
  const space = line.indexOf(' ')
  if (space < 0) return { stream, timestamp: '', text: line }
  return { stream, timestamp: line.slice(0, space), text: line.slice(space + 1) }
}
