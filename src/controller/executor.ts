/**
 * The executor: runs the first step of each idle lane beside the loop and marks its key as due when it ends.
 * It decides nothing; it only bounds how many steps a node has under way. A step that has not started when
 * its key is planned again is dropped in favour of the new plan.
 */
import type { ObjectKey } from '../model/types/meta.ts'
import { type Lane, type Plan, type Step, stepId } from '../reconcilers/plan.ts'
import { type Failures, isHeld } from './failures.ts'
import { createWaiting, type Place, type StepClass } from './waiting.ts'

const LIGHT_LIMIT = 256
const CLASSES: Readonly<Partial<Record<Step['op'], StepClass>>> = {
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
  const waiting = createWaiting()
  const inFlight = new Set<string>()
  /** keys that found a lane under way, of another key or an earlier plan: what they wanted of it may be done once it ends */
  const followers = new Map<string, Set<ObjectKey>>()
  const busy = new Map<string, number>()
  let idlers: (() => void)[] = []
  let stopped = false

  /** Starts what waits for `place`, as far as there is room. */
  function fill(place: Place): void {
    while (!stopped && hasRoom(place)) {
      const next = waiting.take(place)
      if (next === undefined) return
      start(next.key, next.lane)
    }
  }

  /** Starts a lane's first step, or has it wait for its place; one that runs, is held back or is empty needs no further look. */
  function start(key: ObjectKey, lane: Lane): void {
    const [step] = lane.steps
    if (step === undefined) return
    const following = followers.get(lane.id)
    if (following !== undefined) {
      following.add(key)
      return
    }
    const held = options.failures.all.get(stepId(lane.id, step))
    if (held !== undefined && isHeld(held, options.now())) {
      options.later(key, held.nextAt)
      return
    }
    const place: Place = { node: step.node, kind: CLASSES[step.op] ?? 'work' }
    if (!hasRoom(place)) {
      waiting.add(place, key, lane)
      return
    }
    count(place, 1)
    inFlight.add(lane.id)
    followers.set(lane.id, new Set())
    void execute(key, lane.id, step, place)
  }

  function taken({ node, kind }: Place): number {
    return busy.get(`${node}/${kind}`) ?? 0
  }

  function count(place: Place, change: number): void {
    busy.set(`${place.node}/${place.kind}`, taken(place) + change)
  }

  function hasRoom(place: Place): boolean {
    return taken(place) < limitOf(place)
  }

  function limitOf({ node, kind }: Place): number {
    if (kind === 'light') return LIGHT_LIMIT
    const limit = workLimit(options.cpus(node))
    return kind === 'tidy' && taken({ node, kind: 'work' }) > 0 ? 1 : limit
  }

  async function execute(key: ObjectKey, lane: string, step: Step, place: Place): Promise<void> {
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
    count(place, -1)
    inFlight.delete(lane)
    const following = followers.get(lane) ?? []
    followers.delete(lane)
    // After a stop nobody listens: the next daemon sees for itself what the step has done.
    if (!stopped) options.ended({ key, lane, step, startedAt, endedAt: options.now(), error })
    for (const follower of following) if (follower !== key) options.later(follower, options.now())
    fill(place)
    // Clearing away has more room once nothing is made.
    if (place.kind === 'work') fill({ node: place.node, kind: 'tidy' })
    if (inFlight.size > 0) return
    for (const resolve of idlers) resolve()
    idlers = []
  }

  return {
    inFlight,
    submit(plan) {
      waiting.drop(plan.key)
      if (!stopped) for (const lane of plan.lanes) start(plan.key, lane)
    },
    idle: () => (inFlight.size === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    stop() {
      stopped = true
    },
  }
}
