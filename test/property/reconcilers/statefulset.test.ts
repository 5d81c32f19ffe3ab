import fc from 'fast-check'
import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import type { StatefulSet } from '../../../src/model/types/workload.ts'
import { LABEL, SANDBOX } from '../../../src/reconcilers/names.ts'
import type { Step } from '../../../src/reconcilers/plan.ts'
import { planWorkload, type WorkloadPass } from '../../../src/reconcilers/workload.ts'
import { NOT_READY, READY, Stage } from '../../support/stage.ts'
import { app, namespace, service, statefulSet } from '../../support/world.ts'
import { disturbance, type Happening, happen, turns, wait } from './happenings.ts'

const web = objectKey('StatefulSet', namespace, 'web')
const readinessProbe = { httpGet: { path: '/', port: 8080 } }

const commit = fc
  .record({
    /** `bad:1` never gets ready */
    image: fc.constantFrom('web:1', 'web:2', 'web:3', 'bad:1'),
    replicas: fc.integer({ min: 0, max: 5 }),
    podManagementPolicy: fc.constantFrom('OrderedReady', 'OrderedReady', 'Parallel'),
    ordinals: fc.constantFrom({}, {}, { start: 2 }),
    updateStrategy: fc.oneof(
      fc.constant({ type: 'OnDelete' }),
      ...[1, 2].map((maxUnavailable) =>
        fc.integer({ min: 0, max: 5 }).map((partition) => ({ rollingUpdate: { partition, maxUnavailable } })),
      ),
      fc.constant({}),
    ),
    minReadySeconds: fc.constantFrom(0, 0, 5),
    revisionHistoryLimit: fc.constantFrom(0, 1, 10),
  })
  .map(({ image, ...spec }) => statefulSet({ spec, template: { containers: [app({ image, readinessProbe })] } }))

type Event = Happening | { readonly kind: 'commit'; readonly target: StatefulSet }

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: commit.map((target): Event => ({ kind: 'commit', target })) },
  { weight: 4, arbitrary: disturbance('crash', 'remove', 'removeSandbox') },
  { weight: 6, arbitrary: turns },
  { weight: 2, arbitrary: wait },
  { weight: 2, arbitrary: fc.constantFrom('restart', 'loseStore', 'cut', 'mend').map((kind): Event => ({ kind }) as Event) },
)

/** A stage that looks at every pass over its StatefulSet, and at every sandbox that is made. */
class WatchedStage extends Stage {
  override watch = (step: Step): void => {
    if (step.op !== 'create' || step.spec.labels[LABEL.containerName] !== SANDBOX) return
    const name = step.spec.labels[LABEL.podName]
    const others = [...this.node.containers.values()].filter(({ labels }) => labels[LABEL.podName] === name)
    expect(others, `${name} is made while another is there`).toEqual([])
  }

  override plan(key: string): WorkloadPass {
    const input = this.input(key)
    const before = this.memory.get(key)?.pods
    expect(planWorkload(input), 'equal inputs, equal passes').toEqual(planWorkload(input))
    const available = new Set(
      this.passes
        .get(key)
        ?.status?.pods.filter((pod) => pod.available)
        .map(({ name }) => name),
    )
    const pass = super.plan(key)
    const target = this.objects.get(key) as StatefulSet | undefined
    const pods = pass.memory?.pods ?? []
    expect(new Set(pods.map(({ name }) => name)).size, 'one pod of an ordinal').toBe(pods.length)
    // Without a memory they are taken over, not made.
    if (before === undefined || target === undefined || target.spec.podManagementPolicy === 'Parallel') return pass
    const made = pods.filter(({ uid }) => before.every((pod) => pod.uid !== uid))
    expect(made.length, 'in order one at a time').toBeLessThanOrEqual(1)
    for (const { name } of made) {
      const lower = (pass.status?.pods ?? []).filter((pod) => ordinalOf(pod.name) < ordinalOf(name) && isWanted(target, pod.name))
      expect(
        lower.every((pod) => pod.available),
        `${name} is made while a lower one is not available`,
      ).toBe(true)
    }
    const taken = pods.filter(
      ({ uid, deletion }) => deletion?.cause.startsWith('replaced') && before.some((pod) => pod.uid === uid && !pod.deletion),
    )
    const unavailable =
      target.spec.updateStrategy.type === 'RollingUpdate' ? target.spec.updateStrategy.rollingUpdate.maxUnavailable : 0
    expect(taken.filter(({ name }) => available.has(name)).length, 'no more at once than may be').toBeLessThanOrEqual(
      Number(unavailable),
    )
    return pass
  }
}

function ordinalOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1))
}

function isWanted({ spec }: StatefulSet, name: string): boolean {
  const index = ordinalOf(name) - spec.ordinals.start
  return index >= 0 && index < spec.replicas
}

function play(stage: WatchedStage, event: Event): void {
  if (event.kind === 'commit') stage.apply(event.target)
  else happen(stage, event)
}

test('whatever happens, no ordinal is there twice, order is kept, and it all ends as Git wants it', () => {
  fc.assert(
    fc.property(commit, fc.array(event, { minLength: 3, maxLength: 25 }), (first, events) => {
      const stage = new WatchedStage().apply(service({ clusterIP: 'None' }), first)
      stage.probe = ({ image }) => (image.startsWith('bad') ? NOT_READY : READY)
      for (const happening of events) play(stage, happening)
      play(stage, { kind: 'mend' })
      // What cannot get ready is mended by a commit alone: the pods of bad revisions never do.
      const last = stage.objects.get(web) as StatefulSet
      const { replicas, ordinals } = last.spec
      stage.apply(
        statefulSet({
          spec: { replicas, ordinals, podManagementPolicy: last.spec.podManagementPolicy },
          template: { containers: [app({ image: 'web:9', readinessProbe })] },
        }),
      )
      stage.run(1_200_000)
      expect(stage.passes.get(web)?.status).toMatchObject({ healthy: true, condition: 'Available', updated: replicas })
      expect(stage.turn(), 'a plan that was done leaves nothing to do').toEqual([])
      const names = Array.from({ length: replicas }, (_, index) => `web-${ordinals.start + index}`)
      expect(
        stage
          .running()
          .map(({ labels }) => labels[LABEL.podName])
          .sort(),
      ).toEqual(names)
      expect(stage.running().every(({ image }) => image === 'web:9')).toBe(true)
      stage.remove(web).settle()
      expect([stage.memory.size, stage.sandboxes().length, stage.containers().length]).toEqual([0, 0, 0])
    }),
    { numRuns: 25 },
  )
})
