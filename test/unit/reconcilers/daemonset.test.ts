import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import { Stage } from '../../support/stage.ts'
import { app, canonical, cluster, daemonSet } from '../../support/world.ts'

const agent = objectKey('DaemonSet', 'shop', 'agent')

function version(image: string, spec = {}, container = {}): ReturnType<typeof daemonSet> {
  return daemonSet({ spec, template: { containers: [app({ image, ...container })] } })
}

function begun(spec = {}, container = {}): Stage {
  const stage = new Stage().apply(version('agent:1', spec, container))
  stage.run(60_000)
  return stage
}

/** The most pods at once while it settles that were not leaving, and the fewest. */
function extremes(stage: Stage): [fewest: number, most: number] {
  const sizes: number[] = []
  for (let turn = 0; turn < 60; turn++) {
    stage.turn()
    sizes.push(stage.running().length)
  }
  return [Math.min(...sizes), Math.max(...sizes)]
}

test('a node that its selector does not match, or whose taint it does not tolerate, gets none and is not missed', () => {
  for (const [change, nodeTaints] of [
    [{ nodeSelector: { disk: 'ssd' } }, []],
    [{}, [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }]],
  ] as const) {
    const stage = new Stage({ ...cluster(), nodeTaints }).apply(daemonSet({ template: { spec: change } }))
    stage.run(30_000)
    expect(stage.records()).toEqual([])
    expect(stage.passes.get(agent)?.status).toMatchObject({ desired: 0, healthy: true })
  }
})

test('a node that takes no other pods takes its pod all the same', () => {
  const closed = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' } as const
  const stage = new Stage({ ...cluster(), nodeTaints: [closed] }).apply(version('agent:1'))
  stage.run(60_000)
  expect(stage.running()).toHaveLength(1)
})

test('the one node gets a pod, named after the DaemonSet', () => {
  const stage = begun()
  expect(stage.passes.get(agent)?.status).toMatchObject({ desired: 1, current: 1, updated: 1, healthy: true })
  expect(stage.running()[0]?.labels[LABEL.podName]).toMatch(/^agent-\w{5}$/)
  expect(stage.turn()).toEqual([])
})

test('its update stops the old pod first', () => {
  const stage = begun()
  expect(extremes(stage.apply(version('agent:2')))).toEqual([0, 1])
  expect(stage.running().map(({ image }) => image)).toEqual(['agent:2'])
  expect(stage.passes.get(agent)?.status).toMatchObject({ healthy: true, updated: 1 })
})

test('with a surge the new pod serves before the old one goes', () => {
  const spec = { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }
  const stage = begun(spec)
  expect(extremes(stage.apply(version('agent:2', spec)))).toEqual([1, 2])
  expect(stage.running().map(({ image }) => image)).toEqual(['agent:2'])
})

test('a host port leaves no room for a surge', () => {
  const spec = { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }
  const held = { ports: [{ containerPort: 80, hostPort: 80 }] }
  const stage = begun(spec, held)
  expect(extremes(stage.apply(version('agent:2', spec, held)))[1]).toBe(1)
  expect(stage.running().map(({ image }) => image)).toEqual(['agent:2'])
})

test('one that is removed by hand comes back', () => {
  const stage = begun()
  stage.node = { ...stage.node, containers: new Map() }
  stage.run(60_000)
  expect(stage.running()).toHaveLength(1)
})

test('OnDelete waits for somebody to remove the pod', () => {
  const spec = { updateStrategy: { type: 'OnDelete' } }
  const stage = begun(spec)
  stage.apply(version('agent:2', spec)).run(60_000)
  expect(stage.running().map(({ image }) => image)).toEqual(['agent:1'])
})

test('it leaves with Git, and a lost store adopts its pod', () => {
  const stage = begun()
  const [before] = stage.running()
  stage.memory.clear()
  stage.restart()
  stage.run(60_000)
  expect(stage.running()[0]?.id).toBe(before?.id)
  stage.remove(agent).settle()
  expect([stage.memory.size, stage.running().length]).toEqual([0, 0])
})

test('a ReplicationController is run like a ReplicaSet, under its own kind', () => {
  const key = objectKey('ReplicationController', 'shop', 'old')
  const controller = canonical({
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'old' },
    spec: {
      replicas: 2,
      selector: { app: 'old' },
      template: { metadata: { labels: { app: 'old' } }, spec: { containers: [app()] } },
    },
  })
  const stage = new Stage().apply(controller)
  stage.run(60_000)
  expect(stage.passes.get(key)?.status).toMatchObject({ kind: 'ReplicationController', desired: 2, healthy: true })
})
