import type { Timers } from '../../../src/runtime/timers.ts'

/** Time that passes only when told to. */
export class FakeTimers implements Timers {
  now = 1_000_000
  #due = new Map<number, { at: number; callback: () => void }>()
  #next = 1

  setTimeout(callback: () => void, ms: number): unknown {
    this.#due.set(this.#next, { at: this.now + Math.max(0, ms), callback })
    return this.#next++
  }

  clearTimeout(timer: unknown): void {
    this.#due.delete(timer as number)
  }

  get pending(): number {
    return this.#due.size
  }

  /** Lets `ms` pass: every timer at its own moment, with all that follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms
    await settled()
    for (;;) {
      const first = [...this.#due].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]
      if (first === undefined) break
      this.#due.delete(first[0])
      this.now = first[1].at
      first[1].callback()
      await settled()
    }
    this.now = end
  }
}

/** All promises that can settle have settled. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
