import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types.ts'
import type { ContainerProbes } from '../../../src/reconcilers/observed.ts'
import { Stage } from '../../support/stage.ts'
import { app, deployment, namespace } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const limited = app({ resources: { limits: { 'ephemeral-storage': '64Mi' } } })

const asked = (container: Record<string, unknown>) => {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template: { containers: [container] } }))
  stage.run(30_000)
  return stage.plan(web).probes.flatMap(({ probes }) => probes.storage?.storage ?? [])
}

test('a container with a limit is asked what it has written, and one without is not', () => {
  expect(asked(limited)).toEqual([{ limitBytes: 64 * 2 ** 20 }])
  expect(asked(app())).toEqual([])
})

test('a pod beyond its limit is evicted, told why, and another takes its place', () => {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template: { containers: [limited] } }))
  stage.run(30_000)
  const [before] = stage.records()
  const over: ContainerProbes = {
    storage: { result: 'failure', since: 0, lastAnswer: 'has written 70Mi, and its limit is 64Mi' },
  }
  stage.probe = () => over
  stage.plan(web)
  expect(stage.records()[0]?.deletion?.cause).toBe('Evicted: container app has written 70Mi, and its limit is 64Mi')
  stage.probe = () => ({})
  stage.run(60_000)
  expect(stage.records().map(({ uid }) => uid)).not.toContain(before?.uid)
  expect(stage.passes.get(web)?.status?.healthy).toBe(true)
})
