import fc from 'fast-check'
import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import type { Job } from '../../../src/model/types/workload.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import { planWorkload, type WorkloadPass } from '../../../src/reconcilers/workload.ts'
import { Stage } from '../../support/stage.ts'
import { job, namespace } from '../../support/world.ts'

const work = objectKey('Job', namespace, 'work')

const shape = fc
  .record({
    completions: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    parallelism: fc.integer({ min: 1, max: 4 }),
    backoffLimit: fc.integer({ min: 0, max: 4 }),
    indexed: fc.boolean(),
    perIndex: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
    onFailure: fc.boolean(),
    ttlSecondsAfterFinished: fc.option(fc.constantFrom(0, 60), { nil: undefined }),
    activeDeadlineSeconds: fc.option(fc.constantFrom(30, 3600), { nil: undefined }),
  })
  .map(({ indexed, perIndex, onFailure, completions, ...spec }): Job => {
    const byIndex = indexed && completions !== undefined
    const mode = byIndex
      ? { completionMode: 'Indexed', ...(perIndex === undefined ? {} : { backoffLimitPerIndex: perIndex }) }
      : {}
    const template = { spec: { restartPolicy: onFailure ? 'OnFailure' : 'Never' } }
    return job({ spec: { ...defined(spec), ...defined({ completions }), ...mode }, template })
  })

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

type Event =
  | { readonly kind: 'succeed' | 'fail' | 'removeSandbox'; readonly pick: number }
  | { readonly kind: 'turns' | 'wait'; readonly count: number }
  | { readonly kind: 'restart' }

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('succeed', 'succeed', 'fail', 'removeSandbox'),
      pick: fc.nat(5),
    }) as fc.Arbitrary<Event>,
  },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }).map((count): Event => ({ kind: 'turns', count })) },
  { weight: 2, arbitrary: fc.constantFrom(1, 10, 100, 700).map((count): Event => ({ kind: 'wait', count })) },
  { weight: 1, arbitrary: fc.constant<Event>({ kind: 'restart' }) },
)

/** A stage that checks every pass of its Job, and counts what has really happened. */
class WatchedStage extends Stage {
  /** pods that ended well or not, as they really did */
  readonly ended = new Map<string, number>()

  override plan(key: string): WorkloadPass {
    const input = this.input(key)
    expect(planWorkload(input), 'equal inputs, equal passes').toEqual(planWorkload(input))
    const before = this.memory.get(key)?.job
    const pass = super.plan(key)
    const { spec } = this.objects.get(key) as Job
    const run = pass.memory?.job
    const active = pass.memory?.pods.filter(({ deletion, outcome }) => deletion === undefined && outcome === undefined) ?? []
    expect(active.length, 'never more than parallelism').toBeLessThanOrEqual(spec.parallelism)
    if (run === undefined) return pass
    const most = spec.completions ?? Number.POSITIVE_INFINITY
    expect(run.succeeded + active.length, 'never more pods than are missing').toBeLessThanOrEqual(Math.max(most, run.succeeded))
    const indexes = active.flatMap(({ index }) => index ?? [])
    expect(new Set(indexes).size, 'one pod for each index').toBe(indexes.length)
    if (run.end !== null) expect(active, 'nothing runs once it has ended').toEqual([])
    if (before?.end) expect(run.end, 'what has ended stays so').toEqual(before.end)
    expect(run.succeeded + run.failed, 'every end counts at most once').toBeLessThanOrEqual(this.ended.size)
    return pass
  }

  finish(pick: number, code: number): void {
    const running = this.running()
    const view = running[pick % Math.max(1, running.length)]
    if (view === undefined) return
    this.ended.set(`${view.labels[LABEL.podUid]}`, code)
    this.end(view, code)
  }

  take(pick: number): void {
    const sandboxes = this.sandboxes()
    const view = sandboxes[pick % Math.max(1, sandboxes.length)]
    if (view === undefined) return
    this.ended.set(`${view.labels[LABEL.podUid]}`, this.ended.get(`${view.labels[LABEL.podUid]}`) ?? 1)
    this.node = { ...this.node, containers: new Map([...this.node.containers].filter(([id]) => id !== view.id)) }
  }

  happen(event: Event): void {
    if (event.kind === 'succeed') this.finish(event.pick, 0)
    else if (event.kind === 'fail') this.finish(event.pick, 1)
    else if (event.kind === 'removeSandbox') this.take(event.pick)
    else if (event.kind === 'wait') this.run(event.count * 1000)
    else if (event.kind === 'restart') this.restart()
    else if (event.kind === 'turns') for (let turn = 0; turn < event.count; turn++) this.turn()
  }
}

test('whatever happens: never too many pods, every end counted once, and it ends', () => {
  fc.assert(
    fc.property(shape, fc.array(event, { maxLength: 25 }), (target, events) => {
      const stage = new WatchedStage().apply(target)
      for (const each of events) stage.happen(each)
      stage.run(0)
      // From now on every pod that runs ends well.
      for (let round = 0; round < 60 && stage.memory.get(work)?.job?.end === null; round++) {
        stage.run(600_000)
        for (let pick = stage.running().length; pick > 0; pick--) stage.finish(0, 0)
        stage.settle()
      }
      const end = stage.memory.get(work)?.job?.end
      expect(end, 'it ends').toBeTruthy()
      if (end?.result === 'Complete' && target.spec.completions !== undefined)
        expect(stage.memory.get(work)?.job?.succeeded).toBeGreaterThanOrEqual(target.spec.completions)
      stage.run(60_000)
      if (target.spec.ttlSecondsAfterFinished !== undefined) expect(stage.records()).toEqual([])
      expect(stage.running()).toEqual([])
      expect(stage.turn(), 'nothing is left to do').toEqual([])
    }),
    { numRuns: 150 },
  )
})
