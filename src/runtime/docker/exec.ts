import type { Duplex } from 'node:stream'
import { PassThrough } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { EngineError, type ExecResult, type ExecStream } from '../engine.ts'
import type { Connection } from './connect.ts'
import { timeoutError } from './errors.ts'
import { demultiplexer } from './frames.ts'
import { number, record, text } from './json.ts'

/** How long the engine may take to notice that a process has ended, once its output has: ms. */
const exitDeadlineMs = 2_000

/** Standard error kept of a long-running process, for the message when it ends badly: bytes. */
const stderrLimit = 16 * 1024

interface Execution {
  readonly id: string
  readonly socket: Duplex
}

/** Creates and starts a process in a running container with its streams attached. */
async function start(
  connection: Connection,
  container: string,
  command: readonly string[],
  stdin: boolean,
  call: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
): Promise<Execution> {
  const created = await connection.json({
    op: 'exec',
    subject: container,
    method: 'POST',
    path: `/containers/${container}/exec`,
    body: { AttachStdin: stdin, AttachStdout: true, AttachStderr: true, Tty: false, Cmd: command },
    ...call,
  })
  const id = text(record(created).Id)
  if (!/^[0-9a-f]+$/.test(id)) throw new EngineError('failed', `exec ${container}: the engine gave the process no id`)
  const socket = await connection.hijack({
    op: 'exec',
    subject: container,
    method: 'POST',
    path: `/exec/${id}/start`,
    body: { Detach: false, Tty: false },
    ...call,
  })
  return { id, socket }
}

/**
 * Runs a command in a container to its end.
 *
 * Output over `maxBytes` is read and dropped. At the deadline, or when `signal` aborts, the connection is
 * dropped; the engine has no way to end the process itself, so the command had better bound itself.
 * Errors: notFound, conflict (not running), timeout, unreachable, failed.
 */
export async function execCommand(
  connection: Connection,
  container: string,
  command: readonly string[],
  options: { readonly timeoutMs: number; readonly maxBytes: number; readonly signal?: AbortSignal },
): Promise<ExecResult> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), options.timeoutMs)
  const signal = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal
  try {
    const { id, socket } = await start(connection, container, command, false, { signal })
    const output = await collect(socket, options.maxBytes, signal)
    return { exitCode: await exitCode(connection, container, id), output }
  } catch (cause) {
    if (deadline.signal.aborted) throw timeoutError({ op: 'exec', name: container }, connection.host, options.timeoutMs)
    if (options.signal?.aborted) throw new EngineError('failed', `exec ${container}: cancelled`, { cause })
    throw connection.lost({ op: 'exec', subject: container }, cause)
  } finally {
    clearTimeout(timer)
  }
}

async function collect(socket: Duplex, maxBytes: number, signal: AbortSignal): Promise<string> {
  const demultiplex = demultiplexer()
  const kept: Uint8Array[] = []
  let room = maxBytes
  const drop = () => socket.destroy(new Error('aborted'))
  signal.addEventListener('abort', drop, { once: true })
  try {
    if (signal.aborted) drop()
    for await (const chunk of socket) {
      for (const { bytes } of demultiplex(chunk as Uint8Array)) {
        if (room <= 0) continue
        kept.push(bytes.subarray(0, room))
        room -= bytes.length
      }
    }
    return Buffer.concat(kept).toString('utf8')
  } finally {
    signal.removeEventListener('abort', drop)
    socket.destroy()
  }
}

/** The exit code of a process whose output has ended; the engine may report it a moment later. */
async function exitCode(connection: Connection, container: string, id: string): Promise<number> {
  for (let waited = 0, step = 5; ; waited += step, step *= 2) {
    const said = record(await connection.json({ op: 'exec', subject: container, method: 'GET', path: `/exec/${id}/json` }))
    if (said.Running === false && typeof said.ExitCode === 'number') return number(said.ExitCode)
    if (waited > exitDeadlineMs) {
      throw new EngineError('failed', `exec ${container}: the process closed its output and runs on`)
    }
    await pause(step)
  }
}

/**
 * Starts a process with its standard streams attached, and leaves it running.
 *
 * `output` ends quietly after `close()` or a process that ends with 0. It throws `failed` with the exit
 * code and the last of standard error when the process ends badly, `unreachable` when the connection
 * breaks.
 */
export async function execStream(connection: Connection, container: string, command: readonly string[]): Promise<ExecStream> {
  const { id, socket } = await start(connection, container, command, true, {})
  const output = new PassThrough()
  const stderr = tail(stderrLimit)
  let closed = false

  const finish = async (): Promise<void> => {
    if (closed) return void output.end()
    const code = await exitCode(connection, container, id)
    if (code === 0) return void output.end()
    const said = stderr.text().trim()
    output.destroy(
      new EngineError('failed', `exec ${container}: ${command[0]} ended with code ${code}${said === '' ? '' : `: ${said}`}`),
    )
  }

  const fail = (cause: unknown): void => {
    if (closed) output.end()
    else output.destroy(connection.lost({ op: 'exec', subject: container }, cause))
  }

  output.on('error', () => {})
  output.on('close', () => socket.destroy())
  forward(socket, output, stderr.push).then(finish).catch(fail)

  return {
    write: (data) => write(socket, container, data),
    output,
    close() {
      closed = true
      socket.end()
      socket.destroy()
    },
  }
}

/** Copies standard output to `output` at the reader's pace, and hands standard error to `onStderr`. */
async function forward(socket: Duplex, output: PassThrough, onStderr: (bytes: Uint8Array) => void): Promise<void> {
  const demultiplex = demultiplexer()
  for await (const chunk of socket) {
    for (const { stream, bytes } of demultiplex(chunk as Uint8Array)) {
      if (stream === 'stderr') onStderr(bytes)
      else if (!output.write(bytes)) await drained(output)
    }
  }
}

function drained(output: PassThrough): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = () => {
    output.off('drain', done)
    output.off('close', done)
    resolve()
  }
  output.on('drain', done)
  output.on('close', done)
  return promise
}

/** Resolves once the bytes have left for the engine, so that a slow process slows its writer. */
function write(socket: Duplex, container: string, data: string | Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  if (socket.destroyed || !socket.writable) {
    return Promise.reject(new EngineError('failed', `exec ${container}: the process has ended or its stream was closed`))
  }
  socket.write(data, (error) => {
    if (error) reject(new EngineError('failed', `exec ${container}: the stream closed during a write`, { cause: error }))
    else resolve()
  })
  return promise
}

/** The last `limit` bytes of what is pushed. */
function tail(limit: number) {
  let kept: Buffer = Buffer.alloc(0)
  return {
    push: (bytes: Uint8Array): void => {
      kept = Buffer.concat([kept, bytes]).subarray(-limit)
    },
    text: (): string => kept.toString('utf8'),
  }
}
