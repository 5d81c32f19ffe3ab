import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'
import { emptyMemory } from '../../../src/reconcilers/adoption.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import { Stage } from '../../support/stage.ts'
import { app, barePod, configMap, deployment, namespace, replicaSet, secret, service } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const job = objectKey('Pod', namespace, 'job')

/** A stage with a router, on which everything of `objects` runs steadily. */
function settled(...objects: readonly ModelObject[]): Stage {
  const stage = new Stage().apply(...objects)
  stage.run(60_000)
  return stage
}

const podSteps = (steps: readonly string[]): string[] =>
  steps.filter((line) => !/ (router|routes|network|volume trireme-test-router)\b/.test(line))
const status = (stage: Stage, key = web) => stage.passes.get(key)?.status

describe('a new Deployment', () => {
  test('the whole way of a pod is planned in order: volumes, sandbox, files, then its container, with the image beside', () => {
    const volumes = [
      { name: 'cache', emptyDir: {} },
      { name: 'conf', configMap: { name: 'conf' } },
    ]
    const mounts = [
      { name: 'cache', mountPath: '/cache' },
      { name: 'conf', mountPath: '/conf' },
    ]
    const stage = new Stage().apply(
      configMap('conf', { a: '1' }),
      deployment({ spec: { replicas: 1 }, template: { containers: [app({ volumeMounts: mounts })], spec: { volumes } } }),
    )
    expect(stage.planText(web)).toBe(
      [
        'pull image web:1: web.1 needs it (IfNotPresent)',
        'createVolume web.1/volume cache: new pod',
        'createVolume web.1/volume conf: new pod',
        'create web.1/POD: revision 1',
        'start web.1/POD: revision 1',
        'put web.1/volume cache: new pod',
        'put web.1/volume conf: new pod',
        'create web.1/app: revision 1',
        'start web.1/app: revision 1',
      ].join('\n'),
    )
  })

  test('starts slowly: one pod, then two, then four', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 9 } }))
    const sizes: number[] = []
    for (let turn = 0; turn < 12; turn++) {
      stage.turn()
      const size = stage.records().length
      if (sizes.at(-1) !== size) sizes.push(size)
    }
    expect(sizes).toEqual([1, 3, 7, 9])
  })

  test('a first pod that cannot get a sandbox holds back the others', () => {
    const stage = new Stage().apply(deployment())
    stage.node = { ...stage.node, broken: new Map([['create *', { kind: 'noSpace', message: 'no space left' }]]) }
    stage.run(5_000)
    expect(stage.records()).toHaveLength(1)
    expect(status(stage)?.message).toContain('no space left')
  })

  test('runs to Available, and then nothing is left to do', () => {
    const stage = settled(deployment(), service())
    expect(status(stage)).toMatchObject({ condition: 'Available', healthy: true, desired: 3, updated: 3, ready: 3, available: 3 })
    expect(stage.planText(web)).toBe('')
    expect(stage.turn()).toEqual([])
  })

  test('names and addresses are unique, and addresses lie in the pod range', () => {
    const stage = settled(deployment({ spec: { replicas: 30 } }), deployment({ name: 'api', spec: { replicas: 30 } }))
    const records = stage.records()
    expect(records).toHaveLength(60)
    expect(new Set(records.map(({ name }) => name)).size).toBe(60)
    expect(new Set(records.map(({ ip }) => ip)).size).toBe(60)
    for (const { ip } of records) expect(ip).toMatch(/^10\.88\.([1-9]|[1-9]\d|1[01]\d|12[0-7])\./)
  })

  test('a pass that changes nothing remembers the same memory', () => {
    const stage = settled(deployment(), service())
    const before = stage.memory.get(web)
    expect(stage.plan(web).memory).toBe(before)
  })

  test('events tell what was decided', () => {
    const events = new Stage().apply(deployment()).plan(web).events
    expect(events.map(({ reason }) => reason)).toEqual(['ScalingReplicaSet', 'SuccessfulCreate'])
  })
})

describe('order is the promise', () => {
  test('a new pod is available only once the router has acknowledged it', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }), service())
    stage.settle()
    stage.apply(deployment({ spec: { replicas: 1 }, template: { containers: [app({ image: 'web:2' })] } }))
    stage.node = { ...stage.node, broken: new Map([['route routes', { kind: 'failed', message: 'no' }]]) }
    stage.run(30_000)
    expect(stage.running().map(({ image }) => image)).toEqual(['web:1', 'web:2'])
    expect(stage.records().map(({ deletion }) => deletion)).toEqual([undefined, undefined])
    expect(status(stage)?.message).toMatch(/is ready and waits for the router$/)
  })

  test('a leaving pod is out of the table before its hook and its stop', () => {
    const hook = { preStop: { exec: { command: ['drain'] } } }
    const stage = settled(deployment({ spec: { replicas: 1 }, template: { containers: [app({ lifecycle: hook })] } }), service())
    stage.remove(web)
    expect(podSteps([stage.planText(web)])).toEqual([''])
    expect(stage.settle()).toEqual([
      'route routes: take out web.1',
      'hook web.1/app preStop #0: left Git',
      'stop web.1/app: left Git',
      'remove web.1/app: left Git',
      'remove web.1/POD: left Git',
    ])
  })

  test('without any Service a rollout needs no router', () => {
    const stage = new Stage().apply(deployment())
    stage.node = { ...stage.node, router: { ...stage.node.router, connected: false } }
    stage.run(1_000)
    expect(status(stage)).toMatchObject({ healthy: true, available: 3 })
  })
})

describe('scaling', () => {
  test('down takes the pods that are not ready first', () => {
    const stage = settled(deployment())
    const [first] = stage.records()
    stage.probe = () => ({})
    const second = stage.running()[1]
    if (second !== undefined) stage.end(second)
    stage.now += 1
    stage.plan(web)
    stage.apply(deployment({ spec: { replicas: 2 } }))
    const leaving = stage.plan(web).memory?.pods.filter(({ deletion }) => deletion !== undefined) ?? []
    expect(leaving).toHaveLength(1)
    expect(leaving[0]?.deletion?.cause).toBe('scaled down to 2')
    expect(leaving[0]?.uid).not.toBe(first?.uid)
  })

  test('to zero and back', () => {
    const stage = settled(deployment())
    stage.apply(deployment({ spec: { replicas: 0 } })).settle()
    expect(stage.node.containers.size).toBe(1)
    expect(status(stage)).toMatchObject({ condition: 'Available', healthy: true, desired: 0 })
    stage.apply(deployment()).settle()
    expect(status(stage)).toMatchObject({ healthy: true, ready: 3 })
    expect(stage.memory.get(web)?.sets.map(({ revision }) => revision)).toEqual([1])
  })
})

describe('a Deployment that leaves Git', () => {
  test('is taken down to nothing', () => {
    const stage = settled(deployment(), service())
    stage.remove(web).settle()
    expect(stage.memory.size).toBe(0)
    expect(stage.containers('POD')).toEqual([])
    expect(stage.node.volumes.size).toBe(1)
  })

  test('before anything was made is forgotten at once', () => {
    const stage = new Stage()
    stage.leaving.add(web)
    expect(stage.plan(web)).toMatchObject({ memory: undefined, status: undefined, plan: { lanes: [] } })
  })

  test('is forgotten in the same pass when none of its pods was ever made: no step would end and wake it again', () => {
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } }]
    const stage = new Stage().apply(deployment({ template: { containers: [app({ env })] } }))
    stage.run(30_000)
    expect(stage.records()).not.toEqual([])
    stage.remove(web)
    expect(stage.plan(web)).toMatchObject({ memory: undefined, plan: { lanes: [] } })
  })

  test('while its engine is out of reach waits, and remembers', () => {
    const stage = settled(deployment())
    stage.node = { ...stage.node, reachable: false }
    stage.remove(web)
    for (let turn = 0; turn < 3; turn++) expect(stage.turn()).toEqual([])
    expect(stage.records()).toHaveLength(3)
    const { containers } = stage.node
    stage.node = { ...stage.node, containers: new Map() }
    stage.turn()
    expect(stage.records(), 'nothing is known of the node').toHaveLength(3)
    stage.node = { ...stage.node, containers, reachable: true }
    stage.settle()
    expect(stage.memory.size).toBe(0)
    expect(stage.containers('POD')).toEqual([])
  })
})

describe('an engine out of reach', () => {
  test('plans nothing, keeps the pods and their readiness, and says so', () => {
    const stage = settled(deployment(), service())
    const { memory, table } = { memory: stage.memory.get(web), table: stage.table }
    stage.node = { ...stage.node, reachable: false, containers: new Map() }
    stage.probe = () => ({})
    stage.apply(deployment({ template: { containers: [app({ image: 'web:2' })] } }), deployment())
    expect(stage.turn()).toEqual([])
    expect(stage.memory.get(web)?.pods).toEqual(memory?.pods)
    expect(stage.table).toEqual(table)
    expect(status(stage)).toMatchObject({ healthy: false, ready: 3, message: 'node alpha is unreachable: no answer' })
    expect(status(stage)?.pods[0]).toMatchObject({ phase: 'Unknown', ready: true })
  })

  test('plans nothing for pods that it does not know either', () => {
    const stage = settled(deployment())
    const memory = stage.memory.get(web)
    if (memory !== undefined) stage.memory.set(web, { ...memory, pods: memory.pods.slice(1) })
    stage.node = { ...stage.node, reachable: false }
    expect(stage.planText(web)).toBe('')
  })

  test('a pod that was ready stays so until its probe has answered again', () => {
    const probe = { httpGet: { path: '/', port: 8080 } }
    const stage = settled(
      deployment({ template: { containers: [app({ readinessProbe: probe, startupProbe: probe })] } }),
      service(),
    )
    stage.probe = () => ({})
    expect(stage.turn()).toEqual([])
    expect(status(stage)).toMatchObject({ healthy: true, ready: 3 })
    stage.probe = () => ({ startup: answer('unknown'), readiness: answer('unknown') })
    expect(stage.turn()).toEqual([])
    expect(status(stage)).toMatchObject({ ready: 3 })
    stage.probe = () => ({ startup: answer('success'), readiness: answer('failure') })
    expect(stage.turn()).toEqual([expect.stringMatching('^route routes: take out')])
    expect(status(stage)).toMatchObject({ ready: 0 })
  })

  test('a container that was started anew meanwhile has to prove itself', () => {
    const probe = { httpGet: { path: '/', port: 8080 } }
    const stage = settled(deployment({ spec: { replicas: 1 }, template: { containers: [app({ readinessProbe: probe })] } }))
    const [view] = stage.running()
    stage.now += 1000
    stage.node = {
      ...stage.node,
      containers: new Map(stage.node.containers).set(view?.id ?? '', { ...view, startedAt: stage.now } as never),
    }
    stage.probe = () => ({})
    stage.turn()
    expect(status(stage)).toMatchObject({ ready: 0 })
  })
})

const answer = (result: 'unknown' | 'success' | 'failure') => ({ result, since: 0, lastAnswer: '' })

describe('a pod as Services see it', () => {
  const uids = (stage: Stage) => stage.passes.get(web)?.endpoints.map(({ uid }) => uid)

  test('is none before it has a sandbox', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }))
    stage.plan(web)
    expect(stage.records()).toHaveLength(1)
    expect(uids(stage)).toEqual([])
    stage.settle()
    expect(uids(stage)).toEqual(stage.records().map(({ uid }) => uid))
  })

  test('is none once it is lost, and its loss is told once', () => {
    const stage = settled(deployment({ spec: { replicas: 1 } }))
    const [lost] = stage.records()
    stage.end(stage.sandboxes()[0]!, 137)
    const cause = `replace ${lost?.name}: drift: its sandbox exited with 137`
    expect(stage.plan(web).drifts).toEqual([{ kind: 'stopped', cause }])
    expect(uids(stage)).not.toContain(lost?.uid)
    expect(stage.plan(web).drifts).toEqual([])
    expect(stage.records().some(({ uid }) => uid === lost?.uid)).toBe(true)
  })
})

test('a workload that left Git is remembered until extra pods with its labels have gone too', () => {
  const stage = settled(deployment({ spec: { replicas: 1 } }))
  const [view] = stage.running()
  stage.remove(web).settle()
  const copy = { ...view!, id: 'copied', name: 'copied', labels: { ...view!.labels, [LABEL.podUid]: 'nobody' } }
  stage.node = { ...stage.node, containers: new Map([[copy.id, copy]]) }
  stage.memory.set(web, { ...emptyMemory('u', stage.now), sets: [] })
  expect(stage.plan(web)).toMatchObject({
    memory: { pods: [] },
    plan: { lanes: [{ steps: [{ container: 'copied', drift: 'extra' }] }] },
  })
  stage.node = { ...stage.node, containers: new Map() }
  expect(stage.plan(web).memory).toBeUndefined()
})

describe('a store that was lost', () => {
  test('healthy pods are adopted: no step, and no change of readiness', () => {
    const probe = { httpGet: { path: '/', port: 8080 } }
    const stage = settled(deployment({ template: { containers: [app({ readinessProbe: probe })] } }), service())
    const pods = stage.records().map(({ uid, name, ip, set }) => ({ uid, name, ip, set }))
    const { table } = stage
    stage.memory.clear()
    stage.passes.clear()
    stage.probe = () => ({})
    stage.now += 60_000
    expect(stage.planText(web)).toBe('')
    expect(stage.turn()).toEqual([])
    expect(stage.records().map(({ uid, name, ip, set }) => ({ uid, name, ip, set }))).toEqual(pods)
    expect(stage.table).toEqual(table)
    expect(status(stage)).toMatchObject({ healthy: true, ready: 3, available: 3 })
  })

  test('a rollout half way goes on', () => {
    const stage = settled(deployment(), service())
    stage.apply(deployment({ template: { containers: [app({ image: 'web:2' })] } }))
    for (let turn = 0; turn < 8; turn++) stage.turn()
    expect(new Set(stage.records().map(({ set }) => set)).size).toBe(2)
    const uid = stage.memory.get(web)?.uid
    stage.memory.clear()
    stage.run(1_000)
    expect(stage.memory.get(web)?.uid).toBe(uid)
    expect(status(stage)).toMatchObject({ healthy: true, updated: 3 })
    expect(stage.running().map(({ image }) => image)).toEqual(['web:2', 'web:2', 'web:2'])
  })

  test('a pod whose memory cannot be read is replaced', () => {
    const stage = settled(deployment({ spec: { replicas: 1 } }))
    const [sandbox] = stage.sandboxes()
    const labels = { ...sandbox?.labels, 'trireme.memory': '{"workload":1}' }
    stage.node = {
      ...stage.node,
      containers: new Map(stage.node.containers).set(sandbox?.id ?? '', { ...sandbox, labels } as never),
    }
    stage.memory.clear()
    const extra = podSteps(stage.settle()).filter((line) =>
      line.endsWith('drift: an extra pod carries the labels of this workload'),
    )
    expect(extra).toHaveLength(2)
    expect(stage.running()).toHaveLength(1)
    expect(status(stage)).toMatchObject({ healthy: true })
  })
})

describe('config', () => {
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } }]
  const using = (more = {}) => deployment({ spec: { replicas: 2 }, template: { containers: [app({ env })], ...more } })

  test('a missing reference is waited for, and said', () => {
    const stage = new Stage().apply(using())
    expect(stage.run(30_000).filter((line) => line.includes('web.'))).toEqual([])
    expect(status(stage)).toMatchObject({
      condition: 'Waiting',
      message: 'waiting for ConfigMap shop/conf does not exist (env A of container app)',
    })
    expect(status(stage)?.pods[0]).toMatchObject({ reason: 'CreateContainerConfigError' })
    stage.apply(configMap('conf', { b: '1' })).settle()
    expect(status(stage)?.message).toBe('waiting for ConfigMap shop/conf has no key "a" (env A of container app)')
    stage.apply(configMap('conf', { a: '1' })).settle()
    expect(status(stage)).toMatchObject({ healthy: true, ready: 2 })
  })

  test('what waited for a reference never starts without it, also once it has come and another set has it', () => {
    const stage = new Stage().apply(using())
    stage.settle()
    const steps = stage.apply(configMap('conf', { a: '1' })).run(60_000)
    expect(status(stage)).toMatchObject({ healthy: true, ready: 2, current: 2 })
    expect(steps.filter((line) => line.startsWith('create web.1/'))).toEqual([])
    expect(steps).toContainEqual(expect.stringMatching(/^create web\.[23]\/app/))
  })

  test('an optional reference is not waited for', () => {
    const optional = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a', optional: true } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'keys', key: 'b', optional: true } } },
    ]
    const stage = settled(deployment({ template: { containers: [app({ env: optional })] } }))
    expect(status(stage)).toMatchObject({ healthy: true })
  })

  test('a changed value rolls; a rewritten one of equal value does not', () => {
    const stage = settled(configMap('conf', { a: '1', b: '2' }), using())
    stage.apply(configMap('conf', { b: '2', a: '1' }))
    expect(stage.turn()).toEqual([])
    stage.apply(configMap('conf', { a: '2', b: '2' })).settle()
    expect(stage.memory.get(web)?.sets.map(({ revision }) => revision)).toEqual([1, 2])
    expect(status(stage)).toMatchObject({ healthy: true, updated: 2 })
  })

  test('with the opt-out a changed value rolls nothing, and a value that was missing is taken when it comes', () => {
    const stage = new Stage().apply(using({ annotations: { 'trireme.dev/roll-on-config-change': 'false' } }))
    stage.settle()
    stage.apply(configMap('conf', { a: '1' })).settle()
    expect(status(stage)).toMatchObject({ healthy: true })
    const [set] = stage.memory.get(web)?.sets ?? []
    expect(set?.config.configMaps).toEqual({ conf: { data: { a: '1' }, binaryData: {} } })
    stage.run(60_000)
    stage.apply(configMap('conf', { a: '2' }))
    expect(stage.turn()).toEqual([])
  })

  test('no plan, spec or memory holds a secret value', () => {
    const containers = [
      app({
        args: ['--token=$(TOKEN)'],
        env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }],
        envFrom: [{ secretRef: { name: 'keys' } }],
        volumeMounts: [{ name: 'keys', mountPath: '/keys' }],
      }),
    ]
    const volumes = [{ name: 'keys', secret: { secretName: 'keys' } }]
    const stage = new Stage().apply(
      secret('keys', { token: 'hunter2-hunter2' }),
      deployment({ template: { containers, spec: { volumes } } }),
    )
    const plans = [stage.plan(web)]
    stage.settle()
    plans.push(stage.plan(web))
    const said = JSON.stringify([plans, [...stage.memory], [...stage.node.containers], [...stage.node.files]])
    for (const form of ['hunter2', Buffer.from('hunter2-hunter2').toString('base64').slice(0, 12)])
      expect(said).not.toContain(form)
    expect(said).toContain('digest-')
  })
})

describe('a ReplicaSet', () => {
  const key = objectKey('ReplicaSet', namespace, 'web')
  test('runs its pods, and rolls a changed template', () => {
    const stage = settled(replicaSet())
    stage.apply(replicaSet({ template: { containers: [app({ image: 'web:2' })] } })).settle()
    expect(status(stage, key)).toMatchObject({ healthy: true, updated: 3 })
    expect(stage.running().map(({ image }) => image)).toEqual(['web:2', 'web:2', 'web:2'])
  })
})

describe('a bare Pod', () => {
  test('has its own name, and is replaced, not joined, when its template changes', () => {
    const stage = settled(barePod())
    expect(stage.records().map(({ name }) => name)).toEqual(['job'])
    stage.apply(barePod({ template: { containers: [app({ image: 'web:2' })] } }))
    let most = 0
    for (let turn = 0; turn < 20; turn++) {
      stage.turn()
      most = Math.max(most, stage.records().length)
    }
    expect(most).toBe(1)
    expect(stage.running().map(({ image }) => image)).toEqual(['web:2'])
  })

  for (const { name, restartPolicy, exitCode, phase, attempts } of [
    { name: 'OnFailure, ended well', restartPolicy: 'OnFailure', exitCode: 0, phase: 'Succeeded', attempts: 1 },
    { name: 'OnFailure, failed', restartPolicy: 'OnFailure', exitCode: 2, phase: 'Running', attempts: 2 },
    { name: 'Never, ended well', restartPolicy: 'Never', exitCode: 0, phase: 'Succeeded', attempts: 1 },
    { name: 'Never, failed', restartPolicy: 'Never', exitCode: 2, phase: 'Failed', attempts: 1 },
    { name: 'Always, ended well', restartPolicy: 'Always', exitCode: 0, phase: 'Running', attempts: 2 },
  ])
    test(name, () => {
      const stage = new Stage().apply(barePod({ template: { spec: { restartPolicy } } }))
      stage.run(5_000)
      for (const view of stage.running()) stage.end(view, exitCode)
      stage.settle()
      expect(stage.containers()).toHaveLength(attempts)
      expect(status(stage, job)?.pods[0]?.phase).toBe(phase)
      expect(status(stage, job)?.healthy).toBe(phase !== 'Failed')
      expect(status(stage, job)?.current).toBe(phase === 'Running' ? 1 : 0)
      stage.remove(job).settle()
      expect(stage.memory.size).toBe(0)
      expect(stage.containers()).toEqual([])
    })

  test('a finished Pod is replaced when its template changes', () => {
    const stage = new Stage().apply(barePod({ template: { spec: { restartPolicy: 'Never' } } }))
    stage.settle()
    for (const view of stage.running()) stage.end(view, 0)
    stage.settle()
    stage.apply(barePod({ template: { containers: [app({ image: 'web:2' })], spec: { restartPolicy: 'Never' } } })).settle()
    expect(stage.containers().map(({ image, state }) => `${image} ${state}`)).toEqual(['web:2 running'])
  })
})

test('a volume that the engine does not let go of holds up no rollout: its pod is gone without it, and it goes once it can', () => {
  const spec = { volumes: [{ name: 'keys', emptyDir: { medium: 'Memory' } }] }
  const revision = (tag: string) =>
    deployment({ spec: { replicas: 1 }, template: { containers: [app({ image: `web:${tag}` })], spec } })
  const stage = settled(revision('1'))
  const [old] = stage.records()
  const stuck = { kind: 'failed', message: 'volume has active mounts' } as const
  stage.node = { ...stage.node, broken: new Map([['removeVolume *', stuck]]) }
  stage.apply(revision('2')).run(60_000)
  expect(status(stage)).toMatchObject({ healthy: true, condition: 'Available' })
  expect(stage.records().map(({ uid }) => uid)).not.toContain(old!.uid)
  expect([...stage.node.volumes.keys()].some((name) => name.includes(old!.uid))).toBe(true)
  stage.node = { ...stage.node, broken: new Map() }
  stage.run(120_000)
  expect([...stage.node.volumes.keys()].some((name) => name.includes(old!.uid))).toBe(false)
})
