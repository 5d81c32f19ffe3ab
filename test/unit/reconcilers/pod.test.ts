import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'
import { LABEL, SANDBOX } from '../../../src/reconcilers/names.ts'
import type { ContainerProbes } from '../../../src/reconcilers/observed.ts'
import { planWorkload } from '../../../src/reconcilers/workload.ts'
import type { ContainerView, EngineInfo } from '../../../src/runtime/engine.ts'
import { change } from '../../support/fakenode.ts'
import { READY, Stage } from '../../support/stage.ts'
import { app, barePod, configMap, deployment, namespace, secret, service, type TemplateChange } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const probe = { httpGet: { path: '/', port: 8080 } }
const exec = { exec: { command: ['true'] } }

/** One replica of `web`, running. */
function one(template: TemplateChange = {}, ...more: readonly ModelObject[]): Stage {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template }), ...more)
  stage.settle()
  return stage
}

function only(stage: Stage, container = 'app'): ContainerView {
  const [view] = stage.running(container)
  if (view === undefined) throw new Error(`no ${container} runs`)
  return view
}

function alter(stage: Stage, view: ContainerView, to: Partial<ContainerView>): void {
  stage.node = change(stage.node, view.id, () => to)
}

const state = (stage: Stage) => stage.passes.get(web)?.status?.pods[0]
const failing = (kind: keyof ContainerProbes): ContainerProbes => ({
  ...READY,
  [kind]: { result: 'failure', since: 0, lastAnswer: 'HTTP 500' },
})

describe('crashes', () => {
  test('back off: at once, then 10 s doubling to 5 min', () => {
    const stage = one()
    const waits: number[] = []
    for (let crash = 0; crash < 8; crash++) {
      stage.now += 1_000
      stage.end(only(stage), 1)
      const ended = stage.now
      stage.settle()
      while (stage.running().length === 0) {
        stage.now = stage.nextWake() ?? Number.NaN
        stage.settle()
      }
      waits.push((stage.now - ended) / 1000)
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300])
    expect(state(stage)?.restarts).toBe(8)
  })

  test('begin anew after ten minutes of running', () => {
    const stage = one()
    for (const ranMs of [1_000, 1_000, 600_000]) {
      stage.run(ranMs)
      stage.end(only(stage), 1)
      stage.run(10_000)
    }
    expect(stage.running()).toHaveLength(1)
    expect(only(stage).labels[LABEL.failures]).toBe('1')
  })

  test('are told with their cause and a countdown', () => {
    const stage = one()
    for (let crash = 0; crash < 2; crash++) {
      stage.end(only(stage), 3)
      expect(stage.planText(web)).toContain(crash === 0 ? 'create web.1/app: exited with 3' : '')
      stage.settle()
    }
    expect(state(stage)).toMatchObject({
      reason: 'CrashLoopBackOff',
      message: 'app: exited with 3; next start in 10 s',
      ready: false,
    })
  })

  test('for want of memory say so', () => {
    const stage = one()
    alter(stage, only(stage), { state: 'exited', exitCode: 137, oomKilled: true, finishedAt: stage.now })
    expect(stage.planText(web)).toContain('create web.1/app: exited with 137 (out of memory)')
  })

  test('keep the last attempt for its logs and no other', () => {
    const stage = one()
    for (let crash = 0; crash < 3; crash++) {
      stage.end(only(stage), 1)
      stage.run(60_000)
    }
    expect(stage.containers().map(({ labels, state }) => `${labels[LABEL.attempt]} ${state}`)).toEqual(['2 exited', '3 running'])
  })

  test('of a container whose image has been removed pull it again', () => {
    const stage = one()
    stage.node = { ...stage.node, images: new Map() }
    stage.end(only(stage), 1)
    expect(stage.planText(web)).toBe('pull image web:1: web.1 needs it (IfNotPresent)')
    stage.settle()
    expect(stage.running()).toHaveLength(1)
  })
})

test('all attempts of a container go with its pod, before the sandbox that they have joined', () => {
  const stage = one()
  stage.end(only(stage), 1)
  stage.settle()
  stage.remove(web)
  while (stage.running().length > 0) stage.turn()
  const removal = 'remove web.1/app: left Git'
  expect(stage.planText(web).split('\n')).toEqual([removal, removal, 'remove web.1/POD: left Git'])
})

test('a pod whose sandbox is paused is not ready until it goes on', () => {
  const stage = one()
  alter(stage, only(stage, 'POD'), { state: 'paused' })
  stage.plan(web)
  expect(state(stage)).toMatchObject({ ready: false, phase: 'Running' })
  stage.settle()
  expect(state(stage)).toMatchObject({ ready: true })
})

test('a daemon that has not looked into the files of a running pod yet does not put them in again', () => {
  const volumes = [{ name: 'conf', configMap: { name: 'conf' } }]
  const containers = [app({ volumeMounts: [{ name: 'conf', mountPath: '/conf' }] })]
  const stage = one({ containers, spec: { volumes } }, configMap('conf', { a: '1' }))
  expect(stage.node.files.size).toBe(1)
  stage.node = { ...stage.node, files: new Map() }
  expect(stage.planText(web)).toBe('')
})

describe("Docker's own restart policy", () => {
  test('takes over after 10 s of steady running, and no sooner', () => {
    const stage = one()
    stage.now += 9_999
    expect(stage.planText(web)).toBe('')
    expect(stage.passes.get(web)?.wakeAt).toBe(stage.now + 1)
    stage.now += 1
    expect(stage.planText(web)).toBe('update web.1/app: runs steadily: Docker may restart it while the daemon is away')
    stage.settle()
    expect(only(stage).restartPolicy).toBe('always')
  })

  test('does not take over soon what has crashed before: it would restart it without any backoff', () => {
    const stage = one()
    stage.end(only(stage), 1)
    stage.settle()
    const again = stage.running()[0]
    stage.run(60_000)
    expect(again?.labels['trireme.attempt']).toBe('1')
    expect(stage.running()[0]?.restartPolicy).toBe('no')
    stage.run(600_000)
    expect(stage.running()[0]?.restartPolicy).toBe('always')
  })

  test('is taken back from a container that Docker has just restarted', () => {
    const stage = one()
    stage.run(20_000)
    alter(stage, only(stage), { startedAt: stage.now, restartCount: 1 })
    expect(stage.planText(web)).toBe('update web.1/app: has just been restarted: its next restart is ours to pace')
  })

  test('is taken from an attempt that is only kept for its logs, which Docker would start again with itself', () => {
    const stage = one()
    stage.run(20_000)
    stage.end(only(stage), 137)
    stage.settle()
    const kept = stage.containers().find(({ state }) => state === 'exited')
    expect(kept?.restartPolicy).toBe('no')
  })

  test('never runs a Pod that ends again', () => {
    const stage = new Stage().apply(barePod({ template: { spec: { restartPolicy: 'Never' } } }))
    stage.run(60_000)
    expect(only(stage).restartPolicy).toBe('no')
  })

  test('fails containers whose sandbox is late: they are started as they are', () => {
    const stage = one()
    stage.run(20_000)
    const error = 'cannot join network of a non running container: 0'
    alter(stage, only(stage), { state: 'exited', exitCode: 143, error, finishedAt: stage.now })
    stage.node = { ...stage.node, images: new Map() }
    expect(stage.planText(web)).toBe('start web.1/app: Docker started it before its sandbox and gave up')
  })
})

test('a container that ended with its engine starts again at once, is no drift, and counts as no crash', () => {
  const stage = one()
  for (const exitCode of [1, 1]) {
    stage.end(only(stage), exitCode)
    stage.run(60_000)
  }
  expect(only(stage).labels[LABEL.failures]).toBe('2')
  alter(stage, only(stage), { state: 'exited', exitCode: 137, finishedAt: stage.now })
  const sandbox = stage.running(SANDBOX)[0]!
  stage.now += 1_000
  alter(stage, sandbox, { startedAt: stage.now, finishedAt: stage.now - 1_000 })
  expect(stage.planText(web)).toContain('create web.1/app: ended with its engine\n')
  stage.settle()
  expect(only(stage).labels).toMatchObject({ [LABEL.failures]: '2', [LABEL.attempt]: '3' })
  expect(state(stage)?.ready).toBe(true)
})

describe('what a pod keeps in memory, after Docker has started everything anew', () => {
  const mounting = (volume: object, template: TemplateChange = {}): Stage => {
    const containers = [app({ volumeMounts: [{ name: 'keys', mountPath: '/keys' }] }), app({ name: 'side' })]
    const spec = { volumes: [{ name: 'keys', ...volume }], ...template.spec }
    const stage = one({ containers, spec }, secret('keys', { token: 'x' }), configMap('keys', { token: 'x' }))
    stage.run(20_000)
    return stage
  }
  /** What the engine shows after it has started all containers but those `late`. */
  const startAnew = (stage: Stage, ...late: readonly string[]): void => {
    stage.now += 60_000
    for (const view of stage.node.containers.values()) {
      const name = view.labels[LABEL.containerName] ?? ''
      if (view.labels[LABEL.role] !== 'pod') continue
      const error = 'cannot join network of a non running container: 0'
      if (late.includes(name)) alter(stage, view, { state: 'exited', exitCode: 255, error, finishedAt: stage.now })
      else alter(stage, view, { startedAt: stage.now + (name === SANDBOX ? 0 : 100), finishedAt: stage.now - 1_000 })
    }
    stage.now += 1_000
  }

  for (const { name, volume, late } of [
    { name: 'secret files', volume: { secret: { secretName: 'keys' } }, late: [] },
    { name: 'secret files that a late container waits for', volume: { secret: { secretName: 'keys' } }, late: ['app'] },
    { name: 'scratch space', volume: { emptyDir: { medium: 'Memory' } }, late: [] },
  ])
    test(`${name}: gone, so the pod is replaced, and nobody is blamed for it`, () => {
      const stage = mounting(volume)
      const before = state(stage)?.uid
      startAnew(stage, ...late)
      const because = 'its sandbox was started anew, and what it kept in memory, such as secret files, is gone'
      const pass = stage.plan(web)
      expect(pass.status?.pods.find(({ uid }) => uid === before)).toMatchObject({ reason: 'Terminating', message: because })
      expect(pass.drifts).toEqual([])
      stage.settle()
      expect(stage.passes.get(web)?.status?.pods.map(({ uid, ready }) => ({ fresh: uid !== before, ready }))).toEqual([
        { fresh: true, ready: true },
      ])
      expect(stage.planText(web)).toBe('')
    })

  test('on disk it stays, and so does the pod', () => {
    const stage = mounting({ configMap: { name: 'keys' } })
    startAnew(stage, 'side')
    expect(stage.planText(web)).toContain('start web.1/side: Docker started it before its sandbox and gave up')
    expect(stage.settle().filter((step) => !step.startsWith('update '))).toEqual([
      'start web.1/side: Docker started it before its sandbox and gave up',
    ])
  })
})

describe('probes and hooks', () => {
  for (const kind of ['liveness', 'startup'] as const)
    test(`a failing ${kind} probe stops the container, which then starts again without being drift`, () => {
      const grace = { [`${kind}Probe`]: { ...probe, terminationGracePeriodSeconds: 7 } }
      const stage = one({ containers: [app(grace)] })
      stage.probe = (view) => (view.labels[LABEL.attempt] === '0' ? failing(kind) : READY)
      const { lanes } = stage.plan(web).plan
      expect(lanes[0]?.steps).toEqual([
        expect.objectContaining({ op: 'stop', graceSeconds: 7, cause: `${kind} probe failed: HTTP 500` }),
      ])
      expect(stage.settle()).toEqual([
        `stop web.1/app: ${kind} probe failed: HTTP 500`,
        'create web.1/app: stopped after a failed probe or hook (exit 143)',
        'start web.1/app: restart 1',
      ])
      expect(state(stage)).toMatchObject({ ready: true, restarts: 1 })
    })

  test('a failing readiness probe takes the pod out of the routes and leaves it running', () => {
    const stage = one({ containers: [app({ readinessProbe: probe })] }, service())
    stage.run(20_000)
    stage.probe = () => failing('readiness')
    expect(stage.settle()).toEqual(['route routes: take out web.1'])
    expect(state(stage)).toMatchObject({ ready: false, message: 'app: probe says HTTP 500' })
  })

  test('a container is ready only once its startup probe has succeeded', () => {
    const stage = new Stage().apply(
      deployment({ spec: { replicas: 1 }, template: { containers: [app({ startupProbe: probe })] } }),
    )
    stage.probe = () => ({ startup: { result: 'unknown', since: 0, lastAnswer: '' } })
    stage.settle()
    expect(state(stage)).toMatchObject({ ready: false })
    stage.probe = () => READY
    stage.settle()
    expect(state(stage)).toMatchObject({ ready: true })
  })

  test('a postStart hook is run once, before the container counts', () => {
    const stage = new Stage().apply(
      deployment({ spec: { replicas: 1 }, template: { containers: [app({ lifecycle: { postStart: exec } })] } }),
    )
    const steps = stage.settle().filter((line) => line.includes('/app'))
    expect(steps).toEqual([
      'create web.1/app: revision 1',
      'start web.1/app: revision 1',
      'hook web.1/app postStart #0: container started',
    ])
    expect(state(stage)).toMatchObject({ ready: true })
    stage.node = { ...stage.node, hooks: new Set() }
    expect(stage.planText(web), 'the daemon was restarted').toBe('')
  })

  test('a hook that asks for a port by its name is told which it is', () => {
    const preStop = { httpGet: { path: '/drain', port: 'admin' } }
    const ports = [{ name: 'admin', containerPort: 9000 }]
    const stage = one({ containers: [app({ ports, lifecycle: { preStop } })] })
    stage.settle()
    const { plan } = stage.remove(web).plan(web)
    expect(plan.lanes.flatMap(({ steps }) => steps)).toContainEqual(
      expect.objectContaining({ op: 'hook', namedPorts: { admin: 9000 } }),
    )
  })

  test('a postStart hook that fails stops its container', () => {
    const stage = new Stage().apply(
      deployment({ spec: { replicas: 1 }, template: { containers: [app({ lifecycle: { postStart: exec } })] } }),
    )
    const refuse = (line: string) => line.startsWith('failed hook')
    stage.turn()
    const name = stage.records()[0]?.name
    stage.node = { ...stage.node, broken: new Map([[`hook ${name}/app postStart #0`, { kind: 'failed', message: 'exit 1' }]]) }
    const steps = stage.settle()
    expect(steps.filter(refuse)).toEqual(['failed hook web.1/app postStart #0: exit 1'])
    expect(steps).toContain('stop web.1/app: postStart hook failed: exit 1')
    expect(steps).toContain('create web.1/app: stopped after a failed probe or hook (exit 143)')
    expect(state(stage)).toMatchObject({ ready: true, restarts: 1 })
  })

  test('preStop runs once, and stop gets what is left of the grace, but never under 2 s', () => {
    const stage = one({ containers: [app({ lifecycle: { preStop: exec } })], spec: { terminationGracePeriodSeconds: 10 } })
    stage.remove(web)
    const text = () =>
      stage
        .plan(web)
        .plan.lanes.flatMap(({ steps }) => steps.map((step) => [step.op, 'graceSeconds' in step && step.graceSeconds]))
    expect(text()).toEqual([
      ['hook', false],
      ['stop', 10],
    ])
    stage.turn()
    stage.now += 6_000
    expect(text()).toEqual([['stop', 4]])
    stage.now += 60_000
    expect(text()).toEqual([['stop', 2]])
  })

  test('a daemon that died in the middle of a preStop hook: the next one does not begin it again, and stops with what is left', () => {
    const stage = one({ containers: [app({ lifecycle: { preStop: exec } })], spec: { terminationGracePeriodSeconds: 10 } })
    stage.remove(web)
    expect(stage.turn()).toEqual(['hook web.1/app preStop #0: left Git'])
    stage.restart().now += 6_000
    const [stop, ...more] = stage.plan(web).plan.lanes.flatMap(({ steps }) => steps)
    expect([stop, more]).toEqual([expect.objectContaining({ op: 'stop', graceSeconds: 4 }), []])
    expect(stage.settle()[0]).toBe('stop web.1/app: left Git')
  })

  test('a daemon that died in the middle of a postStart hook: the next one runs it again, for nobody knows its end', () => {
    const stage = new Stage().apply(
      deployment({ spec: { replicas: 1 }, template: { containers: [app({ lifecycle: { postStart: exec } })] } }),
    )
    const hook = 'hook web.1/app postStart #0: container started'
    for (let steps = stage.turn(); !steps.includes(hook); ) steps = stage.turn()
    expect(stage.restart().settle()).toEqual([hook])
  })

  test('a container that fails its liveness probe runs its preStop hook before it is stopped, once for each attempt', () => {
    const stage = one({ containers: [app({ livenessProbe: probe, lifecycle: { preStop: exec } })] })
    let failing = true
    stage.probe = () => ({ liveness: { result: failing ? 'failure' : 'success', since: stage.now, lastAnswer: 'HTTP 503' } })
    const first = stage.turn()
    expect(first).toEqual([expect.stringContaining('hook web.1/app preStop #0')])
    expect(stage.turn()).toEqual([expect.stringContaining('stop web.1/app')])
    failing = false
    stage.run(60_000)
    failing = true
    expect(stage.turn()).toEqual([expect.stringContaining('hook web.1/app preStop #1')])
    expect(stage.records()[0]?.preStopped).toEqual(['app#1'])
  })

  test('a preStop hook that fails keeps nothing alive', () => {
    const stage = one({ containers: [app({ lifecycle: { preStop: exec } })] })
    const name = stage.records()[0]?.name
    stage.node = { ...stage.node, broken: new Map([[`hook ${name}/app preStop #0`, { kind: 'failed', message: 'exit 1' }]]) }
    stage.remove(web).settle()
    expect(stage.memory.size).toBe(0)
  })

  test('in termination liveness and startup stop, readiness goes on', () => {
    const stage = one({ containers: [app({ livenessProbe: probe })] }, service())
    expect(stage.plan(web).probes).toMatchObject([{ suspend: [], address: stage.records()[0]?.ip }])
    stage.remove(web)
    expect(stage.plan(web).probes).toMatchObject([{ suspend: ['liveness', 'startup'] }])
  })
})

describe('several containers', () => {
  const containers = [app(), app({ name: 'log', image: 'log:1' })]

  test('share one sandbox, and one that crashes disturbs no other', () => {
    const stage = one({ containers })
    const sandbox = only(stage, 'POD')
    expect([only(stage).networkMode, only(stage, 'log').networkMode]).toEqual([
      `container:${sandbox.id}`,
      `container:${sandbox.id}`,
    ])
    stage.end(only(stage, 'log'), 1)
    expect(stage.settle()).toEqual(['create web.1/log: exited with 1', 'start web.1/log: restart 1'])
  })

  test('a pod is ready when all of them are', () => {
    const stage = new Stage().apply(
      deployment({ spec: { replicas: 1 }, template: { containers: [app(), app({ name: 'log', readinessProbe: probe })] } }),
    )
    stage.probe = () => failing('readiness')
    stage.settle()
    expect(state(stage)).toMatchObject({ phase: 'Running', ready: false })
  })
})

describe('a lost sandbox means a new pod', () => {
  for (const { name, lose, because } of [
    { name: 'removed', lose: (stage: Stage) => remove(stage, only(stage, 'POD')), because: 'its sandbox was removed' },
    { name: 'ended', lose: (stage: Stage) => stage.end(only(stage, 'POD'), 137), because: 'its sandbox exited with 137' },
    {
      name: 'restarted',
      lose: (stage: Stage) => alter(stage, only(stage, 'POD'), { startedAt: stage.now + 5, finishedAt: stage.now }),
      because: 'its sandbox was restarted, which left its containers without a network',
    },
    {
      name: 'with another address',
      lose: (stage: Stage) => alter(stage, only(stage, 'POD'), attached('10.88.9.9')),
      because: 'its address changed from IP to 10.88.9.9',
    },
  ])
    test(name, () => {
      const stage = one()
      const [{ ip = '', uid = '' } = {}] = stage.records()
      lose(stage)
      stage.plan(web)
      expect(stage.records().map(({ deletion }) => deletion?.cause)).toEqual([because.replace('IP', ip), undefined])
      stage.settle()
      const [record] = stage.records()
      expect(record?.uid).not.toBe(uid)
      expect(record?.cause).toBe('missing replica')
      expect(stage.running()).toHaveLength(1)
      expect(state(stage)).toMatchObject({ ready: true })
    })

  test('whose address is taken', () => {
    const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }))
    stage.turn()
    const [{ name = '', ip = '' } = {}] = stage.records()
    stage.node = {
      ...stage.node,
      broken: new Map([[`start ${name}/POD`, { kind: 'addressTaken', message: 'Address already in use' }]]),
    }
    stage.settle()
    expect(stage.records()).toHaveLength(1)
    expect(stage.records()[0]?.ip).not.toBe(ip)
    expect(state(stage)).toMatchObject({ ready: true })
  })

  test('but not one that somebody attached to a further network', () => {
    const stage = one()
    const sandbox = only(stage, 'POD')
    const foreign = { networkId: 'n', ip: '172.30.0.2', requestedIp: '' }
    alter(stage, sandbox, { networks: { aaa: foreign, ...sandbox.networks } })
    expect(stage.settle()).toEqual([])
  })
})

function attached(ip: string): Partial<ContainerView> {
  return { networks: { 'trireme-test': { networkId: 'trireme-test', ip, requestedIp: ip } } }
}

function remove(stage: Stage, view: ContainerView): void {
  stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== view.id)) }
}

describe('drift is mended', () => {
  const limits = { resources: { limits: { memory: '64Mi', cpu: '500m' } } }
  for (const { name, drift, kinds, want } of [
    {
      name: 'paused',
      drift: (stage: Stage) => alter(stage, only(stage), { state: 'paused' }),
      kinds: ['paused'],
      want: ['unpause web.1/app: drift: paused'],
    },
    {
      name: 'a paused sandbox',
      drift: (stage: Stage) => alter(stage, only(stage, 'POD'), { state: 'paused' }),
      kinds: ['paused'],
      want: ['unpause web.1/POD: drift: paused'],
    },
    {
      name: 'renamed',
      drift: (stage: Stage) => alter(stage, only(stage), { name: 'mine' }),
      kinds: ['renamed'],
      want: [expect.stringMatching(/^rename web\.1\/app: drift: name is mine, not k8s_app_web\.1_shop_uid1_0$/)],
    },
    {
      name: 'memory and cpu, in one update',
      drift: (stage: Stage) =>
        alter(stage, only(stage), { resources: { ...only(stage).resources, memoryBytes: 2 ** 27, cpuQuota: 20_000 } }),
      kinds: ['resources'],
      want: ['update web.1/app: drift: memory limit is 128Mi, not 64Mi; drift: cpu limit is 200m, not 500m'],
    },
    {
      name: 'disconnected',
      drift: (stage: Stage) => alter(stage, only(stage, 'POD'), { networks: {} }),
      kinds: ['network'],
      want: ['connect web.1/POD: drift: not attached to network trireme-test'],
    },
    {
      name: 'killed',
      drift: (stage: Stage) => stage.end(only(stage), 137),
      kinds: ['stopped', undefined],
      want: ['create web.1/app: drift: stopped or killed from outside (exit 137)', 'start web.1/app: restart 1'],
    },
    {
      name: 'removed',
      drift: (stage: Stage) => remove(stage, only(stage)),
      kinds: ['removed', undefined],
      want: ['create web.1/app: drift: container was removed', 'start web.1/app: revision 1'],
    },
    {
      name: 'removed after an earlier crash',
      drift: (stage: Stage) => {
        stage.end(only(stage), 1)
        stage.settle()
        remove(stage, only(stage))
      },
      kinds: ['removed', undefined],
      want: ['create web.1/app: drift: container was removed', 'start web.1/app: restart 1'],
    },
    {
      name: 'an extra container with the labels of a container',
      drift: (stage: Stage) => copy(stage, only(stage), {}),
      kinds: ['extra'],
      want: ['remove web.1/app: drift: an extra container carries its labels'],
    },
    {
      name: 'an extra container of a name that the pod does not have',
      drift: (stage: Stage) => copy(stage, only(stage), { [LABEL.containerName]: 'miner' }),
      kinds: ['extra'],
      want: ['remove web.1/miner: drift: an extra container carries its labels'],
    },
    {
      name: 'a second sandbox',
      drift: (stage: Stage) => copy(stage, only(stage, 'POD'), {}),
      kinds: ['extra'],
      want: ['remove web.1/POD: drift: an extra container carries its labels'],
    },
    {
      name: 'an extra pod',
      drift: (stage: Stage) => copy(stage, only(stage), { [LABEL.podUid]: 'other' }),
      kinds: ['extra'],
      want: ['remove web.1/copy: drift: an extra pod carries the labels of this workload'],
    },
  ])
    test(name, () => {
      const stage = one({ containers: [app(limits)] })
      drift(stage)
      const kindsSeen = stage.plan(web).plan.lanes.flatMap(({ steps }) => steps.map((step) => step.drift))
      expect(kindsSeen).toEqual(kinds)
      expect(stage.settle()).toEqual(want)
      expect(stage.settle()).toEqual([])
      expect(state(stage)).toMatchObject({ ready: true })
    })

  test('an edited file is put back, and a container that has ended is not started on the way', () => {
    const volumes = [{ name: 'conf', configMap: { name: 'conf' } }]
    const containers = [app({ volumeMounts: [{ name: 'conf', mountPath: '/conf' }] })]
    const stage = one({ containers, spec: { volumes } }, configMap('conf', { 'a.ini': '1', 'b.ini': '2' }))
    for (const exit of [1, 1]) {
      stage.end(only(stage), exit)
      stage.settle()
    }
    const [[volume, files] = ['', {}]] = stage.node.files
    stage.node = { ...stage.node, files: new Map([[volume, { ...files, 'b.ini': 'other' }]]) }
    expect(stage.planText(web)).toBe('put web.1/volume conf: drift: b.ini changed from outside')
    stage.settle()
    expect(stage.node.files.get(volume)).toEqual(files)
  })
})

function copy(stage: Stage, view: ContainerView, labels: Readonly<Record<string, string>>): void {
  const extra = { ...view, id: 'f'.repeat(64), name: 'copy', labels: { ...view.labels, ...labels } }
  stage.node = { ...stage.node, containers: new Map(stage.node.containers).set(extra.id, extra) }
}

describe('runAsNonRoot', () => {
  for (const { name, user, context, want } of [
    { name: 'refuses an image that runs as root', user: '', context: {}, want: 'the image runs as root' },
    { name: 'refuses root by name', user: 'root:root', context: {}, want: 'the image runs as root' },
    { name: 'refuses a name that cannot be checked', user: 'nginx', context: {}, want: 'user "nginx" is a name' },
    { name: 'refuses runAsUser 0', user: '1000', context: { runAsUser: 0 }, want: 'runAsUser is 0' },
    { name: 'takes a number', user: '1000:1000', context: {}, want: '' },
    { name: 'takes runAsUser', user: '', context: { runAsUser: 1000 }, want: '' },
  ])
    test(name, () => {
      const stage = new Stage().apply(
        deployment({
          spec: { replicas: 1 },
          template: { containers: [app({ securityContext: { runAsNonRoot: true, ...context } })] },
        }),
      )
      stage.node = { ...stage.node, users: new Map([['web:1', user]]) }
      stage.settle()
      expect(stage.containers()).toHaveLength(want === '' ? 1 : 0)
      if (want !== '')
        expect(state(stage)).toMatchObject({ reason: 'CreateContainerConfigError', message: expect.stringContaining(want) })
    })
})

test('each container is scored by what it asks for itself, and a sidecar never goes before those that it is there for', () => {
  const asking = (name: string, memory: string) => ({ ...app({ resources: { requests: { memory } } }), name })
  const containers = [asking('app', '512Mi'), asking('small', '256Mi')]
  const initContainers = [{ ...asking('side', '128Mi'), restartPolicy: 'Always' }]
  const stage = new Stage()
  stage.node = { ...stage.node, info: { memoryBytes: 2 ** 30, cpus: 2, runtimes: [] } as unknown as EngineInfo }
  const scores = new Map<string, number | undefined>()
  stage.watch = (step) => void (step.op === 'create' && scores.set(step.target.split('/')[1] ?? '', step.spec.oomScoreAdj))
  stage.apply(deployment({ spec: { replicas: 1 }, template: { containers, spec: { initContainers } } })).run(10_000)
  expect(Object.fromEntries(scores)).toMatchObject({ POD: 0, app: 500, small: 750, side: 500 })
})

test('what is known of the node since then counts for the next attempt', () => {
  const containers = [app({ resources: { requests: { memory: '512Mi' } } })]
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template: { containers } }))
  const scores = (memoryBytes: number | undefined): number[] => {
    const input = stage.input(web)
    const nodes = input.nodes.map((node) => ({
      ...node,
      info: memoryBytes === undefined ? undefined : ({ memoryBytes } as EngineInfo),
    }))
    const steps = planWorkload({ ...input, nodes }).plan.lanes.flatMap((lane) => lane.steps)
    return steps.flatMap((step) => (step.op === 'create' && step.target.endsWith('/app') ? [step.spec.oomScoreAdj] : []))
  }
  stage.plan(web)
  expect([scores(undefined), scores(2 ** 30), scores(undefined)]).toEqual([[999], [500], [999]])
})

describe('images', () => {
  test('pods of one template share one pull', () => {
    const stage = new Stage().apply(deployment())
    const pulls = stage.settle().filter((line) => line.startsWith('pull'))
    expect(pulls).toEqual(['pull image web:1: web.1 needs it (IfNotPresent)'])
  })

  test('Always pulls once for each template', () => {
    const containers = [app({ imagePullPolicy: 'Always' })]
    const stage = new Stage().apply(deployment({ template: { containers } }))
    expect(stage.settle().filter((line) => line.startsWith('pull'))).toHaveLength(1)
    stage.apply(deployment({ template: { containers, annotations: { changed: 'yes' } } }))
    expect(stage.settle().filter((line) => line.startsWith('pull'))).toHaveLength(1)
  })

  test('that have run here need no registry to run again, even with Always', () => {
    const stage = one({ containers: [app({ imagePullPolicy: 'Always' })] })
    stage.node = { ...stage.node, images: new Map() }
    stage.end(only(stage), 1)
    const [lane] = stage.plan(web).plan.lanes
    expect(lane?.steps).toEqual([expect.objectContaining({ op: 'pull', policy: 'IfNotPresent' })])
  })

  test('that were denied are pulled with the credentials that Git has now, in the same pod', () => {
    const login = (password: string) => secret('login', { '.dockerconfigjson': password })
    const wanting = deployment({ spec: { replicas: 1 }, template: { spec: { imagePullSecrets: [{ name: 'login' }] } } })
    const stage = new Stage().apply(wanting, login('wrong'))
    const denied = { kind: 'imageDenied', message: 'unauthorized' } as const
    stage.node = { ...stage.node, broken: new Map([['pull image web:1', denied]]) }
    stage.settle()
    const before = state(stage)?.uid
    stage.apply(login('right'))
    stage.now = stage.nextWake() ?? Number.NaN
    const pull = stage
      .plan(web)
      .plan.lanes.flatMap(({ steps }) => steps)
      .find(({ op }) => op === 'pull')
    expect(pull).toMatchObject({ pullSecrets: [{ name: 'login', digest: login('right').data['.dockerconfigjson'] }] })
    expect(state(stage)?.uid).toBe(before)
  })

  for (const { policy, count, reason } of [
    { policy: 'IfNotPresent', count: 1, reason: 'ErrImagePull' },
    { policy: 'IfNotPresent', count: 2, reason: 'ImagePullBackOff' },
    { policy: 'Never', count: 1, reason: 'ErrImageNeverPull' },
  ])
    test(`that cannot be pulled are ${reason}`, () => {
      const stage = new Stage().apply(
        deployment({ spec: { replicas: 1 }, template: { containers: [app({ imagePullPolicy: policy })] } }),
      )
      stage.node = { ...stage.node, broken: new Map([['pull image web:1', { kind: 'imageNotFound', message: 'no such image' }]]) }
      stage.settle()
      for (let failure = 1; failure < count; failure++) {
        stage.now = stage.nextWake() ?? Number.NaN
        stage.settle()
      }
      expect(state(stage)).toMatchObject({ phase: 'Pending', reason, message: 'app: no such image' })
    })
})

test('pods whose sandboxes end at once are made with a growing delay, not in a hot loop', () => {
  const stage = one()
  stage.watch = () => undefined
  const made: number[] = []
  for (let turn = 0; turn < 600 && made.length < 5; turn++) {
    const sandbox = stage.running('POD')[0]
    if (sandbox !== undefined) {
      stage.end(sandbox, 1)
      made.push(stage.now)
    }
    stage.turn()
    stage.now += 100
  }
  const gaps = made.slice(1).map((at, index) => Math.round((at - (made[index] ?? at)) / 1000))
  expect(gaps.slice(0, 3).every((gap, index) => index === 0 || gap >= (gaps[index - 1] ?? 0))).toBe(true)
  expect(gaps.at(-1)).toBeGreaterThanOrEqual(10)
})

test('pods that were lost early are forgotten once one has become ready', () => {
  const stage = one()
  const lose = (): void => {
    stage.end(only(stage, 'POD'), 1)
    stage.run(60_000)
    expect(stage.running()).toHaveLength(1)
  }
  for (const _ of [1, 2, 3]) {
    lose()
    stage.now += 1_000
  }
  const [web] = stage.memory.values()
  expect(web?.setbacks?.count ?? 0).toBe(0)
})
