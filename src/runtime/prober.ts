/** Probes of running containers: attempts on time, thresholds, and what planners may know of them. */
import type { Probe } from '../model/types/pod.ts'
import type { ContainerProbes, ProbeKind, ProbeState } from '../reconcilers/observed.ts'
import type { ProbeTarget } from '../reconcilers/probetargets.ts'
import type { ProbeAnswer } from './probes/answer.ts'
import { firstDelayMs, intervalMs } from './probes/schedule.ts'
import { createSlots, type Slots } from './probes/slots.ts'
import { countAttempt, emptyTally, type Tally } from './probes/tally.ts'
import type { Timers } from './timers.ts'

export interface ProberOptions {
  readonly timers: Timers
  /** ms since the epoch */
  readonly now: () => number
  /** in [0, 1) */
  readonly random: () => number
  /** One attempt, bounded by the probe's own `timeoutSeconds`. */
  readonly runAction: (target: ProbeTarget, probe: Probe, signal: AbortSignal) => Promise<ProbeAnswer>
  /** A result has changed, or a failing probe says something else (at most every 5 s). */
  readonly onChange: (containerId: string, kind: ProbeKind) => void
}

export interface Prober {
  /** The containers of one owner to probe from now on; one that is left out, or has started anew, is forgotten. */
  sync(owner: string, targets: readonly ProbeTarget[]): void
  /** `{}` for a container that is not probed. */
  states(containerId: string): ContainerProbes
  /**
   * Readiness as it was before the daemon started, before or after the container is first synced. A ready
   * container stays ready until its probe has really failed, and counts as started.
   */
  seed(containerId: string, ready: boolean): void
  stop(): void
}

/** Attempts in flight: an exec costs the node a process, a request next to nothing, and a count of what is on a disk may take minutes. */
const EXEC_LIMIT = 16
const REQUEST_LIMIT = 128
const COUNT_LIMIT = 4
const ANSWER_INTERVAL_MS = 5_000

interface Worker {
  readonly kind: ProbeKind
  tally: Tally
  everSucceeded: boolean
  /** when attempts first could be made, `undefined` until then */
  openedAt: number | undefined
  timer: unknown
  attempt: AbortController | undefined
  told: { answer: string; at: number }
}

interface Entry {
  target: ProbeTarget
  /** on this daemon's clock, which may differ from the engine's */
  readonly startedAt: number
  /** running before this prober was made: its first attempts are spread */
  readonly adopted: boolean
  readonly workers: Map<ProbeKind, Worker>
}

/**
 * Kubernetes' rules: liveness and readiness wait for the startup probe, which ends with its first success;
 * liveness and startup stop once they have failed, for that container is to be killed; an attempt that
 * could not be made counts for nothing; one attempt of a probe at a time. A port is asked until its first success.
 *
 * @see Kubernetes pkg/kubelet/prober/worker.go
 */
export function createProber(options: ProberOptions): Prober {
  const { timers, now, random, onChange } = options
  const bornAt = now()
  const entries = new Map<string, Entry>()
  const ownedBy = new Map<string, ReadonlySet<string>>()
  const seeds = new Set<string>()
  const execSlots = createSlots(EXEC_LIMIT)
  const requestSlots = createSlots(REQUEST_LIMIT)
  const countSlots = createSlots(COUNT_LIMIT)

  function add(target: ProbeTarget): void {
    const adopted = target.startedAt < bornAt
    const entry: Entry = { target, startedAt: Math.min(target.startedAt, now()), adopted, workers: new Map() }
    entries.set(target.containerId, entry)
    settle(entry)
  }

  /** Workers as the target asks for, running or resting as its state asks for. */
  function settle(entry: Entry): void {
    const kinds = new Set([...entry.workers.keys(), ...(Object.keys(entry.target.probes) as ProbeKind[])])
    for (const kind of kinds) {
      const worker = entry.workers.get(kind)
      if (entry.target.probes[kind] === undefined) {
        if (worker !== undefined) rest(worker)
        entry.workers.delete(kind)
      } else if (worker === undefined) entry.workers.set(kind, newWorker(kind, now()))
    }
    // Once only: what is learnt later counts for more, also when the container leaves and comes back.
    if (seeds.delete(entry.target.containerId)) applySeed(entry)
    for (const worker of entry.workers.values()) wake(entry, worker)
  }

  function applySeed(entry: Entry): void {
    for (const worker of entry.workers.values()) {
      if (worker.kind === 'liveness' || worker.tally.streak !== 'none') continue
      worker.tally = emptyTally('success', worker.tally.since)
      worker.everSucceeded = true
    }
  }

  function wake(entry: Entry, worker: Worker): void {
    if (isResting(entry, worker)) {
      rest(worker)
      return
    }
    const probe = entry.target.probes[worker.kind]
    if (probe === undefined || worker.timer !== undefined || worker.attempt !== undefined) return
    const spreadMs = entry.adopted && worker.openedAt === undefined ? interval(worker, probe) : 0
    const delayMs = firstDelayMs(probe, now() - entry.startedAt, spreadMs, random())
    worker.openedAt ??= now() + delayMs
    arm(entry, worker, delayMs)
  }

  function interval(worker: Worker, probe: Probe): number {
    return intervalMs(worker.kind, probe, worker.everSucceeded, now() - (worker.openedAt ?? now()))
  }

  function arm(entry: Entry, worker: Worker, delayMs: number): void {
    worker.timer = timers.setTimeout(() => {
      worker.timer = undefined
      begin(entry, worker)
    }, delayMs)
  }

  function rest(worker: Worker): void {
    if (worker.timer !== undefined) timers.clearTimeout(worker.timer)
    worker.timer = undefined
    worker.attempt?.abort()
    worker.attempt = undefined
  }

  function begin(entry: Entry, worker: Worker): void {
    const probe = entry.target.probes[worker.kind]
    if (probe === undefined) return
    const attempt = new AbortController()
    worker.attempt = attempt
    slotsFor(worker.kind, probe).run(async () => {
      const begunAt = now()
      const answer = await answerOf(entry.target, probe, attempt.signal)
      // Rested meanwhile: whatever it says is about another time.
      if (worker.attempt !== attempt) return
      worker.attempt = undefined
      record(entry, worker, probe, answer)
      if (isResting(entry, worker)) rest(worker)
      else arm(entry, worker, remaining(interval(worker, probe), now() - begunAt))
    }, attempt.signal)
  }

  function slotsFor(kind: ProbeKind, { exec }: Probe): Slots {
    if (kind === 'storage') return countSlots
    return exec === undefined ? requestSlots : execSlots
  }

  async function answerOf(target: ProbeTarget, probe: Probe, signal: AbortSignal): Promise<ProbeAnswer> {
    try {
      return await options.runAction(target, probe, signal)
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }

  function record(entry: Entry, worker: Worker, probe: Probe, answer: ProbeAnswer): void {
    const before = worker.tally
    worker.tally = countAttempt(before, answer, probe, now())
    if ('ok' in answer && answer.ok) worker.everSucceeded = true
    const changed = worker.tally.result !== before.result
    if (changed && worker.kind === 'startup') for (const other of entry.workers.values()) if (other !== worker) wake(entry, other)
    if (changed || isNews(worker, answer)) {
      worker.told = { answer: worker.tally.lastAnswer, at: now() }
      onChange(entry.target.containerId, worker.kind)
    }
  }

  function isNews(worker: Worker, answer: ProbeAnswer): boolean {
    if (!('ok' in answer) || answer.ok || answer.answer === worker.told.answer) return false
    return now() - worker.told.at >= ANSWER_INTERVAL_MS
  }

  function forget(entry: Entry): void {
    for (const worker of entry.workers.values()) rest(worker)
    entries.delete(entry.target.containerId)
  }

  return {
    sync(owner, targets) {
      const wanted = new Map(targets.map((target) => [target.containerId, target]))
      for (const id of ownedBy.get(owner) ?? []) {
        const entry = entries.get(id)
        const target = wanted.get(id)
        if (entry === undefined) continue
        if (target === undefined) forget(entry)
        else if (target.startedAt !== entry.target.startedAt) {
          // The same container started again is another process: nothing known of the old one holds.
          forget(entry)
        } else {
          entry.target = target
          settle(entry)
        }
      }
      for (const target of targets) if (!entries.has(target.containerId)) add(target)
      if (targets.length === 0) ownedBy.delete(owner)
      else ownedBy.set(owner, new Set(wanted.keys()))
    },
    states(containerId) {
      const workers = entries.get(containerId)?.workers.values() ?? []
      return Object.fromEntries([...workers].map((worker) => [worker.kind, stateOf(worker.tally)]))
    },
    seed(containerId, ready) {
      if (!ready) return
      seeds.add(containerId)
      const entry = entries.get(containerId)
      if (entry !== undefined) settle(entry)
    },
    stop() {
      for (const entry of [...entries.values()]) forget(entry)
    },
  }
}

function newWorker(kind: ProbeKind, now: number): Worker {
  return {
    kind,
    tally: emptyTally('unknown', now),
    everSucceeded: false,
    openedAt: undefined,
    timer: undefined,
    attempt: undefined,
    told: { answer: '', at: Number.NEGATIVE_INFINITY },
  }
}

function isResting(entry: Entry, worker: Worker): boolean {
  if (entry.target.suspend.includes(worker.kind)) return true
  if (worker.kind === 'startup') return worker.tally.result !== 'unknown'
  if (isPort(worker.kind)) return worker.tally.result === 'success'
  if (worker.kind === 'storage') return worker.tally.result === 'failure'
  if (worker.kind === 'liveness' && worker.tally.result === 'failure') return true
  const startup = entry.workers.get('startup')
  return startup !== undefined && startup.tally.result !== 'success'
}

const isPort = (kind: ProbeKind): boolean => kind.startsWith('port ')

/** Of `intervalMs`, after `spentMs`; a clock set back does not make it longer. */
const remaining = (intervalMs: number, spentMs: number): number => intervalMs - Math.min(intervalMs, Math.max(0, spentMs))

const stateOf = ({ result, since, lastAnswer }: Tally): ProbeState => ({ result, since, lastAnswer })
