import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyOf, objectKey } from '../../../src/model/types/meta.ts'
import { plus } from '../../../src/reconcilers/requests.ts'
import { allocatable, requestsIn, whoFits } from '../../../src/reconcilers/room.ts'
import type { EngineInfo } from '../../../src/runtime/engine.ts'
import { Stage } from '../../support/stage.ts'
import { app, barePod, cluster, deployment, job, namespace } from '../../support/world.ts'

const MIB = 2 ** 20
const asking = (cpu: string, memory = '0') => ({ containers: [app({ resources: { requests: { cpu, memory } } })] })
const workload = (name: string, replicas: number, cpu: string, memory?: string) =>
  deployment({ name, spec: { replicas }, template: asking(cpu, memory) })
const key = (name: string) => objectKey('Deployment', namespace, name)

/** A node of two processors and 1 GiB. */
function stageOf(nodeAllocatable = {}): Stage {
  const stage = new Stage({ ...cluster(), nodeAllocatable })
  stage.node = {
    ...stage.node,
    info: { cpus: 2, memoryBytes: 1024 * MIB, runtimes: [], architecture: 'x86_64' } as unknown as EngineInfo,
  }
  return stage
}

const placed = (stage: Stage, name: string) => (stage.memory.get(key(name))?.pods ?? []).filter((pod) => pod.placed).length
const waiting = (stage: Stage, name: string) =>
  stage.passes
    .get(key(name))
    ?.status?.pods.filter(({ phase }) => phase === 'Pending')
    .map(({ reason, message }) => `${reason}: ${message}`)
const requested = (stage: Stage) =>
  [...stage.memory.values()].flatMap((memory) => [...requestsIn(memory).values()]).reduce(plus, { cpuMillis: 0, memoryBytes: 0 })

describe('room on a node', () => {
  test('is given until there is no more, and who comes too late waits in the words of the scheduler', () => {
    const stage = stageOf().apply(workload('a', 3, '700m', '100Mi'))
    stage.run(60_000)
    expect(placed(stage, 'a')).toBe(2)
    expect(waiting(stage, 'a')).toEqual([
      'Unschedulable: 0/1 nodes are available: 1 Insufficient cpu (it requests 700m, and of 2 pods have requested 1400m).',
    ])
  })

  test('is short of several things at once', () => {
    const stage = stageOf().apply(workload('a', 1, '3', '2Gi'))
    stage.run(60_000)
    expect(waiting(stage, 'a')?.[0]).toContain(
      '1 Insufficient cpu (it requests 3, and of 2 pods have requested 0), 1 Insufficient memory',
    )
  })

  test('is what the operator says instead of what the node has', () => {
    const stage = stageOf({ cpuMillis: 3000 }).apply(workload('a', 1, '3', '1Gi'))
    stage.run(60_000)
    expect(placed(stage, 'a')).toBe(1)
    expect(allocatable(stage.cluster, { info: undefined })).toBeUndefined()
  })

  test('may be used up to the last', () => {
    const stage = stageOf().apply(workload('a', 4, '500m', '256Mi'))
    stage.run(60_000)
    expect(placed(stage, 'a')).toBe(4)
    expect(requested(stage)).toEqual({ cpuMillis: 2000, memoryBytes: 1024 * MIB })
  })

  test('is no concern of a pod that asks for none of what there is too little of', () => {
    const stage = stageOf().apply(workload('a', 2, '1'))
    stage.run(60_000)
    stage.apply(deployment({ name: 'modest', spec: { replicas: 3 }, template: asking('0', '10Mi') })).run(60_000)
    expect(placed(stage, 'modest')).toBe(3)
  })

  test('that is too little for one pod is enough for a smaller one that was made later', () => {
    const stage = stageOf().apply(workload('big', 1, '3'))
    stage.run(30_000)
    stage.apply(workload('small', 1, '1')).run(60_000)
    expect([placed(stage, 'big'), placed(stage, 'small')]).toEqual([0, 1])
  })

  test('is free again once nothing is left of a pod', () => {
    const stage = stageOf().apply(workload('a', 1, '1500m'))
    stage.run(60_000)
    stage.apply(workload('b', 1, '1')).run(60_000)
    expect(placed(stage, 'b')).toBe(0)
    stage.apply(workload('a', 0, '1500m')).run(120_000)
    expect(placed(stage, 'b')).toBe(1)
    expect(waiting(stage, 'b')).toEqual([])
  })

  test('of a pod of a Job is free once it has ended', () => {
    const done = job({ name: 'once', template: asking('2') })
    const stage = stageOf().apply(done)
    stage.run(10_000)
    for (const view of stage.running()) stage.end(view, 0)
    stage.apply(workload('a', 1, '2')).run(60_000)
    expect(stage.memory.get(keyOf(done))?.pods).toMatchObject([{ outcome: 'Succeeded' }])
    expect(placed(stage, 'a')).toBe(1)
  })

  test('of a bare Pod that has ended is free, for quotas too', () => {
    const once = barePod({ name: 'once', template: { ...asking('2'), spec: { restartPolicy: 'Never' } } })
    const stage = stageOf().apply(once)
    stage.run(10_000)
    stage.apply(workload('a', 1, '2')).run(30_000)
    expect(placed(stage, 'a')).toBe(0)
    for (const view of stage.running()) stage.end(view, 0)
    stage.run(60_000)
    expect(stage.memory.get(keyOf(once))?.pods).toMatchObject([{ ended: true }])
    expect(placed(stage, 'a')).toBe(1)
  })

  test('that a pod of a Job has given up it does not take again while it is taken away', () => {
    const done = job({ name: 'once', template: asking('2') })
    const stage = stageOf().apply(done)
    stage.run(10_000)
    for (const view of stage.running()) stage.end(view, 0)
    stage.apply(workload('a', 1, '2')).run(60_000)
    stage.remove(keyOf(done)).plan(keyOf(done))
    expect(requested(stage)).toMatchObject({ cpuMillis: 2000 })
  })

  test('goes to those for whom it may be enough, first come first served', () => {
    const asked = (cpuMillis: number, memoryBytes = 0) => ({ cpuMillis, memoryBytes })
    const waiting = new Map([
      ['a', asked(3000)],
      ['b', asked(1000)],
      ['c', asked(0, 5)],
      ['d', asked(1000)],
      ['e', asked(500)],
    ])
    expect(whoFits(waiting, [asked(1500, 10)])).toEqual(['b', 'c', 'e'])
    expect(whoFits(waiting, [asked(-100, 0)])).toEqual([])
    expect(whoFits(new Map([['none', asked(0)]]), [asked(-100, 0)])).toEqual(['none'])
    expect(whoFits(waiting, [undefined])).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('is not waited for where who has it waits for the new revision to be healthy before it goes', () => {
    const stage = stageOf().apply(workload('former', 1, '2'))
    stage.run(60_000)
    stage.retained.add(key('former'))
    stage.apply(workload('new', 1, '2')).run(60_000)
    expect(placed(stage, 'new')).toBe(1)
  })

  test('is what a limit asks for where nothing is requested, and the most of init containers and containers', () => {
    const template = {
      containers: [app({ resources: { limits: { cpu: '500m', memory: '64Mi' } } })],
      spec: { initContainers: [{ ...app({ resources: { requests: { cpu: '1500m', memory: '1Mi' } } }), name: 'setup' }] },
    }
    const stage = stageOf().apply(deployment({ name: 'a', spec: { replicas: 1 }, template }))
    stage.run(60_000)
    expect(requested(stage)).toEqual({ cpuMillis: 1500, memoryBytes: 64 * MIB })
  })

  test('for a rolling update that may not go below its replicas is waited for, and one that may makes it', () => {
    const rolling = (name: string, maxUnavailable: number, version: string) =>
      deployment({
        name,
        spec: { replicas: 2, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable } } },
        template: { containers: [app({ image: `shop:${version}`, resources: { requests: { cpu: '1' } } })] },
      })
    for (const [maxUnavailable, result] of [
      [0, 'Unschedulable'],
      [1, 'complete'],
    ] as const) {
      const stage = stageOf().apply(rolling('a', maxUnavailable, 'v1'))
      stage.run(60_000)
      stage.apply(rolling('a', maxUnavailable, 'v2')).run(120_000)
      const status = stage.passes.get(key('a'))?.status
      if (result === 'complete') expect(stage.memory.get(key('a'))?.rollout?.result).toBe('complete')
      else expect(status?.pods.map(({ reason }) => reason)).toContain(result)
      expect(status?.ready).toBe(2)
    }
  })

  test('keeps nobody from where he runs already: what a lost store held is taken over', () => {
    const stage = stageOf().apply(workload('a', 2, '1'))
    stage.run(60_000)
    const before = stage.running().map(({ id }) => id)
    stage.memory.clear()
    stage.restart().run(60_000)
    expect(stage.running().map(({ id }) => id)).toEqual(before)
    expect(requested(stage).cpuMillis).toBe(2000)
    stage.apply(workload('b', 1, '1m')).run(60_000)
    expect(placed(stage, 'b')).toBe(0)
  })
})

test('pods never request more of a node than there is, and none waits that would fit', () => {
  const change = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    replicas: fc.nat(5),
    cpu: fc.constantFrom('0', '300m', '700m', '1100m'),
    memory: fc.constantFrom('0', '100Mi', '400Mi'),
    ends: fc.boolean(),
    restarts: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const stage = stageOf()
      for (const { name, replicas, cpu, memory, ends, restarts } of changes) {
        stage.apply(workload(name, replicas, cpu, memory))
        if (ends) for (const view of stage.running()) stage.end(view, 1)
        if (restarts) stage.restart()
        for (let turn = 0; turn < 12; turn++) {
          stage.run(5_000)
          const { cpuMillis, memoryBytes } = requested(stage)
          expect(cpuMillis).toBeLessThanOrEqual(2000)
          expect(memoryBytes).toBeLessThanOrEqual(1024 * MIB)
        }
      }
      stage.run(300_000)
      const { cpuMillis, memoryBytes } = requested(stage)
      for (const { sets, pods } of stage.memory.values())
        for (const pod of pods.filter((one) => !one.placed)) {
          const { requests } = sets.find(({ name }) => name === pod.set)!.template.spec.containers[0]!.resources
          const own = { '0': 0, '300m': 300, '700m': 700, '1100m': 1100 }[String(requests.cpu)] ?? 0
          const bytes = { '0': 0, '100Mi': 100, '400Mi': 400 }[String(requests.memory)] ?? 0
          expect(cpuMillis + own > 2000 || memoryBytes + bytes * MIB > 1024 * MIB).toBe(true)
        }
    }),
    { numRuns: 30 },
  )
})
