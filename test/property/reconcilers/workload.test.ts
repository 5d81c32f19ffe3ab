import fc from 'fast-check'
import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import type { Deployment } from '../../../src/model/types/workload.ts'
import { LABEL, SANDBOX } from '../../../src/reconcilers/names.ts'
import type { Step } from '../../../src/reconcilers/plan.ts'
import { rolloutBounds } from '../../../src/reconcilers/rollout.ts'
import { routesByPod } from '../../../src/reconcilers/routes.ts'
import { planWorkload, type WorkloadPass } from '../../../src/reconcilers/workload.ts'
import type { ContainerView } from '../../../src/runtime/engine.ts'
import { change } from '../../support/fakenode.ts'
import { NOT_READY, READY, Stage } from '../../support/stage.ts'
import { app, configMap, deployment, namespace, service } from '../../support/world.ts'
import { disturb, disturbance, type Happening, happen, turns, wait } from './happenings.ts'

const web = objectKey('Deployment', namespace, 'web')
const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } }]
const lifecycle = { preStop: { exec: { command: ['drain'] } } }
const readinessProbe = { httpGet: { path: '/', port: 8080 } }

/** `bad:1` never gets ready. */
const image = fc.constantFrom('web:1', 'web:2', 'web:3', 'bad:1')
const amount = fc.constantFrom<number | string>(0, 1, 2, '25%', '50%', '100%')

const helper = fc.constantFrom('init', 'sidecar')

const commit = fc
  .record({
    image,
    helpers: fc.array(helper, { maxLength: 3 }),
    replicas: fc.integer({ min: 0, max: 6 }),
    strategy: fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          type: fc.constant('RollingUpdate'),
          rollingUpdate: fc.record({ maxSurge: amount, maxUnavailable: amount }),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ type: 'Recreate' }) },
    ),
    minReadySeconds: fc.constantFrom(0, 0, 5),
    paused: fc.constantFrom(false, false, false, true),
  })
  .map(({ image, helpers, ...spec }) =>
    deployment({
      spec,
      template: {
        containers: [app({ image, env, lifecycle, readinessProbe })],
        spec: { initContainers: helpers.map((kind, index) => helperOf(kind, `${kind}${index}`)) },
      },
    }),
  )

function helperOf(kind: string, name: string): Readonly<Record<string, unknown>> {
  return kind === 'init' ? { name, image: 'init:1' } : { name, image: 'side:1', restartPolicy: 'Always' }
}

type Event =
  | Happening
  | { readonly kind: 'commit'; readonly target: Deployment }
  | { readonly kind: 'config'; readonly value: string }
  | { readonly kind: 'kill' | 'pause' | 'rename' | 'restartSandbox'; readonly pick: number }
  | { readonly kind: 'unroute' | 'route' }

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: commit.map((target): Event => ({ kind: 'commit', target })) },
  { weight: 1, arbitrary: fc.constantFrom('1', '2').map((value): Event => ({ kind: 'config', value })) },
  { weight: 4, arbitrary: disturbance('crash', 'kill', 'remove', 'removeSandbox', 'pause', 'rename', 'restartSandbox') },
  { weight: 6, arbitrary: turns },
  { weight: 2, arbitrary: wait },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Event>(
      { kind: 'restart' },
      { kind: 'loseStore' },
      { kind: 'cut' },
      { kind: 'mend' },
      { kind: 'unroute' },
      { kind: 'route' },
    ),
  },
)

const story = fc.record({ first: commit, events: fc.array(event, { minLength: 3, maxLength: 25 }) })

/** A stage that checks every step and every pass of its workload. */
class WatchedStage extends Stage {
  #target: Deployment | undefined
  #most = 0
  /** preStop hooks that have begun, as far as this memory goes */
  readonly begun = new Set<string>()
  override watch = (step: Step): void => {
    expect(this.node.reachable, 'a step on a node that is out of reach').toBe(true)
    if (step.op === 'create') this.#checkOrder(step.spec.labels)
    if (step.op === 'hook') {
      expect(this.begun.has(step.target), `${step.target} begins twice`).toBe(false)
      this.begun.add(step.target)
    }
    if (step.op !== 'stop' && step.op !== 'remove') return
    const uid = this.node.containers.get(step.container)?.labels[LABEL.podUid]
    const record = this.records().find((each) => each.uid === uid)
    const routed = this.node.router.acknowledged !== undefined && routesByPod(this.node.router.acknowledged).has(uid ?? '')
    if (record?.deletion !== undefined) expect(routed, `${step.op} of a pod that is still routed`).toBe(false)
  }

  /** Init containers of pods that have completed, as this memory knows. */
  readonly completed = new Set<string>()

  /** What comes before a container has passed, and no init container that has completed is made again. */
  #checkOrder(labels: Readonly<Record<string, string>>): void {
    const [uid = '', name = ''] = [labels[LABEL.podUid], labels[LABEL.containerName]]
    const record = this.records().find((each) => each.uid === uid)
    const spec = [...this.memory.values()].flatMap(({ sets }) => sets).find((set) => set.name === record?.set)?.template.spec
    const before = spec?.initContainers.map((container) => container.name) ?? []
    const index = before.indexOf(name)
    if (name === SANDBOX) return
    for (const earlier of index === -1 ? before : before.slice(0, index))
      expect(record?.passed ?? [], `${name} is made before ${earlier} has passed`).toContain(earlier)
    expect(this.completed.has(`${uid}/${name}`), `${name} has completed and is made again`).toBe(false)
  }

  /** Init containers run for a while and complete. */
  completeInits(): void {
    for (const view of this.node.containers.values()) {
      if (view.image !== 'init:1' || view.state !== 'running') continue
      this.completed.add(`${view.labels[LABEL.podUid]}/${view.labels[LABEL.containerName]}`)
      this.end(view, 0)
    }
  }

  override turn(): string[] {
    const steps = super.turn()
    this.completeInits()
    return steps
  }

  override plan(key: string): WorkloadPass {
    const input = this.input(key)
    const before = this.memory.get(key)
    expect(planWorkload(shuffled(input)), 'equal inputs, equal passes').toEqual(planWorkload(input))
    const pass = super.plan(key)
    const target = this.objects.get(key) as Deployment | undefined
    const pods = pass.memory?.pods ?? []
    for (const field of ['name', 'ip', 'uid'] as const)
      expect(new Set(pods.map((pod) => pod[field])).size, `unique ${field}`).toBe(pods.length)
    const ids = pass.plan.lanes.map(({ id }) => id)
    expect(new Set(ids).size, 'unique lanes').toBe(ids.length)
    if (target === undefined) return pass
    const { surge, unavailable } = rolloutBounds(target.spec)
    const staying = pods.filter(({ deletion }) => deletion === undefined)
    // More than that may be left from what the commit before allowed, but never made.
    const changed = target !== this.#target
    if (changed)
      this.#most = Math.max(
        target.spec.replicas + surge,
        before?.pods.filter(({ deletion }) => deletion === undefined).length ?? 0,
      )
    else expect(staying.length, 'never more than replicas + surge').toBeLessThanOrEqual(this.#most)
    const leaving = pods.filter(
      ({ uid, deletion }) =>
        deletion?.since === this.now && before?.pods.some((pod) => pod.uid === uid && pod.deletion === undefined),
    )
    // What has crashed since the pass before does not serve any more: it may go.
    const available = new Set(pass.status?.pods.filter((pod) => pod.available).map(({ uid }) => uid))
    const taken = leaving.filter(({ uid, deletion }) => available.has(uid) && deletion?.cause.startsWith('replaced'))
    const rolls = !changed && !target.spec.paused && target.spec.strategy.type === 'RollingUpdate'
    if (rolls && taken.length > 0) {
      const left = pass.status?.pods.filter((pod) => pod.available && !pod.terminating).length ?? 0
      expect(left, 'a rollout never takes what must serve').toBeGreaterThanOrEqual(target.spec.replicas - unavailable)
    }
    this.#target = target
    return pass
  }
}

/** The same input with its maps in another order. */
function shuffled(input: ReturnType<Stage['input']>): ReturnType<Stage['input']> {
  const turned = <K, V>(map: ReadonlyMap<K, V>): Map<K, V> => new Map([...map].reverse())
  return {
    ...input,
    failures: turned(input.failures),
    nodes: input.nodes.map((node) => ({
      ...node,
      containers: turned(node.containers),
      volumes: turned(node.volumes),
      images: turned(node.images),
      files: turned(node.files),
    })),
  }
}

function play(stage: WatchedStage, event: Event): void {
  switch (event.kind) {
    case 'commit':
      stage.apply(event.target)
      return
    case 'config':
      stage.apply(configMap('conf', { a: event.value }))
      return
    case 'unroute':
      stage.node = { ...stage.node, broken: new Map([['route routes', { kind: 'failed', message: 'no' }]]) }
      return
    case 'route':
      stage.node = { ...stage.node, broken: new Map() }
      return
    case 'kill':
      disturb(stage, event, (view) => stage.end(view, 137))
      return
    case 'pause':
    case 'rename':
    case 'restartSandbox':
      disturb(stage, event, (view) => {
        stage.node = change(stage.node, view.id, () => changed(event, stage.now))
      })
      return
    default:
      if (event.kind === 'loseStore') stage.begun.clear()
      happen(stage, event)
  }
}

/** What somebody makes of a container. */
function changed({ kind, pick }: { readonly kind: string; readonly pick: number }, now: number): Partial<ContainerView> {
  if (kind === 'pause') return { state: 'paused' }
  return kind === 'rename' ? { name: `mine-${pick}` } : { startedAt: now + 1 }
}

function begin(first: Deployment): WatchedStage {
  const stage = new WatchedStage().apply(configMap('conf', { a: '1' }), service(), first)
  stage.probe = (view) => (view.image.startsWith('bad') ? NOT_READY : READY)
  return stage
}

test('whatever happens, no pod is stopped while routed, none too many is made, and it all ends as Git wants it', () => {
  fc.assert(
    fc.property(story, ({ first, events }) => {
      const stage = begin(first)
      for (const happening of events) play(stage, happening)
      play(stage, { kind: 'mend' })
      play(stage, { kind: 'route' })
      stage.probe = () => READY
      const last = stage.objects.get(web) as Deployment
      const target = last.spec.paused ? { ...last, spec: { ...last.spec, paused: false } } : last
      stage.apply(target)
      stage.run(1_200_000)
      expect(stage.passes.get(web)?.status).toMatchObject({
        healthy: true,
        condition: 'Available',
        updated: target.spec.replicas,
      })
      expect(stage.turn(), 'a plan that was done leaves nothing to do').toEqual([])
      expect(stage.running()).toHaveLength(target.spec.replicas)
      expect(stage.sandboxes()).toHaveLength(target.spec.replicas)
      expect(stage.running().every((view) => view.image === target.spec.template.spec.containers[0]?.image)).toBe(true)
      stage.remove(web).settle()
      expect([stage.memory.size, stage.containers('POD').length, stage.containers().length]).toEqual([0, 0, 0])
    }),
    { numRuns: 50 },
  )
})

test('a rollout that never gets ready leaves as many old pods serving as it must', () => {
  fc.assert(
    fc.property(commit, commit, fc.nat(40), (first, second, turns) => {
      const image = (target: Deployment, name: string): Deployment => ({
        ...target,
        spec: {
          ...target.spec,
          paused: false,
          replicas: 4,
          template: deployment({ template: { containers: [app({ image: name, readinessProbe })] } }).spec.template,
        },
      })
      const stage = begin(image(first, 'web:1'))
      stage.run(60_000)
      const bad = image(second, 'bad:1')
      stage.apply(bad)
      for (let turn = 0; turn < turns; turn++) stage.turn()
      stage.run(1_200_000)
      const { unavailable } = rolloutBounds(bad.spec)
      const serving = stage.running().filter((view) => view.image === 'web:1').length
      if (bad.spec.strategy.type === 'RollingUpdate') expect(serving).toBeGreaterThanOrEqual(4 - unavailable)
      expect(stage.passes.get(web)?.status).toMatchObject({ healthy: false, condition: 'Failed' })
      stage.apply(image(first, 'web:1'))
      stage.run(60_000)
      expect(stage.passes.get(web)?.status).toMatchObject({ healthy: true, updated: 4 })
    }),
    { numRuns: 20 },
  )
})
