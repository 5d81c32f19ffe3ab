import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import type { ContainerProbes, ProbeKind, ProbeState } from '../../../src/reconcilers/observed.ts'
import type { ContainerView } from '../../../src/runtime/engine.ts'
import { change } from '../../support/fakenode.ts'
import { Stage } from '../../support/stage.ts'
import { app, deployment, namespace, service } from '../../support/world.ts'

type Raw = Readonly<Record<string, unknown>>

const web = objectKey('Deployment', namespace, 'web')
const readinessProbe = { httpGet: { path: '/', port: 8080 } }
const refused: ProbeState = { result: 'failure', since: 0, lastAnswer: 'connection refused' }
const heard: ProbeState = { result: 'success', since: 0, lastAnswer: 'connected' }

/** A `web` whose ports are as `answers` says, by container; what it does not name has not answered yet. */
function begun(containers: readonly Raw[], answers: Record<string, ContainerProbes> = {}, spec: object = {}): Stage {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1, ...spec }, template: { containers } }), service())
  listen(stage, answers)
  stage.settle()
  return stage
}

function listen(stage: Stage, answers: Record<string, ContainerProbes>): void {
  stage.probe = ({ labels }) => answers[labels[LABEL.containerName] ?? ''] ?? {}
}

const pod = (stage: Stage) => stage.passes.get(web)?.status?.pods.find(({ terminating }) => !terminating)
const asked = (stage: Stage): ProbeKind[][] =>
  stage.plan(web).probes.map(({ probes }) => (Object.keys(probes) as ProbeKind[]).sort())
const tcp = (containerPort: number) => ({ containerPort })
const udp = { containerPort: 53, protocol: 'UDP' }

describe('what a container is asked', () => {
  test.each<[string, Raw, ProbeKind[]]>([
    ['its TCP ports', { ports: [tcp(80), tcp(9113), udp] }, ['port 80', 'port 9113']],
    ['a port once, however often it is declared', { ports: [tcp(80), { ...tcp(80), name: 'web' }] }, ['port 80']],
    ['ports beside a liveness probe', { ports: [tcp(80)], livenessProbe: readinessProbe }, ['liveness', 'port 80']],
    ['its readiness probe alone', { ports: [tcp(80)], readinessProbe }, ['readiness']],
    ['its startup probe alone', { ports: [tcp(80)], startupProbe: readinessProbe }, ['startup']],
    ['nothing over UDP', { ports: [udp] }, []],
    ['nothing without ports', {}, []],
  ])('%s', (_, container, kinds) => {
    const stage = begun([app(container)])
    expect(asked(stage)).toEqual(kinds.length === 0 ? [] : [kinds])
  })

  test('is a connection to the port, and nothing waits for it', () => {
    const [target] = begun([app({ ports: [tcp(80)] })]).plan(web).probes
    expect(target?.probes['port 80']).toMatchObject({ tcpSocket: { port: 80 }, initialDelaySeconds: 0, successThreshold: 1 })
  })
})

describe('when a container without probes is ready', () => {
  test.each<[string, Raw, ContainerProbes, boolean]>([
    ['without ports: as soon as it runs', {}, {}, true],
    ['over UDP: as soon as it runs', { ports: [udp] }, {}, true],
    ['not asked yet', { ports: [tcp(80)] }, {}, false],
    ['refused', { ports: [tcp(80)] }, { 'port 80': refused }, false],
    ['heard', { ports: [tcp(80)] }, { 'port 80': heard }, true],
    ['heard on one of two', { ports: [tcp(80), tcp(81)] }, { 'port 80': heard, 'port 81': refused }, false],
    ['heard on both', { ports: [tcp(80), tcp(81)] }, { 'port 80': heard, 'port 81': heard }, true],
  ])('%s', (_, container, app_, ready) => {
    expect(pod(begun([app(container)], { app: app_ }))?.ready).toBe(ready)
  })

  test('it says which ports it waits for', () => {
    const stage = begun([app({ ports: [tcp(80), tcp(81), tcp(82)] })], { app: { 'port 80': heard, 'port 81': refused } })
    const message = 'app: waiting for ports 81, 82 to listen, at most 10 s, for it has no readiness probe'
    expect(pod(stage)).toMatchObject({
      phase: 'Running',
      reason: 'Running',
      message,
      containers: [{ started: true, ready: false }],
    })
    expect(stage.passes.get(web)?.status?.message).toContain(message)
  })

  test('a port that nobody listens on delays for 10 s and never blocks', () => {
    const stage = begun([app({ ports: [tcp(80)] })], { app: { 'port 80': refused } })
    const { now } = stage
    expect(stage.passes.get(web)?.wakeAt).toBe(now + 10_000)
    stage.run(9_999)
    expect(pod(stage)?.ready).toBe(false)
    stage.run(1)
    expect(pod(stage)).toMatchObject({ ready: true, routed: true, message: '' })
    expect(asked(stage)).toEqual([])
  })

  test('a port that closes again takes nobody out', () => {
    const stage = begun([app({ ports: [tcp(80)] })], { app: { 'port 80': heard } })
    listen(stage, { app: { 'port 80': refused } })
    stage.now += 1_000
    expect(stage.settle()).toEqual([])
    expect(pod(stage)?.ready).toBe(true)
  })

  test('what one container of a pod has proved stands while another one has not', () => {
    const containers = [app({ ports: [tcp(80)] }), app({ name: 'slow', readinessProbe })]
    const stage = begun(containers, { app: { 'port 80': heard } })
    expect(pod(stage)?.containers).toMatchObject([{ ready: true }, { ready: false }])
    stage.run(60_000)
    listen(stage, { slow: { readiness: heard } })
    stage.settle()
    expect(pod(stage)?.ready).toBe(true)
  })

  test('minReadySeconds count from there', () => {
    const stage = begun([app({ ports: [tcp(80)] })], {}, { minReadySeconds: 5 })
    stage.run(3_000)
    listen(stage, { app: { 'port 80': heard } })
    stage.settle()
    stage.run(4_999)
    expect(pod(stage)).toMatchObject({ ready: true, available: false })
    stage.run(1)
    expect(pod(stage)?.available).toBe(true)
  })
})

describe('another run', () => {
  test('of the daemon doubts nobody who was ready', () => {
    const stage = begun([app({ ports: [tcp(80)] })], { app: { 'port 80': heard } })
    stage.now += 1_000
    listen(stage, {})
    stage.restart()
    expect(stage.settle().filter((line) => line.startsWith('route'))).toEqual([])
    expect(pod(stage)?.ready).toBe(true)
  })

  test('of the daemon asks those again that were not, in what is left of their time', () => {
    const stage = begun([app({ ports: [tcp(80)] })], { app: { 'port 80': refused } })
    stage.now += 6_000
    listen(stage, {})
    stage.restart()
    stage.settle()
    expect(asked(stage)).toEqual([['port 80']])
    stage.run(4_000)
    expect(pod(stage)?.ready).toBe(true)
  })

  test('of the container is asked anew, and is in no route until it listens', () => {
    const stage = begun([app({ ports: [tcp(80)] })], { app: { 'port 80': heard } })
    stage.run(60_000)
    listen(stage, {})
    stage.end(stage.running()[0] as ContainerView)
    expect(stage.settle()).toContain('route routes: take out web.1')
    expect(asked(stage)).toEqual([['port 80']])
    expect(pod(stage)).toMatchObject({ ready: false, restarts: 1 })
    listen(stage, { app: { 'port 80': heard } })
    expect(stage.settle()).toEqual(['route routes: add web.1'])
  })

  test('of the same container, started by Docker, is asked anew', () => {
    const stage = begun([app({ ports: [tcp(80)] })], { app: { 'port 80': heard } })
    stage.run(60_000)
    listen(stage, {})
    const [view] = stage.running()
    stage.node = change(stage.node, view?.id ?? '', () => ({ startedAt: stage.now }))
    stage.settle()
    expect(pod(stage)?.ready).toBe(false)
  })
})

test('a rollout without probes keeps the old pods until the new ones listen', () => {
  const version = (image: string) =>
    deployment({
      spec: { replicas: 2, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
      template: { containers: [app({ image, ports: [tcp(8080)] })] },
    })
  const stage = new Stage().apply(version('web:1'), service())
  const serving = (image: string) => stage.running().filter((view) => view.image === image).length
  stage.probe = ({ image }) => (image === 'web:1' ? { 'port 8080': heard } : { 'port 8080': refused })
  stage.settle()
  stage.apply(version('web:2'))
  stage.run(9_000)
  expect([serving('web:1'), serving('web:2')]).toEqual([2, 1])
  stage.probe = () => ({ 'port 8080': heard })
  stage.run(60_000)
  expect([serving('web:1'), serving('web:2')]).toEqual([0, 2])
})
