/** Time that passes only when everybody has nothing left to do: an hour of it costs what happens in it. */
import type { Timers } from '../../src/runtime/timers.ts'

interface Alarm {
  readonly at: number
  readonly order: number
  fire: (() => void) | undefined
}

export interface VirtualClock {
  /** ms since the epoch */
  now(): number
  /** ms since the start, whatever the wall clock was set to */
  elapsed(): number
  readonly timers: Timers
  /** Sets the wall clock; timers already set keep their distance. */
  jump(ms: number): void
  /** Lets time pass until `untilMs` (elapsed), or until `done` holds; alarms at one moment go off in the order they were set. */
  run(untilMs: number, done?: () => boolean): Promise<void>
}

export function virtualClock(epochMs: number): VirtualClock {
  const heap: Alarm[] = []
  let elapsed = 0
  let offset = epochMs
  let order = 0

  return {
    now: () => offset + elapsed,
    elapsed: () => elapsed,
    timers: {
      setTimeout(callback, ms) {
        const alarm: Alarm = { at: elapsed + Math.max(0, ms), order: order++, fire: callback }
        push(heap, alarm)
        return alarm
      },
      clearTimeout(alarm) {
        if (alarm !== undefined) (alarm as Alarm).fire = undefined
      },
    },
    jump: (ms) => {
      offset += ms
    },
    async run(untilMs, done = () => false) {
      await settle()
      while (!done()) {
        const next = heap[0]
        if (next === undefined || next.at > untilMs) break
        pop(heap)
        if (next.fire === undefined) continue
        elapsed = Math.max(elapsed, next.at)
        next.fire()
        await settle()
      }
      if (!done()) elapsed = Math.max(elapsed, untilMs)
    },
  }
}

/** Every promise that can go on by itself has done so when the next turn of the event loop comes. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

function before(a: Alarm, b: Alarm): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Alarm[], alarm: Alarm): void {
  let index = heap.push(alarm) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent] as Alarm
    if (!before(alarm, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = alarm
}

function pop(heap: Alarm[]): void {
  const last = heap.pop() as Alarm
  if (heap.length === 0) return
  let index = 0
  for (;;) {
    let child = index * 2 + 1
    if (child >= heap.length) break
    const right = heap[child + 1]
    if (right !== undefined && before(right, heap[child] as Alarm)) child += 1
    if (!before(heap[child] as Alarm, last)) break
    heap[index] = heap[child] as Alarm
    index = child
  }
  heap[index] = last
}
