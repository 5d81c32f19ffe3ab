/** What goes wrong between a caller and any engine: lost answers, late ones, old ones, and events that do not come. */
import {
  type ContainerView,
  type Engine,
  EngineError,
  type EngineErrorKind,
  type EngineEvent,
} from '../../../src/runtime/engine.ts'
import { pause, type Timers } from '../../../src/runtime/timers.ts'

/** What becomes of one call. */
export type CallFault =
  /** it fails and nothing has happened */
  | { readonly fault: 'before'; readonly kind: EngineErrorKind }
  /** it fails and has happened all the same, as when an answer comes too late */
  | { readonly fault: 'after'; readonly kind: EngineErrorKind }
  /** it begins that much later */
  | { readonly fault: 'delay'; readonly ms: number }
  /** a list that has been given before is given again; the first one is always new */
  | { readonly fault: 'stale' }

/** What becomes of one event. */
export type EventFault =
  | { readonly fault: 'drop' }
  | { readonly fault: 'twice' }
  /** it comes after the event that follows it */
  | { readonly fault: 'swap' }
  /** it and what follows it come that much later */
  | { readonly fault: 'late'; readonly ms: number }
  /** the stream breaks before it, with `unreachable` */
  | { readonly fault: 'cut' }

export interface FaultPlan {
  readonly timers: Timers
  readonly random: () => number
  /** asked once per call; `undefined` leaves it alone */
  readonly call?: (op: keyof Engine, args: readonly unknown[], random: () => number) => CallFault | undefined
  /** asked once per event, except for the subscription itself */
  readonly event?: (event: EngineEvent, random: () => number) => EventFault | undefined
}

const LISTS: readonly (keyof Engine)[] = ['listContainers', 'listNetworks', 'listVolumes']

/** `engine` as `plan` lets its caller see it. Decisions come from `plan.random` alone, in the order of the calls. */
export function withFaults(engine: Engine, plan: FaultPlan): Engine {
  const earlier = new Map<string, readonly ContainerView[]>()
  const faulty =
    (op: keyof Engine, call: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<unknown> => {
      const fault = plan.call?.(op, args, plan.random)
      if (fault?.fault === 'before') throw made(op, fault.kind, 'before it was done')
      if (fault?.fault === 'delay') await pause(plan.timers, fault.ms, new AbortController().signal)
      const key = `${op} ${JSON.stringify(args)}`
      const old = LISTS.includes(op) && fault?.fault === 'stale' ? earlier.get(key) : undefined
      if (old !== undefined) return [...old]
      const result = await call(...args)
      if (LISTS.includes(op)) earlier.set(key, result as readonly ContainerView[])
      if (fault?.fault === 'after') throw made(op, fault.kind, 'after it was done')
      return result
    }

  return new Proxy(engine, {
    get(target, op: keyof Engine) {
      const value: unknown = Reflect.get(target, op)
      if (op === 'events')
        return (sinceMs: number, signal: AbortSignal) => faultyEvents(engine.events(sinceMs, signal), plan, signal)
      if (typeof value !== 'function' || op === 'logs') return typeof value === 'function' ? value.bind(target) : value
      return faulty(op, value.bind(target) as (...args: unknown[]) => Promise<unknown>)
    },
  })
}

function made(op: string, kind: EngineErrorKind, when: string): EngineError {
  return new EngineError(kind, `${op}: a fault made for a test, ${when}`)
}

async function* faultyEvents(
  events: AsyncIterable<EngineEvent>,
  plan: FaultPlan,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  let held: EngineEvent | undefined
  for await (const event of events) {
    const fault = event.action === 'subscribed' ? undefined : plan.event?.(event, plan.random)
    if (fault?.fault === 'cut') throw made('events', 'unreachable', 'in the middle')
    if (fault?.fault === 'late') await pause(plan.timers, fault.ms, signal)
    if (signal.aborted) return
    if (fault?.fault === 'swap' && held === undefined) {
      held = event
      continue
    }
    if (fault?.fault !== 'drop') yield event
    if (fault?.fault === 'twice') yield event
    if (held !== undefined) yield held
    held = undefined
  }
}
