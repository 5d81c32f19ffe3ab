/**
 * The executor: runs the first step of each idle lane beside the loop and marks its key as due when it ends.
 * It decides nothing; it only bounds how many steps a node has under way. A step that has not started when
 * its key is planned again is dropped in favour of the new plan.
 */
import type { ObjectKey } from '../model/types.ts'
import { type Lane, type Plan, type Step, stepId } from '../reconcilers/plan.ts'
import { type Failures, isHeld } from './failures.ts'

/**
 * Steps that wait (for a registry, for a grace period), or are over at once, do not take the places of those that work;
 * and those that clear away what is over leave the processors to those that make what is wanted.
 */
type Class = 'work' | 'light' | 'tidy'
const LIGHT_LIMIT = 256
const CLASSES: Readonly<Partial<Record<Step['op'], Class>>> = {
  pull: 'light',
  stop: 'light',
  hook: 'light',
  route: 'light',
  remove: 'tidy',
  removeVolume: 'tidy',
}

/**
 * How many containers a node makes at once: making one keeps a processor busy, and more of them at a time only make
 * each wait for the others, the first one longest.
 */
export function workLimit(cpus: number): number {
  return Math.min(16, Math.max(4, 2 * cpus))
}

export interface Executor {
  /** Replaces what this key has waiting by its newest plan, and starts what can start. */
  submit(plan: Plan): void
  /** ids of lanes with a step under way */
  readonly inFlight: ReadonlySet<string>
  /** Resolves once nothing is under way. */
  idle(): Promise<void>
  /** Starts nothing more. */
  stop(): void
}

export interface StepOutcome {
  readonly key: ObjectKey
  readonly lane: string
  readonly step: Step
  readonly startedAt: number
  readonly endedAt: number
  readonly error: unknown
}

export interface ExecutorOptions {
  /** processors of a node; 0 while that is not known */
  readonly cpus: (node: string) => number
  readonly run: (key: ObjectKey, step: Step) => Promise<void>
  readonly failures: Failures
  readonly now: () => number
  /** a step has begun */
  readonly started: (key: ObjectKey, step: Step) => void
  /** a step has ended, well when `error` is undefined; the lane is idle again */
  readonly ended: (outcome: StepOutcome) => void
  /** a lane of this key may go on at `at` */
  readonly later: (key: ObjectKey, at: number) => void
}

export function createExecutor(options: ExecutorOptions): Executor {
  const waiting = new Map<ObjectKey, readonly Lane[]>()
  const inFlight = new Set<string>()
  const busy = new Map<string, number>()
  let idlers: (() => void)[] = []
  let stopped = false

  function pump(): void {
    if (stopped) return
    for (const [key, lanes] of waiting) {
      const left = lanes.filter((lane) => !start(key, lane))
      if (left.length === 0) waiting.delete(key)
      else waiting.set(key, left)
    }
  }

  /** Whether the lane needs no further look: it runs, is held back, or is empty. */
  function start(key: ObjectKey, lane: Lane): boolean {
    const [step] = lane.steps
    if (step === undefined || inFlight.has(lane.id)) return true
    const held = options.failures.all.get(stepId(lane.id, step))
    if (held !== undefined && isHeld(held, options.now())) {
      options.later(key, held.nextAt)
      return true
    }
    const kind = CLASSES[step.op] ?? 'work'
    const place = `${step.node}/${kind}`
    const taken = busy.get(place) ?? 0
    if (taken >= limitOf(kind, step.node)) return false
    busy.set(place, taken + 1)
    inFlight.add(lane.id)
    void execute(key, lane.id, step, place)
    return true
  }

  function limitOf(kind: Class, node: string): number {
    if (kind === 'light') return LIGHT_LIMIT
    const limit = workLimit(options.cpus(node))
    return kind === 'tidy' && (busy.get(`${node}/work`) ?? 0) > 0 ? 1 : limit
  }

  async function execute(key: ObjectKey, lane: string, step: Step, place: string): Promise<void> {
    const startedAt = options.now()
    const id = stepId(lane, step)
    options.started(key, step)
    let error: unknown
    try {
      await options.run(key, step)
      options.failures.clear(id)
    } catch (caught) {
      error = caught ?? new Error('failed without saying why')
      options.failures.record(id, step, error, options.now())
    }
    busy.set(place, (busy.get(place) ?? 1) - 1)
    inFlight.delete(lane)
    // After a stop nobody listens: the next daemon sees for itself what the step has done.
    if (!stopped) options.ended({ key, lane, step, startedAt, endedAt: options.now(), error })
    pump()
    if (inFlight.size > 0) return
    for (const resolve of idlers) resolve()
    idlers = []
  }

  return {
    inFlight,
    submit(plan) {
      waiting.delete(plan.key)
      if (plan.lanes.length > 0) waiting.set(plan.key, plan.lanes)
      pump()
    },
    idle: () => (inFlight.size === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    stop() {
      stopped = true
      waiting.clear()
    },
  }
}
