import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { underOneClock } from '../../../src/reconcilers/clock.ts'
import type { Step } from '../../../src/reconcilers/plan.ts'
import { change } from '../../support/fakenode.ts'
import { Stage } from '../../support/stage.ts'
import { app, deployment, namespace } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const hourMs = 3_600_000
const status = (stage: Stage) => stage.passes.get(web)?.status

describe('a clock that is set back by an hour', () => {
  test('a container that ended before is started again, not in an hour', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }))
    stage.run(60_000)
    for (let crash = 0; crash < 3; crash++) {
      for (const view of stage.running()) stage.end(view, 1)
      stage.run(60_000)
    }
    for (const view of stage.running()) stage.end(view, 1)
    stage.turn()
    stage.now -= hourMs
    stage.run(1_000)
    expect(stage.running()).toHaveLength(1)
  })

  test('a container that Docker could not start before its sandbox is started, and not told to for ever', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }))
    stage.run(60_000)
    const [view] = stage.running()
    const error = 'cannot join network of a non running container: 0'
    stage.node = change(stage.node, view?.id ?? '', () => ({ state: 'exited', exitCode: 255, error, finishedAt: stage.now }))
    stage.now -= hourMs
    const steps: Step[] = []
    stage.watch = (step) => void steps.push(step)
    stage.settle()
    expect(stage.running()).toHaveLength(1)
    // By that a start that another daemon had under way is told from none.
    expect(steps.filter(({ op }) => op === 'start')).toMatchObject([{ lastStart: view?.startedAt }])
  })

  test('a container that was started again before keeps its pod, whose sandbox has run all along', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }))
    stage.run(60_000)
    stage.now += 24 * hourMs
    for (const view of stage.running()) stage.end(view, 1)
    stage.run(60_000)
    const [pod] = stage.records()
    stage.now -= hourMs
    stage.run(10_000)
    expect(stage.records()).toMatchObject([{ uid: pod?.uid }])
    expect(stage.records()[0]?.deletion).toBeUndefined()
  })

  test('a pod that was ready is available again once minReadySeconds are over', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 2, minReadySeconds: 5 } }))
    stage.run(60_000)
    expect(status(stage)).toMatchObject({ healthy: true })
    stage.now -= hourMs
    stage.run(10_000)
    expect(status(stage)).toMatchObject({ healthy: true, available: 2 })
  })

  test('a rollout has a whole deadline again, and a pod on its way out its whole grace', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 1, progressDeadlineSeconds: 60 } }))
    stage.run(60_000)
    stage.probe = () => ({})
    stage.apply(
      deployment({
        spec: { replicas: 1, progressDeadlineSeconds: 60 },
        template: { containers: [app({ image: 'web:2', readinessProbe: { httpGet: { path: '/', port: 80 } } })] },
      }),
    )
    stage.run(5_000)
    stage.now -= hourMs
    stage.run(30_000)
    expect(status(stage)).toMatchObject({ condition: 'Progressing' })
    stage.run(60_000)
    expect(status(stage)).toMatchObject({ condition: 'Failed' })
  })
})

test('nothing is made of an engine that is some seconds ahead', () => {
  const stage = new Stage().apply(deployment())
  stage.run(60_000)
  stage.now -= 30_000
  const input = stage.input(web)
  expect(underOneClock(input)).toBe(input)
})

test('what was noted before counts from now: the end of a pod, and pods that were lost early', () => {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }))
  stage.run(60_000)
  const input = stage.input(web)
  const ahead = stage.now + hourMs
  const pods =
    input.memory?.pods.map((pod) => ({ ...pod, deletion: { since: ahead, graceSeconds: 30, cause: 'left Git' } })) ?? []
  const memory = input.memory && { ...input.memory, pods, setbacks: { count: 3, at: ahead } }
  expect(underOneClock({ ...input, memory }).memory).toMatchObject({
    pods: [{ deletion: { since: stage.now, graceSeconds: 30 } }],
    setbacks: { count: 3, at: stage.now },
  })
})
