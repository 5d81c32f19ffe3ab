import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types.ts'
import { Stage } from '../../support/stage.ts'
import { app, claim, deployment } from '../../support/world.ts'

const taken =
  '0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.'
const key = (name: string) => objectKey('Deployment', 'shop', name)

function user(name: string, replicas: number): ReturnType<typeof deployment> {
  const template = {
    labels: { app: name },
    spec: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] },
    containers: [app({ volumeMounts: [{ name: 'd', mountPath: '/d' }] })],
  }
  return deployment({ name, template, spec: { replicas, selector: { matchLabels: { app: name } } } })
}

/** Pods of a Deployment that wait for the claim. */
function waiting(stage: Stage, name: string): number {
  return stage.passes.get(key(name))?.status?.pods.filter(({ message }) => message === taken).length ?? 0
}

test.each([
  ['ReadWriteOnce', 3, 0],
  ['ReadWriteOncePod', 1, 2],
])('of three pods with a claim that is %s, %d run and %d wait', (mode, run, wait) => {
  const stage = new Stage().apply(claim({ accessModes: [mode] }), user('web', 3))
  stage.run(60_000)
  expect([stage.running().length, waiting(stage, 'web')]).toEqual([run, wait])
})

test('the claim passes on when its pod is gone', () => {
  const stage = new Stage().apply(claim({ accessModes: ['ReadWriteOncePod'] }), user('web', 1))
  stage.run(60_000)
  stage.apply(user('other', 1))
  stage.run(60_000)
  expect([stage.running().length, waiting(stage, 'other')]).toEqual([1, 1])
  stage.apply(user('web', 0))
  stage.run(60_000)
  expect(stage.running().map(({ labels }) => labels['trireme.owner'])).toEqual([key('other')])
})

test('a workload that waits to be pruned still has its claim', () => {
  const stage = new Stage().apply(claim({ accessModes: ['ReadWriteOncePod'] }), user('web', 1))
  stage.run(60_000)
  const input = stage.input.bind(stage)
  stage.input = (of) => ({ ...input(of), workloads: () => [] })
  stage.apply(user('other', 1))
  stage.run(60_000)
  expect([stage.running().length, waiting(stage, 'other')]).toEqual([1, 1])
})
