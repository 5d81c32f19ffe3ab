import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyOf, objectKey } from '../../../src/model/types/meta.ts'
import type { PodRecord } from '../../../src/reconcilers/memory.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import type { ContainerView } from '../../../src/runtime/engine.ts'
import { Stage } from '../../support/stage.ts'
import { app, cluster, deployment, job, namespace } from '../../support/world.ts'

const serial = 'example.com/serial'
const nodeResources = { [serial]: ['/dev/ttyUSB0', '/dev/ttyUSB1'], 'example.com/licence': ['1', '2', '3'] }
const asking = (resource: string, count = 1) => ({
  containers: [app({ resources: { limits: { [resource]: String(count) }, requests: { [resource]: String(count) } } })],
})
const workload = (name: string, replicas: number, resource = serial, count = 1) =>
  deployment({ name, spec: { replicas }, template: asking(resource, count) })
const stageWith = (resources: Record<string, string[]> = nodeResources) => new Stage({ ...cluster(), nodeResources: resources })
const key = (name: string) => objectKey('Deployment', namespace, name)
const unitsOf = (stage: Stage, name: string) =>
  (stage.memory.get(key(name))?.pods ?? []).map(({ units }) => units?.[serial]?.join(' ') ?? 'none').sort()
const waiting = (stage: Stage, name: string) =>
  stage.passes
    .get(key(name))
    ?.status?.pods.filter(({ phase }) => phase === 'Pending')
    .map(({ reason, message }) => `${reason}: ${message}`)

describe('units of a node', () => {
  test('go to one pod each, and who finds none left waits in the words of the scheduler', () => {
    const stage = stageWith().apply(workload('a', 1), workload('b', 2))
    stage.run(60_000)
    expect([...unitsOf(stage, 'a'), ...unitsOf(stage, 'b')].sort()).toEqual(['/dev/ttyUSB0', '/dev/ttyUSB1', 'none'])
    expect(waiting(stage, 'b')).toEqual([`Unschedulable: 0/1 nodes are available: 1 Insufficient ${serial}.`])
  })

  test('are free again once nothing is left of their pod, and not before', () => {
    const stage = stageWith().apply(workload('a', 2))
    stage.run(60_000)
    stage.apply(workload('b', 1)).run(60_000)
    expect(unitsOf(stage, 'b')).toEqual(['none'])
    stage.apply(workload('a', 1)).run(120_000)
    expect([...unitsOf(stage, 'a'), ...unitsOf(stage, 'b')].sort()).toEqual(['/dev/ttyUSB0', '/dev/ttyUSB1'])
  })

  test('stay with their pod over restarts of its containers and a lost store', () => {
    const stage = stageWith().apply(workload('a', 2))
    stage.run(60_000)
    const held = unitsOf(stage, 'a')
    const made: (readonly string[] | undefined)[] = []
    stage.watch = (step) => {
      if (step.op === 'create' && step.spec.labels[LABEL.containerName] === 'app') made.push(step.spec.devices)
    }
    for (const view of stage.running()) stage.end(view, 1)
    stage.run(60_000)
    stage.memory.clear()
    stage.restart().run(60_000)
    for (const view of stage.running()) stage.end(view, 1)
    stage.run(60_000)
    expect(unitsOf(stage, 'a')).toEqual(held)
    expect(made.map((devices) => devices?.join()).sort()).toEqual([...held, ...held].sort())
    stage.apply(workload('b', 1)).run(60_000)
    expect(unitsOf(stage, 'b')).toEqual(['none'])
  })

  test('that nobody has given the node are missed by the name of the flag', () => {
    const stage = stageWith({}).apply(workload('a', 1))
    stage.run(60_000)
    expect(waiting(stage, 'a')).toEqual([
      `Unschedulable: 0/1 nodes are available: 1 Insufficient ${serial} (the node has been given no ${serial}: --node-resource).`,
    ])
  })

  test('that are too few for one pod keep nobody else from theirs', () => {
    const stage = stageWith().apply(workload('greedy', 1, serial, 3))
    stage.run(60_000)
    stage.apply(workload('modest', 1)).run(60_000)
    expect(unitsOf(stage, 'greedy')).toEqual(['none'])
    expect(unitsOf(stage, 'modest')).toEqual(['/dev/ttyUSB0'])
  })

  test('are given to a pod that runs without any, as the label of another program may leave it, with its next container', () => {
    const stage = stageWith().apply(workload('a', 1))
    stage.run(60_000)
    const memory = stage.memory.get(key('a'))!
    stage.memory.set(key('a'), { ...memory, pods: memory.pods.map(({ units: _, ...record }) => record) })
    const made: unknown[] = []
    stage.watch = (step) => void (step.op === 'create' && made.push(step.spec.devices))
    for (const view of stage.running()) stage.end(view, 1)
    stage.run(60_000)
    expect(made).toEqual([['/dev/ttyUSB0']])
  })

  test('are not kept for a pod that waits for something else', () => {
    const template = { ...asking(serial, 2), spec: { nodeSelector: { disk: 'ssd' } } }
    const stage = stageWith().apply(deployment({ name: 'elsewhere', spec: { replicas: 1 }, template }), workload('a', 2))
    stage.run(60_000)
    expect(unitsOf(stage, 'elsewhere')).toEqual(['none'])
    expect(unitsOf(stage, 'a')).toEqual(['/dev/ttyUSB0', '/dev/ttyUSB1'])
  })

  test('of a pod of a Job are free once it has ended', () => {
    const done = job({ name: 'flash', template: asking(serial, 2) })
    const stage = stageWith().apply(done)
    stage.run(10_000)
    stage.apply(workload('a', 1)).run(10_000)
    expect(unitsOf(stage, 'a')).toEqual(['none'])
    for (const view of stage.running()) stage.end(view, 0)
    stage.run(60_000)
    expect(stage.memory.get(keyOf(done))?.pods).toMatchObject([{ outcome: 'Succeeded' }])
    expect(unitsOf(stage, 'a')).toEqual(['/dev/ttyUSB0'])
  })

  for (const { name, take } of [
    {
      name: 'that is evicted',
      take: (stage: Stage, view: ContainerView) => {
        stage.probe = ({ id }) =>
          id === view.id ? { storage: { result: 'failure', since: 0, lastAnswer: 'has written 70Mi' } } : {}
      },
    },
    {
      name: 'whose sandbox somebody removed',
      take: (stage: Stage) => {
        const containers = new Map(stage.node.containers)
        for (const { id } of stage.sandboxes()) containers.delete(id)
        stage.node = { ...stage.node, containers }
      },
    },
  ])
    test(`of a pod of a Job ${name} are held while its containers stop`, () => {
      const flash = job({ name: 'flash', template: asking(serial, 2) })
      const stage = stageWith().apply(flash)
      stage.run(10_000)
      stage.apply(workload('a', 1)).run(10_000)
      const [view] = stage.running()
      take(stage, view!)
      stage.plan(keyOf(flash))
      stage.plan(key('a'))
      expect(stage.running().map(({ id }) => id)).toContain(view?.id)
      expect(unitsOf(stage, 'a')).toEqual(['none'])
      stage.remove(keyOf(flash)).run(120_000)
      expect(unitsOf(stage, 'a')).toEqual(['/dev/ttyUSB0'])
    })

  test('are told as numbers, however many', () => {
    const stage = stageWith({ 'example.com/many': Array.from({ length: 2000 }, (_, index) => String(index + 1)) })
    stage.apply(workload('a', 1, 'example.com/many', 1000)).run(60_000)
    const [pod] = stage.passes.get(key('a'))?.status?.pods ?? []
    expect(pod?.containers[0]?.limits.extended).toEqual({ 'example.com/many': 1000 })
    expect(pod?.containers[0]?.requests.extended).toEqual({ 'example.com/many': 1000 })
  })

  test('of a pod that has nothing to do with them are none', () => {
    const stage = stageWith().apply(deployment({ spec: { replicas: 1 } }))
    stage.run(60_000)
    expect(stage.records()[0]).not.toHaveProperty('units')
  })
})

test('no unit is ever held by two pods, and none is given out that the node does not have', () => {
  const change = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    replicas: fc.nat(4),
    count: fc.integer({ min: 1, max: 2 }),
    ends: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const stage = stageWith()
      for (const { name, replicas, count, ends } of changes) {
        stage.apply(workload(name, replicas, serial, count))
        if (ends) for (const view of stage.running()) stage.end(view, 1)
        for (let turn = 0; turn < 12; turn++) {
          stage.run(5_000)
          const held = [...stage.memory.values()].flatMap(({ pods }) =>
            pods.flatMap(({ units }: PodRecord) => units?.[serial] ?? []),
          )
          expect(new Set(held).size).toBe(held.length)
          expect(held.every((unit) => nodeResources[serial].includes(unit))).toBe(true)
        }
      }
      for (const sandbox of stage.sandboxes()) expect(sandbox.labels[LABEL.memory]).toContain('/dev/ttyUSB')
    }),
    { numRuns: 30 },
  )
})
