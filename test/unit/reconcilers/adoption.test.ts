import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { adoptPods } from '../../../src/reconcilers/adoption.ts'
import type { ObservedPod } from '../../../src/reconcilers/observed.ts'
import { Stage } from '../../support/stage.ts'
import { app, deployment, namespace, secret, service } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const bind = () => ({ configMaps: {}, secrets: {} })

/** Three pods of `web:1`, of which some have made room for `web:2`. */
function halfWay(): Stage {
  const stage = new Stage().apply(deployment({ spec: { replicas: 3 } }), service())
  stage.run(60_000)
  stage.apply(deployment({ spec: { replicas: 3 }, template: { containers: [app({ image: 'web:2' })] } }))
  while (stage.running().filter(({ image }) => image === 'web:2').length < 2) stage.turn()
  return stage
}

const adopted = (stage: Stage, pods: readonly ObservedPod[] = stage.input(web).pods) => adoptPods(web, pods, bind, stage.now)

test('sets are as large as the pods that were found of them, and the newest is what is rolled out', () => {
  const stage = halfWay()
  const memory = adopted(stage)
  const found = stage.memory.get(web)
  const pods = (set: string) => stage.records().filter((record) => record.set === set).length
  expect(memory?.sets.map(({ name, revision, replicas }) => [name, revision, replicas])).toEqual(
    found?.sets.map(({ name, revision }) => [name, revision, pods(name)]),
  )
  expect(memory?.sets.map(({ replicas }) => replicas)).toEqual([2, 2])
  expect([memory?.generation, memory?.rollout?.set]).toEqual([2, found?.sets[1]?.name])
})

test('pods that another workload owns are left to it', () => {
  const stage = halfWay()
  const pods = stage.input(web).pods.map((pod) => ({ ...pod, owner: objectKey('Deployment', namespace, 'other') }))
  expect(adopted(stage, pods)).toBeUndefined()
})

test('containers that run have been started: their postStart hooks do not run again', () => {
  const lifecycle = { postStart: { exec: { command: ['true'] } } }
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template: { containers: [app({ lifecycle })] } }))
  expect(stage.run(60_000).filter((line) => line.startsWith('hook'))).toHaveLength(1)
  stage.restart().memory.clear()
  expect(stage.settle()).toEqual([])
})

test('what a program said is told only if all secrets that it was given are known', () => {
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'pw' } } }]
  const stage = new Stage().apply(
    secret('db', { pw: 'first' }),
    deployment({ spec: { replicas: 1 }, template: { containers: [app({ env })] } }),
  )
  stage.tail = () => ['my password is first']
  stage.run(60_000)
  for (const view of stage.running()) stage.end(view, 1)
  const told = () => stage.plan(web).status?.pods.flatMap(({ containers }) => containers.flatMap(({ logTail }) => logTail))
  expect(told()).toEqual(['my password is first'])
  // Memory and value are both lost: the set that is found again is bound to what there is today.
  stage.restart().memory.clear()
  stage.apply(secret('db', { pw: 'second' }))
  expect(told()).toEqual([])
})
