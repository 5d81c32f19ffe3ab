/**
 * The loop: takes a due key, plans it from one consistent view, writes down what was decided, and hands the
 * steps to the executor. A pass never waits and never looks at what woke it.
 */

import { same } from '../diff/equal.ts'
import type { Logger } from '../logging.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { LoadedObject } from '../model/types/loaded.ts'
import { type ObjectKey, splitKey } from '../model/types/meta.ts'
import type { Job } from '../model/types/workload.ts'
import { changedRuns, cronJobOf } from '../reconcilers/derived.ts'
import type { PodRecord, WorkloadMemory } from '../reconcilers/memory.ts'
import { type Plan, type PodMark, renderStep, type Step } from '../reconcilers/plan.ts'
import { givesUpPlaces, leastAsked } from '../reconcilers/podplacement.ts'
import type { Requests } from '../reconcilers/requests.ts'
import { roomLeft, whoFits } from '../reconcilers/room.ts'
import type { RouteTable } from '../reconcilers/routetable.ts'
import type { EventNote, ServiceStatus } from '../reconcilers/status.ts'
import { changedPods } from '../reconcilers/tablediff.ts'
import { recordPreStop } from '../reconcilers/transitions.ts'
import { MountError } from '../runtime/hostpaths.ts'
import type { Timers } from '../runtime/timers.ts'
import type { TokenSigner } from '../runtime/tokens.ts'
import type { Vault } from '../runtime/vault.ts'
import { StoreError } from '../store/error.ts'
import type { Store } from '../store/store.ts'
import { createExecutor, type Executor, type StepOutcome } from './executor.ts'
import { createFailures, type Failures } from './failures.ts'
import { isService, isWorkload } from './kinds.ts'
import { type NodeRuntime, nodeKey } from './node.ts'
import { isNode, nodePass, type PassContext, servicePass, workloadPass } from './passes.ts'
import { createQueue, type Queue } from './queue.ts'
import { runStep } from './steps.ts'
import type { World } from './world.ts'

/** Passes run back to back for at most this long before timers and sockets get their turn: ms. */
const BURST_MS = 20
/** While another daemon may have taken over, nothing is planned; it is looked at again after: ms. */
const DOUBT_MS = 100
/** A pass that throws is a mistake of ours; its key is tried again after: ms. */
const MISTAKE_MS = 10_000
/** How long after one pod has left others ask for its room: of many that leave at once, they ask once. */
const ROOM_MS = 500

export interface LoopOptions {
  readonly world: World
  readonly nodes: readonly NodeRuntime[]
  readonly store: Store
  readonly vault: Vault
  readonly tokens: Pick<TokenSigner, 'sign'>
  readonly metrics: Metrics
  readonly log: Logger
  readonly now: () => number
  readonly timers: Timers
  readonly ids: () => { readonly uid: string; readonly suffix: string }
  /** the revision that effective objects come from */
  readonly revision: () => string
  /** some status may have changed */
  readonly changed: () => void
  /** may workloads and Services be planned yet? nodes always are */
  readonly active: () => boolean
}

export interface Loop {
  readonly queue: Queue
  readonly failures: Failures
  readonly executor: Executor
  /** Who waits for room asks again soon: some may have become free. */
  askWaiting(): void
  markAll(): void
  note(event: EventNote): void
  /** ms since the epoch of the end of the last burst of passes */
  lastTurn(): number
  /** why nothing can be remembered at the moment, `''` when it can */
  storeTrouble(): string
  stop(): Promise<void>
}

export function createLoop(options: LoopOptions): Loop {
  const { world, store, now, metrics, log, vault } = options
  const failures = createFailures(vault.redactOwn)
  let scheduled = false
  let stopped = false
  let lastTurn = now()
  /** it is known what the routers should serve */
  let routed = false
  /** by what could not be remembered: it is tried again until it can, so what is over is noticed */
  const storeTroubles = new Map<string, string>()
  /** workloads with a pod that waits for its place, and the least that one of them requests */
  const waiting = new Map<ObjectKey, Requests>()
  /** they are going to be asked soon */
  let asking = false
  /** of the passes of this burst, the last one of each key */
  const plans = new Map<ObjectKey, Plan>()
  const queue = createQueue({ now, timers: options.timers, due: () => schedule() })
  const executor = createExecutor({
    cpus: (name) => world.nodes.find((node) => node.name === name)?.view().info?.cpus ?? 0,
    failures,
    now,
    run: runOn,
    started: (key, step) =>
      log.info({ key, node: step.node, op: step.op, target: step.target, cause: step.cause }, renderStep(step)),
    ended,
    later: (key, at) => queue.addAt(key, at),
  })

  function schedule(delayMs = 0): void {
    if (scheduled || stopped) return
    scheduled = true
    options.timers.setTimeout(burst, delayMs)
  }

  function burst(): void {
    scheduled = false
    lastTurn = now()
    if (!options.nodes.every((node) => node.sure())) {
      schedule(DOUBT_MS)
      return
    }
    metrics.queueDepth(queue.size())
    const planned: ObjectKey[] = []
    // One transaction for all of them: what was decided is on disk before any step of it starts, and one flush does for all.
    const kept = tracked('keep what was decided', () => store.transaction(() => passes(planned)))
    if (kept) for (const plan of plans.values()) executor.submit(plan)
    else planned.forEach(retry)
    plans.clear()
    lastTurn = now()
    tracked('follow the revision', options.changed)
    if (queue.size() > 0) schedule()
  }

  function retry(key: ObjectKey): void {
    metrics.queueRetry()
    queue.addAt(key, now() + MISTAKE_MS)
  }

  /** @param planned gets the keys of the passes, also of those that the end of the burst keeps back */
  function passes(planned: ObjectKey[]): void {
    const until = now() + BURST_MS
    for (let key = queue.take(); key !== undefined; key = queue.take()) {
      const before = options.active() ? world.goingBefore(key) : []
      planned.push(key, ...before)
      for (const each of [...before, key]) {
        guardedPass(each)
        if (now() < until) continue
        // What goes before it may be more than one burst has time for: its turn is not over yet.
        if (each !== key) queue.add(key)
        return
      }
    }
  }

  function guardedPass(key: ObjectKey): void {
    const started = performance.now()
    if (!passOrTell(key)) retry(key)
    if (options.active()) world.lookedAt(key)
    metrics.plan(splitKey(key).kind, (performance.now() - started) / 1000)
  }

  /** One object that cannot be planned stops no other; what cannot be kept ends the burst, for nothing of it is. */
  function passOrTell(key: ObjectKey): boolean {
    try {
      store.transaction(() => pass(key))
      return true
    } catch (error) {
      if (error instanceof StoreError) throw error
      log.error({ err: error }, `cannot plan ${key}`)
      return false
    }
  }

  /** A full disk never stops the loop. */
  function guarded(what: string, work: () => void): { readonly error?: unknown } {
    try {
      work()
      return {}
    } catch (error) {
      // A full disk is nobody's mistake: where it was noticed tells nothing.
      if (error instanceof StoreError) log.error({ error: error.message }, `cannot ${what}`)
      else log.error({ err: error }, `cannot ${what}`)
      return { error }
    }
  }

  /** Whether it went well. What can only not be remembered is told until it can. */
  function tracked(what: string, work: () => void): boolean {
    const outcome = guarded(what, work)
    if (outcome.error instanceof StoreError) storeTroubles.set(what, outcome.error.message)
    else storeTroubles.delete(what)
    return !('error' in outcome)
  }

  function pass(key: ObjectKey): void {
    if (isNode(key)) passNode(key)
    else if (options.active() && isWorkload(key)) passWorkload(key)
    else if (options.active() && isService(key)) passService(key)
  }

  function context(): PassContext {
    return {
      world,
      failures: failures.all,
      inFlight: executor.inFlight,
      now: now(),
      ids: options.ids,
      revision: options.revision(),
    }
  }

  function passWorkload(key: ObjectKey): void {
    const memory = store.workloads().get(key)
    const passed = workloadPass(context(), key)
    if (passed === undefined) return
    const { target, result } = passed
    if (result.memory === undefined) store.deleteWorkload(key)
    else if (result.memory !== memory) store.setWorkload(key, result.memory)
    rememberApplied(key, target)
    for (const event of result.events) keepEvent(event)
    for (const { kind, cause } of result.drifts) {
      metrics.drift(kind)
      keepEvent({ type: 'Warning', reason: 'DriftMended', object: key, message: cause })
    }
    forgetPods(memory?.pods ?? [], result.memory?.pods ?? [])
    noteWaiting(key, memory, result.memory)
    noteRollout(memory?.rollout, result.memory?.rollout)
    if (result.memory === undefined) {
      markRoutes(world.forget(key))
    } else {
      if (result.status !== undefined) world.statuses.set(key, result.status)
      markRoutes(world.setPods(key, result.endpoints, result.probes))
    }
    markRelated(key, memory, result.memory)
    if (result.wakeAt !== undefined) queue.addAt(key, result.wakeAt)
    plans.set(key, result.plan)
  }

  /** Jobs that a CronJob has made or lets go; and the CronJob of a Job, which wants to know how that ended. */
  function markRelated(key: ObjectKey, before: WorkloadMemory | undefined, after: WorkloadMemory | undefined): void {
    for (const job of changedRuns(before, after)) queue.add(job)
    const owner = cronJobOf(key)?.owner
    if (owner !== undefined && before !== after && store.workloads().has(owner)) queue.add(owner)
  }

  function passService(key: ObjectKey): void {
    const memory = store.services().get(key)
    const rivals = world.rivals(key)
    const passed = servicePass(context(), key)
    if (passed === undefined) return
    const { target, result } = passed
    if (result.memory === undefined) store.deleteService(key)
    else if (result.memory !== memory) store.setService(key, result.memory)
    rememberApplied(key, target)
    if (result.memory !== memory) {
      world.serviceMoved(key)
      // A port of the host that was given up is somebody else's now.
      for (const rival of [...rivals, ...world.rivals(key)]) queue.add(rival)
    }
    noteConflict(world.services.get(key), result.status)
    if (result.status === undefined) world.services.delete(key)
    else world.services.set(key, result.status)
    markNodes()
    plans.set(key, result.plan)
  }

  /** What is being taken down is applied no more: a revision that comes meanwhile finds no state of it to go back to. */
  function rememberApplied(key: ObjectKey, target: LoadedObject | null): void {
    if (target === null) {
      if (store.lastApplied().has(key)) store.deleteLastApplied(key)
      return
    }
    const { object, origin, unenforced } = target
    // What a CronJob has made is in its memory, and was never in Git, so it cannot leave it.
    if ((object as Job).owner !== undefined) return
    const last = store.lastApplied().get(key)
    // That a newer revision has it too is nothing worth a write: most objects are the same in most revisions.
    const moved = last?.origin.file !== origin.file || last.origin.line !== origin.line
    if (moved || !same(last?.object, object)) store.setLastApplied(key, { object, origin, unenforced })
  }

  function passNode(key: ObjectKey): void {
    const node = world.nodes.find(({ name }) => nodeKey(name) === key)
    if (node === undefined) return
    const table = options.active() ? world.table() : undefined
    plans.set(key, nodePass(world, node, table, executor.inFlight))
    if (table === undefined || routed) return
    // Passes before this moment could not tell whether a pod is routed, and nothing else would wake those that wait for it.
    routed = true
    markAll()
  }

  async function runOn(key: ObjectKey, step: Step): Promise<void> {
    const node = options.nodes.find(({ name }) => name === step.node)
    if (node === undefined) throw new Error(`node ${step.node} is not known`)
    if (step.op === 'hook' && step.mark !== undefined) rememberHook(key, step.mark)
    const before: RouteTable | undefined = node.view().router.acknowledged
    await runStep(step, node.site, { vault, tokens: options.tokens, timers: options.timers, now })
    if (step.op !== 'route') return
    for (const uid of changedPods(before, step.table)) for (const key of world.ownersOf(uid)) queue.add(key)
  }

  /** On disk before the hook begins, so that no later daemon begins it again. */
  function rememberHook(key: ObjectKey, mark: PodMark): void {
    const memory = store.workloads().get(key)
    if (memory !== undefined) store.setWorkload(key, recordPreStop(memory, mark))
  }

  function ended({ key, step, startedAt, endedAt, error }: StepOutcome): void {
    const seconds = (endedAt - startedAt) / 1000
    metrics.step(step.op, error === undefined ? 'ok' : 'failed', seconds, error === undefined ? step.drift : undefined)
    if (error !== undefined) {
      const message = vault.redactOwn(error instanceof Error ? error.message : String(error))
      log.warn(
        { key, node: step.node, op: step.op, target: step.target, cause: step.cause, error: message, seconds },
        `failed: ${renderStep(step)}`,
      )
      note({ type: 'Warning', reason: failureReason(step, error), object: key, message: `${step.op} ${step.target}: ${message}` })
    } else if (step.drift !== undefined)
      note({ type: 'Warning', reason: 'DriftMended', object: key, message: `${step.op} ${step.target}: ${step.cause}` })
    queue.add(key)
  }

  function noteRollout(
    before: { set: string; result: string } | null | undefined,
    after: { set: string; result: string; startedAt: number; endedAt: number } | null | undefined,
  ): void {
    if (before?.result === 'running' && after !== null && after !== undefined && after.set !== before.set)
      metrics.rollout('superseded', 0)
    if (after === null || after === undefined || (after.result === before?.result && after.set === before?.set)) return
    if (after.result === 'complete' || after.result === 'deadlineExceeded')
      metrics.rollout(after.result, (after.endedAt - after.startedAt) / 1000)
  }

  /** A port that another Service holds makes no step fail, so nothing else would tell. */
  function noteConflict(before: ServiceStatus | undefined, after: ServiceStatus | undefined): void {
    if (after?.condition !== 'PortConflict' || after.message === before?.message) return
    note({ type: 'Warning', reason: 'PortConflict', object: after.key, message: after.message })
  }

  function note(event: EventNote): void {
    guarded('keep an event', () => keepEvent(event))
  }

  function keepEvent(event: EventNote): void {
    const at = now()
    store.addEvent({ ...event, at, firstAt: at, count: 1 })
    metrics.event(event.type, event.reason)
  }

  /** What failed for pods that are gone needs no memory. Volumes that could not be removed with them are for their nodes to remove. */
  function forgetPods(before: readonly PodRecord[], after: readonly PodRecord[]): void {
    const staying = new Set(after.map(({ uid }) => uid))
    const gone = before.filter(({ uid }) => !staying.has(uid))
    for (const { uid } of gone) failures.forgive((id) => id.startsWith(`pod/${uid}`))
    if (gone.length > 0) markNodes()
  }

  /** What pods leave behind is room for others. However many leave, who waits asks again once. */
  function noteWaiting(key: ObjectKey, before: WorkloadMemory | undefined, after: WorkloadMemory | undefined): void {
    const asked = after === undefined ? undefined : leastAsked(after)
    if (asked === undefined) waiting.delete(key)
    else waiting.set(key, asked)
    if (waiting.size > 0 && givesUpPlaces(before, after)) askWaiting()
  }

  function askWaiting(): void {
    if (asking || waiting.size === 0) return
    asking = true
    options.timers.setTimeout(() => {
      asking = false
      const free = world.nodes.map((node) => roomLeft(world.cluster, node.view(), world.requested(node.name)))
      for (const key of whoFits(waiting, free)) queue.add(key)
    }, ROOM_MS)
  }

  function markNodes(): void {
    for (const { name } of world.nodes) queue.add(nodeKey(name))
  }

  /** Services whose pods have changed, and every node's routes. */
  function markRoutes(services: readonly ObjectKey[] | undefined): void {
    if (services === undefined) return
    for (const key of services) queue.add(key)
    markNodes()
  }

  function markAll(): void {
    markNodes()
    for (const key of world.keys()) queue.add(key)
  }

  return {
    queue,
    failures,
    executor,
    markAll,
    askWaiting,
    note,
    lastTurn: () => lastTurn,
    storeTrouble: () => [...storeTroubles.values()][0] ?? '',
    async stop() {
      stopped = true
      queue.stop()
      executor.stop()
      await executor.idle()
    },
  }
}

function failureReason(step: Step, error: unknown): string {
  if (error instanceof MountError) return 'FailedMount'
  if (step.op === 'pull') return 'FailedPull'
  return step.op === 'hook' ? 'FailedHook' : `Failed${step.op[0]?.toUpperCase()}${step.op.slice(1)}`
}
