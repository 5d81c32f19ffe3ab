import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import type { WorkloadMemory } from '../../../src/reconcilers/memory.ts'
import type { PodNow } from '../../../src/reconcilers/podstate.ts'
import type { SetCount } from '../../../src/reconcilers/rollout.ts'
import { nextWake, recordProgress } from '../../../src/reconcilers/transitions.ts'
import { wantedOf } from '../../../src/reconcilers/wanted.ts'
import { NOT_READY, READY, Stage } from '../../support/stage.ts'
import { app, count, deployment, epochMs, namespace, template } from '../../support/world.ts'

const nothing = { configMap: () => undefined, secret: () => undefined }
const wanted = wantedOf(deployment({ spec: { replicas: 4, progressDeadlineSeconds: 60 } }), nothing, 'r1', [])
const start = [count(2, 2, { name: wanted.set, ready: 1, available: 1 }), count(1, 2, { ready: 2, available: 1 })] as const

/** A rollout that last moved at the epoch, when `start` was counted. */
function begun(): WorkloadMemory {
  const rollout = { set: wanted.set, startedAt: epochMs, endedAt: 0, result: 'running', sourceRevision: 'r1' } as const
  const empty: WorkloadMemory = {
    uid: 'u',
    generation: 1,
    createdAt: epochMs,
    scaledTo: 4,
    sets: [],
    pods: [],
    progress: null,
    rollout,
  }
  return recordProgress(empty, start, wanted, false, epochMs)
}

function later(counts: readonly SetCount[], ms: number, complete = false): WorkloadMemory {
  return recordProgress(begun(), counts, wanted, complete, epochMs + ms)
}

describe('recordProgress', () => {
  for (const { name, next, old, moved } of [
    { name: 'nothing', next: {}, old: {}, moved: false },
    { name: 'more new pods', next: { pods: 3 }, old: {}, moved: true },
    { name: 'fewer old pods', next: {}, old: { pods: 1 }, moved: true },
    { name: 'more ready', next: { ready: 2 }, old: {}, moved: true },
    { name: 'more available', next: {}, old: { available: 2 }, moved: true },
    { name: 'fewer new pods', next: { pods: 1 }, old: {}, moved: false },
    { name: 'more old pods', next: {}, old: { pods: 3 }, moved: false },
    { name: 'fewer ready and available', next: { ready: 0, available: 0 }, old: {}, moved: false },
  ])
    test(`${name} ${moved ? 'begins' : 'does not begin'} the deadline anew`, () => {
      const counts = [
        { ...start[0], ...next },
        { ...start[1], ...old },
      ]
      expect(later(counts, 50_000).progress?.since).toBe(epochMs + (moved ? 50_000 : 0))
      expect(later(counts, 60_000).rollout?.result).toBe(moved ? 'running' : 'deadlineExceeded')
    })

  test('no move and no lapse leave the memory as it is', () => {
    const memory = begun()
    expect(recordProgress(memory, start, wanted, false, epochMs + 59_999)).toBe(memory)
  })

  test('complete, at the time it was seen', () => {
    expect(later([count(2, 4, { name: wanted.set }), count(1, 0)], 5_000, true).rollout).toMatchObject({
      result: 'complete',
      endedAt: epochMs + 5_000,
    })
  })

  test('a rollout that was late and moves is running again', () => {
    const late = later(start, 60_000)
    expect(late.rollout).toMatchObject({ result: 'deadlineExceeded', endedAt: epochMs + 60_000 })
    const counts = [{ ...start[0], ready: 2 }, start[1]]
    expect(recordProgress(late, counts, wanted, false, epochMs + 70_000).rollout).toMatchObject({ result: 'running', endedAt: 0 })
  })
})

describe('nextWake', () => {
  const spec = { spec: { replicas: 4, progressDeadlineSeconds: 60, minReadySeconds: 7 } }
  const patient = wantedOf(deployment(spec), nothing, 'r1', [])
  const set = { template: template() }
  const pod = (readySince: number): PodNow =>
    ({ context: { record: { readySince }, set, compiled: { volumes: [] } }, containers: [] }) as unknown as PodNow

  test('when the progress deadline of a rollout is over', () => {
    expect(nextWake([], wanted, begun(), epochMs)).toBe(epochMs + 60_000)
    expect(nextWake([], wanted, begun(), epochMs + 60_000)).toBeUndefined()
  })

  test('when a ready pod has been so for minReadySeconds', () => {
    expect(nextWake([pod(epochMs), pod(epochMs - 2_000), pod(0)], patient, begun(), epochMs)).toBe(epochMs + 5_000)
  })
})

describe('what is written down of pods', () => {
  const web = objectKey('Deployment', namespace, 'web')
  /** A Deployment whose pods keep something in a volume. */
  const kept = (replicas: number, change = {}) =>
    deployment({
      spec: { replicas },
      template: { containers: [app(change)], spec: { volumes: [{ name: 'tmp', emptyDir: {} }] } },
    })
  const ready = (change = {}): Stage => {
    const stage = new Stage().apply(kept(1, change))
    stage.run(60_000)
    return stage
  }
  const leaving = (): Stage => {
    const stage = ready().apply(kept(0))
    stage.plan(web)
    return stage
  }

  test('a pod that is not ready any more begins anew when it is', () => {
    const stage = ready({ readinessProbe: { httpGet: { path: '/', port: 80 } } })
    const since = stage.records()[0]?.readySince
    expect(since).toBeGreaterThan(0)
    stage.probe = () => NOT_READY
    stage.plan(web)
    expect(stage.records()[0]?.readySince).toBe(0)
    stage.probe = () => READY
    stage.now += 5_000
    stage.plan(web)
    expect(stage.records()[0]?.readySince).toBe(stage.now)
  })

  test('a pod of which nothing is left is forgotten once no step of it is under way', () => {
    const stage = leaving()
    const lane = `pod/${stage.records()[0]?.uid}`
    stage.node = { ...stage.node, containers: new Map(), volumes: new Map() }
    stage.inFlight.add(lane)
    stage.plan(web)
    expect(stage.records()).toHaveLength(1)
    stage.inFlight.delete(lane)
    stage.plan(web)
    expect(stage.records()).toEqual([])
  })

  test('and once its volumes are gone', () => {
    const stage = leaving()
    expect(stage.node.volumes.size).toBeGreaterThan(0)
    stage.node = { ...stage.node, containers: new Map() }
    stage.plan(web)
    expect(stage.records()).toHaveLength(1)
    stage.settle()
    expect([stage.records(), [...stage.node.volumes.keys()]]).toEqual([[], ['trireme-test-router']])
  })

  test('after a crash too, one that nobody probes counts as started when it need not listen any more', () => {
    const stage = ready({ ports: [{ containerPort: 8080 }] })
    for (const view of stage.running()) stage.end(view, 1)
    stage.probe = () => ({})
    stage.run(1_000)
    expect(stage.records()[0]?.readySince).toBe(0)
    stage.run(15_000)
    expect(stage.records()[0]?.readySince).toBeGreaterThan(0)
  })
})
