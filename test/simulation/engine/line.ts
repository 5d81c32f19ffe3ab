/** The way to the engine: what a call costs, and what becomes of it when the engine goes away meanwhile. */
import type { EngineError } from '../../../src/runtime/engine.ts'
import { unreachable } from './errors.ts'
import type { Machine } from './machine.ts'

/** Why nobody answers, `''` while somebody does. */
export class Line {
  readonly #machine: Machine
  readonly #waiting = new Set<(error: EngineError) => void>()
  #silence = ''

  constructor(machine: Machine) {
    this.#machine = machine
  }

  get silence(): string {
    return this.#silence
  }

  /** Calls fail from now on, those that wait for an answer too; what they asked for is done all the same. */
  cut(reason: string): void {
    this.#silence = reason
    const error = this.#error('call')
    for (const fail of [...this.#waiting]) fail(error)
    this.#waiting.clear()
    this.#machine.events.hangUp(this.#error('events'), false)
    for (const { attached } of this.#machine.containers.values()) for (const tell of [...attached]) tell(this.#error('exec'))
  }

  mend(): void {
    this.#silence = ''
  }

  /** One engine operation: `act` after the latency of `op`. Errors: unreachable, and those of `act`. */
  call<T>(op: string, act: () => T | Promise<T>): Promise<T> {
    if (this.#silence !== '') return Promise.reject(this.#error(op))
    const machine = this.#machine
    const { life } = machine
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject)
      const run = async (): Promise<void> => {
        // An engine that has died meanwhile does nothing any more.
        if (life !== machine.life) return
        try {
          resolve(await act())
        } catch (error) {
          reject(error)
        } finally {
          this.#waiting.delete(reject)
        }
      }
      const ms = machine.options.latency?.(op) ?? 0
      if (ms > 0) machine.options.timers.setTimeout(() => void run(), ms)
      else queueMicrotask(() => void run())
    })
  }

  #error(op: string): EngineError {
    return unreachable(`${op}: no answer from the engine of ${this.#machine.options.node}: ${this.#silence}`)
  }
}
