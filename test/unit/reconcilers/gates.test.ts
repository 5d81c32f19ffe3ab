import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { closedGates, recordGate } from '../../../src/reconcilers/gates.ts'
import type { GateStatus, PodRecord } from '../../../src/reconcilers/memory.ts'
import { Stage } from '../../support/stage.ts'
import { app, deployment, namespace, template } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const readinessGates = [{ conditionType: 'example.com/warm' }]
const gated = (image = 'web:1') =>
  deployment({ spec: { replicas: 1 }, template: { containers: [app({ image })], spec: { readinessGates } } })

function say(stage: Stage, status: GateStatus): void {
  const memory = stage.memory.get(web)!
  const uid = memory.pods.at(-1)?.uid ?? ''
  stage.memory.set(web, recordGate(memory, uid, 'example.com/warm', status))
  stage.settle()
}
const pod = (stage: Stage) => stage.passes.get(web)?.status?.pods.at(-1)

test('a pod is not ready before somebody has said so, nor after somebody has taken it back', () => {
  const stage = new Stage().apply(gated())
  stage.run(20_000)
  const message = 'corresponding condition of pod readiness gate "example.com/warm" does not exist.'
  expect(pod(stage)).toMatchObject({ phase: 'Running', ready: false, message, containers: [{ ready: true }] })
  say(stage, 'True')
  expect(pod(stage)).toMatchObject({ ready: true, message: '' })
  stage.restart().settle()
  expect(pod(stage)).toMatchObject({ ready: true })
  say(stage, 'False')
  expect(pod(stage)).toMatchObject({
    ready: false,
    message: 'the status of pod readiness gate "example.com/warm" is not "True", but False',
  })
})

test('a rollout waits for the gate of each new pod, and the old one serves meanwhile', () => {
  const stage = new Stage().apply(gated())
  stage.run(20_000)
  say(stage, 'True')
  const [old] = stage.records()
  stage.apply(gated('web:2')).run(60_000)
  expect(stage.records()).toMatchObject([{ uid: old?.uid, readySince: expect.any(Number) }, { readySince: 0 }])
  expect(stage.records()[0]?.deletion).toBeUndefined()
  say(stage, 'True')
  stage.run(20_000)
  expect(stage.records().map(({ uid }) => uid)).not.toContain(old?.uid)
})

test('a gate is no key of every object', () => {
  const of = template({ spec: { readinessGates: [{ conditionType: 'constructor' }] } })
  expect(closedGates({} as PodRecord, of)).toHaveLength(1)
  expect(closedGates({ gates: {} } as unknown as PodRecord, of)).toHaveLength(1)
})
