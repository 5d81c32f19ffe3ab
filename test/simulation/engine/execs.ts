/** Processes executed in running containers. They end with the container's own. */
import { type Engine, EngineError, type ExecResult, type ExecStream } from '../../../src/runtime/engine.ts'
import { Channel } from './channel.ts'
import { conflict, failed } from './errors.ts'
import type { Machine } from './machine.ts'
import { type RawContainer, viewOf } from './state.ts'

/** What a process gets to know by SIGKILL. */
const KILLED = 137

export function requireRunning(container: RawContainer): void {
  const { id, state } = container
  if (state === 'running') return
  if (state === 'paused') throw conflict(`Container ${id} is paused, unpause the container before exec`)
  if (state === 'restarting') throw conflict(`Container ${id} is restarting, wait until the container is running`)
  throw conflict(`Container ${id} is not running`)
}

/** Errors: conflict (not running), timeout, failed (cancelled). */
export async function execCommand(
  machine: Machine,
  container: RawContainer,
  command: readonly string[],
  options: Parameters<Engine['exec']>[2],
): Promise<ExecResult> {
  requireRunning(container)
  const execId = announce(machine, container, command)
  const answer = machine.options.exec?.(viewOf(container), command) ?? { exitCode: 0, output: '' }
  const ended = await endOf(machine, container, { ...options, afterMs: answer === 'hangs' ? undefined : (answer.afterMs ?? 0) })
  const exitCode = ended === 'killed' ? KILLED : answer === 'hangs' ? 0 : answer.exitCode
  machine.emitContainer(container, 'exec_die', { execID: execId, exitCode: String(exitCode) })
  const output = answer === 'hangs' || ended === 'killed' ? '' : answer.output
  return { exitCode, output: new TextDecoder().decode(new TextEncoder().encode(output).subarray(0, options.maxBytes)) }
}

function announce(machine: Machine, container: RawContainer, _command: readonly string[]): string {
  const execID = machine.newId()
  machine.emitContainer(container, 'exec_create', { execID })
  machine.emitContainer(container, 'exec_start', { execID })
  return execID
}

/** Waits for the process's own end, its container's, the caller's deadline or the caller's change of mind. */
function endOf(
  machine: Machine,
  container: RawContainer,
  options: { readonly afterMs: number | undefined; readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<'ended' | 'killed'> {
  const { timers } = machine.options
  return new Promise((resolve, reject) => {
    const timersOfIt: unknown[] = []
    const settle = (act: () => void): void => {
      for (const timer of timersOfIt) timers.clearTimeout(timer)
      container.attached.delete(onEnd)
      options.signal?.removeEventListener('abort', onAbort)
      act()
    }
    const onEnd = (error: EngineError | undefined): void =>
      settle(() => (error === undefined ? resolve('killed') : reject(error)))
    const onAbort = (): void => settle(() => reject(failed(`exec ${container.id}: cancelled`)))
    const onDeadline = (): void =>
      settle(() =>
        reject(new EngineError('timeout', `exec ${container.id}: the engine did not answer within ${options.timeoutMs} ms`)),
      )
    container.attached.add(onEnd)
    if (options.signal?.aborted) return onAbort()
    options.signal?.addEventListener('abort', onAbort, { once: true })
    if (options.afterMs === 0) return settle(() => resolve('ended'))
    if (options.afterMs !== undefined) timersOfIt.push(timers.setTimeout(() => settle(() => resolve('ended')), options.afterMs))
    timersOfIt.push(timers.setTimeout(onDeadline, options.timeoutMs))
  })
}

/**
 * The process that the world gives for this command, cut off when the container or the connection ends.
 * Errors: conflict (not running).
 */
export function openExecStream(machine: Machine, container: RawContainer, command: readonly string[]): ExecStream {
  requireRunning(container)
  announce(machine, container, command)
  const inner = machine.options.execStream?.(viewOf(container), command) ?? silentStream()
  const output = new Channel<Uint8Array>()
  const end = (error: EngineError | undefined): void => {
    container.attached.delete(onEnd)
    output.end(error)
  }
  const onEnd = (error: EngineError | undefined): void => {
    inner.close()
    end(error ?? failed(`exec ${container.id}: ${command[0]} ended with code ${KILLED}`))
  }
  container.attached.add(onEnd)
  copy(inner.output, output).then(
    () => end(undefined),
    (cause) => end(cause instanceof EngineError ? cause : failed(`exec ${container.id}: ${String(cause)}`)),
  )
  return {
    async write(data) {
      if (output.ended) throw failed(`exec ${container.id}: the process has ended or its stream was closed`)
      await inner.write(data)
    },
    output,
    close() {
      inner.close()
      end(undefined)
    },
  }
}

async function copy(from: AsyncIterable<Uint8Array>, to: Channel<Uint8Array>): Promise<void> {
  for await (const chunk of from) to.push(chunk)
}

function silentStream(): ExecStream {
  const output = new Channel<Uint8Array>()
  output.end()
  return { write: async () => {}, output, close: () => {} }
}
