/** The registry: state computed at each scrape from the status, and what the loop tells as it works. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DriftKind, Step } from '../reconcilers/plan.ts'
import type { ClusterStatus, EventNote } from '../reconcilers/status.ts'
import { claimFamilies, collectClaims } from './claims.ts'
import { exposition } from './exposition.ts'
import type { Families, Sample } from './family.ts'
import { collectJobs, jobFamilies } from './jobs.ts'
import { collectPods, podFamilies } from './pods.ts'
import { collectServices, serviceFamilies } from './services.ts'
import { collectSources, sourceFamilies } from './sources.ts'
import { collectUsage, type UsageSample, usageFamilies } from './usage.ts'
import { collectWorkloads, workloadFamilies } from './workloads.ts'

export type PollResult = 'unchanged' | 'changed' | 'failed'
export type SyncResult = 'applied' | 'healthy' | 'failed' | 'superseded'
export type RolloutResult = 'complete' | 'deadlineExceeded' | 'superseded'
export type CallResult = 'ok' | 'failed'

/** All durations are in seconds. */
export interface Metrics {
  readonly contentType: string
  /** the text of a scrape, in pieces */
  metrics(): AsyncIterable<string>
  gitPoll(source: string, result: PollResult, seconds: number): void
  render(source: string, result: CallResult, seconds: number): void
  plan(kind: string, seconds: number): void
  sync(source: string, result: SyncResult): void
  /** a step that has ended; `drift` when it mended one */
  step(op: Step['op'], result: CallResult, seconds: number, drift?: DriftKind): void
  /** drift that is mended by no step of its own, such as an extra container that is removed with others */
  drift(kind: DriftKind): void
  rollout(result: RolloutResult, seconds: number): void
  /** an event that was kept; reasons are single words out of this code */
  event(type: EventNote['type'], reason: string): void
  commitToHealthy(source: string, seconds: number): void
  queueDepth(keys: number): void
  queueRetry(): void
  engineCall(node: string, op: string, result: CallResult, seconds: number): void
}

export interface MetricsOptions {
  readonly version: string
  /** read at each scrape; holds no secret */
  readonly status: () => ClusterStatus
  readonly usage?: () => readonly UsageSample[]
  /** resolves in a later turn of the event loop */
  readonly turn?: () => Promise<void>
}

const driftKinds: Readonly<Record<DriftKind, true>> = {
  stopped: true,
  paused: true,
  removed: true,
  renamed: true,
  resources: true,
  restartPolicy: true,
  network: true,
  files: true,
  routes: true,
  dns: true,
  extra: true,
}

const stateFamilies: Families = {
  ...workloadFamilies,
  ...jobFamilies,
  ...podFamilies,
  ...serviceFamilies,
  ...claimFamilies,
  ...sourceFamilies,
  ...usageFamilies,
}

/** Everything a status says, as samples. Pure. */
export function* collectState(status: ClusterStatus, usage: readonly UsageSample[]): Generator<Sample> {
  yield* collectWorkloads(status)
  yield* collectJobs(status)
  yield* collectPods(status)
  yield* collectServices(status)
  yield* collectClaims(status)
  yield* collectSources(status)
  yield* collectUsage(usage)
}

/** A registry of its own, so that nothing is shared between two daemons in one process. */
export function createMetrics({ version, status, usage = () => [], turn = async () => {} }: MetricsOptions): Metrics {
  const registry = new Registry()
  registerDefaults(registry)
  const told = registerTold(registry)
  told.buildInfo.set({ version, node_version: process.version }, 1)

  return {
    contentType: registry.contentType,
    async *metrics() {
      yield await registry.metrics()
      yield* exposition(stateFamilies, collectState(status(), usage()), turn)
    },
    gitPoll: (source, result, seconds) => {
      told.gitPolls.inc({ source, result })
      told.gitFailures.inc({ source }, result === 'failed' ? 1 : 0)
      told.gitSeconds.observe({ source }, seconds)
    },
    render: (source, result, seconds) => told.renderSeconds.observe({ source, result }, seconds),
    plan: (kind, seconds) => told.planSeconds.observe({ kind }, seconds),
    sync: (source, result) => told.syncs.inc({ source, result }),
    step: (op, result, seconds, drift) => {
      told.steps.inc({ op, result })
      told.stepSeconds.observe({ op }, seconds)
      if (drift) told.drifts.inc({ kind: drift })
    },
    drift: (kind) => told.drifts.inc({ kind }),
    rollout: (result, seconds) => {
      told.rollouts.inc({ result })
      told.rolloutSeconds.observe({ result }, seconds)
    },
    event: (type, reason) => told.events.inc({ type, reason }),
    commitToHealthy: (source, seconds) => told.commitToHealthy.observe({ source }, seconds),
    queueDepth: (keys) => told.queueDepth.set(keys),
    queueRetry: () => told.queueRetries.inc(),
    engineCall: (node, op, result, seconds) => told.engineSeconds.observe({ node, op, result }, seconds),
  }
}

/** prom-client's own metrics, without those whose names end in `_total` and which are no counters. */
function registerDefaults(registry: Registry): void {
  collectDefaultMetrics({ register: registry })
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`)
}

const quick = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]
const slow = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600]

function registerTold(registry: Registry) {
  const registers = [registry]
  const count = (name: string, help: string, labelNames: string[] = []) => new Counter({ name, help, labelNames, registers })
  const level = (name: string, help: string, labelNames: string[] = []) => new Gauge({ name, help, labelNames, registers })
  const spread = (name: string, help: string, labelNames: string[], buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers })
  const told = {
    buildInfo: level('trireme_build_info', 'Version of the daemon and of its runtime.', ['version', 'node_version']),
    gitPolls: count('trireme_git_polls_total', 'Polls of a source, by result.', ['source', 'result']),
    gitFailures: count('trireme_git_fetch_failures_total', 'Polls of a source that failed.', ['source']),
    gitSeconds: spread('trireme_git_fetch_duration_seconds', 'How long polls of a source took.', ['source'], quick),
    renderSeconds: spread(
      'trireme_render_duration_seconds',
      'How long reading, rendering and validating a revision took.',
      ['source', 'result'],
      quick,
    ),
    planSeconds: spread(
      'trireme_plan_duration_seconds',
      'How long planning one object took, by kind.',
      ['kind'],
      [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    ),
    syncs: count('trireme_sync_total', 'Revisions of a source by what became of them.', ['source', 'result']),
    steps: count('trireme_steps_total', 'Steps that ended, by operation and result.', ['op', 'result']),
    stepSeconds: spread('trireme_step_duration_seconds', 'How long steps took, by operation.', ['op'], [...quick, 60, 300]),
    drifts: count('trireme_drift_total', 'Drift found, by kind.', ['kind']),
    rollouts: count('trireme_rollouts_total', 'Rollouts that ended, by result.', ['result']),
    events: count('trireme_events_total', 'Events, by type and reason.', ['type', 'reason']),
    rolloutSeconds: spread('trireme_rollout_duration_seconds', 'How long rollouts took, by result.', ['result'], slow),
    commitToHealthy: spread(
      'trireme_commit_to_healthy_seconds',
      'From the time of a commit until every object of it was healthy.',
      ['source'],
      slow,
    ),
    queueDepth: level('trireme_queue_depth', 'Objects that wait for a pass.'),
    queueRetries: count('trireme_queue_retries_total', 'Passes that failed and were put back.'),
    engineSeconds: spread(
      'trireme_engine_call_duration_seconds',
      'How long calls to a Docker Engine took, by operation and result.',
      ['node', 'op', 'result'],
      quick,
    ),
  }
  // Known series begin at zero, so that the first increase is seen as one.
  for (const kind of Object.keys(driftKinds)) told.drifts.inc({ kind }, 0)
  for (const result of ['complete', 'deadlineExceeded', 'superseded'] satisfies RolloutResult[]) told.rollouts.inc({ result }, 0)
  return told
}
