/**
 * What a daemon holds of the outside, for as long as it lives. After its death nothing it was waiting for ever comes:
 * whatever it would have done next, it does not do.
 */

import type { Source } from '../../src/git/source.ts'
import type { Engine, ExecStream } from '../../src/runtime/engine.ts'
import type { Timers } from '../../src/runtime/timers.ts'

/** Aborted at death. */
export type Death = AbortSignal

export function mortalTimers(timers: Timers, death: Death): Timers {
  return {
    setTimeout: (callback, ms) => timers.setTimeout(() => (death.aborted ? undefined : callback()), ms),
    clearTimeout: (timer) => timers.clearTimeout(timer),
  }
}

/** Called around every engine operation; `before` may be where the daemon dies. */
export interface Witness {
  before(op: string, args: readonly unknown[]): void
  after(op: string, args: readonly unknown[]): void
}

export function mortalEngine(engine: Engine, death: Death, witness: Witness): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      const op = String(name)
      return (...args: unknown[]) => {
        if (op === 'events')
          return mortal(
            (target.events as (...given: unknown[]) => AsyncIterable<unknown>)(args[0], joined(args[1], death)),
            death,
          )
        if (op === 'logs') return mortal(member.apply(target, args), death)
        witness.before(op, args)
        if (death.aborted) return never()
        const result = member.apply(target, args) as Promise<unknown>
        const seen = result.finally(() => {
          if (!death.aborted) witness.after(op, args)
        })
        return whileAlive(op === 'execStream' ? seen.then((stream) => mortalStream(stream as ExecStream, death)) : seen, death)
      }
    },
  })
}

export function mortalSource(source: Source, death: Death): Source {
  return {
    ...source,
    poll: (signal) => whileAlive(source.poll(signal), death),
    tree: (sha, signal, scope) => whileAlive(source.tree(sha, signal, scope), death),
  }
}

/** The kernel closes what a dead process had open. */
function mortalStream(stream: ExecStream, death: Death): ExecStream {
  death.addEventListener('abort', () => stream.close(), { once: true })
  return {
    write: (data) => whileAlive(stream.write(data), death),
    output: mortal(stream.output, death),
    close: () => stream.close(),
  }
}

function joined(signal: unknown, death: Death): AbortSignal {
  return AbortSignal.any([signal as AbortSignal, death])
}

export function whileAlive<T>(work: Promise<T>, death: Death): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(
      (value) => (death.aborted ? undefined : resolve(value)),
      (error) => (death.aborted ? undefined : reject(error)),
    )
  })
}

async function* mortal<T>(items: AsyncIterable<T>, death: Death): AsyncGenerator<T> {
  try {
    for await (const item of items) {
      if (death.aborted) await never()
      yield item
    }
  } catch (error) {
    if (death.aborted) await never()
    throw error
  }
  if (death.aborted) await never()
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
