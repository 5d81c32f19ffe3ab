/** Init containers, sidecars and deadlines: what starts and stops in the life of a pod, and in what order. */
import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import type { Deployment, Pod } from '../../../src/model/types/workload.ts'
import type { ContainerProbes, MessageSource } from '../../../src/reconcilers/observed.ts'
import { renderPlan, type Step } from '../../../src/reconcilers/plan.ts'
import { planWorkload, type WorkloadPass } from '../../../src/reconcilers/workload.ts'
import type { ContainerView, EngineInfo } from '../../../src/runtime/engine.ts'
import { change } from '../../support/fakenode.ts'
import { READY, Stage } from '../../support/stage.ts'
import { app, barePod, configMap, deployment, namespace, service, type TemplateChange } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const job = objectKey('Pod', namespace, 'job')
type Raw = Readonly<Record<string, unknown>>

const init = (name: string, more: Raw = {}): Raw => ({ name, image: `${name}:1`, ...more })
const sidecar = (name: string, more: Raw = {}): Raw => init(name, { restartPolicy: 'Always', ...more })

function deployed(initContainers: readonly Raw[], change: TemplateChange = {}): Deployment {
  const spec = { initContainers, ...change.spec }
  return deployment({ spec: { replicas: 1 }, template: { ...change, spec } })
}

function running(restartPolicy: string, initContainers: readonly Raw[] = [], spec: Raw = {}): Pod {
  return barePod({ template: { spec: { restartPolicy, initContainers, ...spec } } })
}

function begun(object: Deployment | Pod): Stage {
  const stage = new Stage().apply(object, service())
  stage.settle()
  return stage
}

function only(stage: Stage, container: string): ContainerView {
  const [view] = stage.running(container)
  if (view === undefined) throw new Error(`no ${container} runs`)
  return view
}

const ofPods = (steps: readonly string[]): string[] => steps.filter((step) => !/ (routes|router|network)\b/.test(step))

/** A container ends; what is done then to pods. */
function finish(stage: Stage, container: string, exitCode = 0): string[] {
  stage.end(only(stage, container), exitCode)
  return ofPods(stage.settle())
}

function removeAll(stage: Stage, container: string): void {
  const gone = new Set(stage.containers(container).map(({ id }) => id))
  stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => !gone.has(id))) }
}

function names(stage: Stage): string[] {
  return [...stage.node.containers.values()]
    .filter(({ state, labels }) => state === 'running' && labels['trireme.role'] === 'pod')
    .map(({ labels }) => labels['io.kubernetes.container.name'] ?? '')
    .sort()
}

const state = (stage: Stage, key = web) => stage.passes.get(key)?.status?.pods[0]
const startOf = (container: string) => [`create web.1/${container}: revision 1`, `start web.1/${container}: revision 1`]

describe('init containers', () => {
  test('run one after the other, each with its image, and the others only then', () => {
    const stage = new Stage().apply(deployed([init('first'), init('second')]))
    expect(ofPods(stage.settle())).toEqual([
      'pull image first:1: web.1 needs it (IfNotPresent)',
      'create web.1/POD: revision 1',
      'start web.1/POD: revision 1',
      ...startOf('first'),
    ])
    expect(finish(stage, 'first')).toEqual(['pull image second:1: web.1 needs it (IfNotPresent)', ...startOf('second')])
    expect(finish(stage, 'second')).toEqual(['pull image web:1: web.1 needs it (IfNotPresent)', ...startOf('app')])
    expect(state(stage)).toMatchObject({ phase: 'Running', ready: true })
  })

  test('that fail are tried again with the usual waits, and hold up the others', () => {
    const stage = begun(deployed([init('first')]))
    const waits: number[] = []
    for (let attempt = 0; attempt < 4; attempt++) {
      const ended = stage.now
      finish(stage, 'first', 1)
      while (stage.running('first').length === 0) {
        stage.now = stage.nextWake() ?? Number.NaN
        stage.settle()
      }
      waits.push((stage.now - ended) / 1000)
    }
    expect(waits).toEqual([0, 10, 20, 40])
    expect(stage.containers('app')).toEqual([])
    finish(stage, 'first')
    expect(names(stage)).toEqual(['POD', 'app'])
  })

  test('that fail in a pod that never restarts end it', () => {
    const stage = begun(running('Never', [init('first'), init('second')]))
    expect(finish(stage, 'first', 3)).toEqual([])
    expect(state(stage, job)).toMatchObject({
      phase: 'Failed',
      reason: 'Init:Error',
      message: 'init container first exited with 3',
      ready: false,
    })
    expect(stage.run(3_600_000)).toEqual([])
  })

  for (const when of ['before the others start', 'while the others run'])
    test(`that have completed never run again when what is left of them is removed ${when}`, () => {
      const stage = begun(deployed([init('first'), init('second')]))
      finish(stage, 'first')
      if (when.startsWith('while')) finish(stage, 'second')
      removeAll(stage, 'first')
      stage.restart()
      stage.settle()
      expect(stage.containers('first')).toEqual([])
      expect(state(stage)?.initContainers[0]).toMatchObject({ state: 'terminated', reason: 'Completed', ready: true })
    })

  test('that have completed do not run again when the store is lost', () => {
    const stage = begun(deployed([init('first'), init('second')]))
    finish(stage, 'first')
    finish(stage, 'second')
    removeAll(stage, 'second')
    stage.memory.clear()
    stage.restart()
    expect(stage.settle()).toEqual([])
    expect(names(stage)).toEqual(['POD', 'app'])
    expect(state(stage)).toMatchObject({ ready: true })
  })

  test('that are removed by hand while they run begin anew', () => {
    const stage = begun(deployed([init('first')]))
    removeAll(stage, 'first')
    expect(stage.settle()).toEqual(['create web.1/first: drift: container was removed', 'start web.1/first: revision 1'])
  })

  test('run again in a new pod once the sandbox has been started anew, for the others must wait for them', () => {
    const stage = begun(deployed([init('first')]))
    finish(stage, 'first')
    stage.now += 60_000
    for (const view of [only(stage, 'app'), only(stage, 'POD')])
      stage.node = change(stage.node, view.id, () => ({ startedAt: stage.now + 1, finishedAt: stage.now }))
    stage.settle()
    expect(stage.records()).toHaveLength(1)
    expect(names(stage)).toEqual(['POD', 'first'])
  })

  test('of a pod that has come to its end do not run again when its engine starts anew', () => {
    const stage = begun(running('Never', [init('first')]))
    finish(stage, 'first')
    finish(stage, 'app')
    stage.node = change(stage.node, only(stage, 'POD').id, () => ({ startedAt: stage.now + 1, finishedAt: stage.now }))
    expect(stage.run(60_000)).toEqual([])
    expect(state(stage, job)).toMatchObject({ phase: 'Succeeded', reason: 'Completed' })
  })

  test('are never restarted by Docker, however long they run', () => {
    const stage = begun(deployed([init('first')]))
    stage.run(3_600_000)
    expect(only(stage, 'first').restartPolicy).toBe('no')
  })

  test('have variables and volumes as others do', () => {
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } }]
    const volumeMounts = [{ name: 'work', mountPath: '/work' }]
    const first = init('first', { env, volumeMounts })
    const stage = new Stage().apply(
      deployed([first], { spec: { volumes: [{ name: 'work', emptyDir: {} }] } }),
      configMap('conf', { a: '1' }),
    )
    const created: Step[] = []
    stage.watch = (step) => void created.push(step)
    stage.settle()
    const made = created.find((step) => step.op === 'create' && step.spec.image === 'first:1')
    expect(made).toMatchObject({
      spec: { env: [{ name: 'A', value: '1' }], mounts: [{ target: '/work', type: 'volume' }], restartPolicy: 'no', init: true },
    })
  })
})

describe('how initialisation is told', () => {
  const reasons = (stage: Stage): unknown => [state(stage)?.phase, state(stage)?.reason]

  test('in the words of kubectl', () => {
    const stage = new Stage().apply(deployed([init('first'), init('second')]))
    stage.turn()
    expect(reasons(stage)).toEqual(['Pending', 'Init:0/2'])
    stage.settle()
    expect(reasons(stage)).toEqual(['Pending', 'Init:0/2'])
    expect(state(stage)?.containers[0]).toMatchObject({ state: 'waiting', reason: 'PodInitializing', ready: false })
    finish(stage, 'first')
    expect(reasons(stage)).toEqual(['Pending', 'Init:1/2'])
    finish(stage, 'second', 1)
    finish(stage, 'second', 1)
    expect(reasons(stage)).toEqual(['Pending', 'Init:CrashLoopBackOff'])
    expect(state(stage)?.message).toBe('second: exited with 1; next start in 10 s')
    stage.run(10_000)
    finish(stage, 'second')
    expect(reasons(stage)).toEqual(['Running', 'Running'])
    expect(
      state(stage)?.initContainers.map(({ name, role, state, reason, ready, restarts }) => [
        name,
        role,
        state,
        reason,
        ready,
        restarts,
      ]),
    ).toEqual([
      ['first', 'init', 'terminated', 'Completed', true, 0],
      ['second', 'init', 'terminated', 'Completed', true, 2],
    ])
  })

  test('with the trouble of an image', () => {
    const stage = new Stage().apply(deployed([init('first')]))
    stage.node = { ...stage.node, broken: new Map([['pull image first:1', { kind: 'imageNotFound', message: 'no such image' }]]) }
    stage.settle()
    expect(reasons(stage)).toEqual(['Pending', 'Init:ErrImagePull'])
    expect(state(stage)?.message).toBe('first: no such image')
  })

  test('and what it last said', () => {
    const stage = begun(deployed([init('first')]))
    stage.tail = () => ['cannot reach the database']
    finish(stage, 'first', 1)
    finish(stage, 'first', 1)
    expect(stage.passes.get(web)?.status?.message).toContain('(last log line: cannot reach the database)')
  })
})

describe('sidecars', () => {
  test('start in order, the next once the one before has started, and run on beside the others', () => {
    const stage = begun(deployed([init('first'), sidecar('proxy'), init('second')]))
    expect(finish(stage, 'first')).toEqual([
      'pull image proxy:1: web.1 needs it (IfNotPresent)',
      ...startOf('proxy'),
      'pull image second:1: web.1 needs it (IfNotPresent)',
      ...startOf('second'),
    ])
    finish(stage, 'second')
    expect(names(stage)).toEqual(['POD', 'app', 'proxy'])
    expect(state(stage)).toMatchObject({ phase: 'Running', ready: true })
  })

  const startupProbe = { exec: { command: ['true'] } }
  const unknown: ContainerProbes = { startup: { result: 'unknown', since: 0, lastAnswer: 'not yet' } }

  test('with a startup probe are waited for until it succeeds', () => {
    const stage = new Stage().apply(deployed([sidecar('proxy', { startupProbe })]))
    stage.probe = () => unknown
    stage.settle()
    expect(names(stage)).toEqual(['POD', 'proxy'])
    expect(state(stage)?.reason).toBe('Init:0/1')
    stage.probe = () => READY
    stage.settle()
    expect(names(stage)).toEqual(['POD', 'app', 'proxy'])
  })

  test('with a postStart hook are waited for until it has ended', () => {
    const lifecycle = { postStart: { exec: { command: ['warm'] } } }
    const stage = begun(deployed([sidecar('proxy', { lifecycle })]))
    const order: string[] = []
    const other = new Stage().apply(deployed([sidecar('proxy', { lifecycle })]))
    other.watch = (step) => void order.push(`${step.op} ${other.readable(step.target).split('/').at(-1)}`)
    other.settle()
    expect(order.indexOf('hook proxy postStart #0')).toBeLessThan(order.indexOf('create app'))
    expect(names(stage)).toEqual(['POD', 'app', 'proxy'])
  })

  test('count for readiness', () => {
    const readinessProbe = { httpGet: { path: '/', port: 1 } }
    const stage = new Stage().apply(deployed([sidecar('proxy', { readinessProbe })]))
    stage.probe = (view) =>
      view.image === 'proxy:1' ? { readiness: { result: 'failure', since: 0, lastAnswer: 'HTTP 503' } } : READY
    stage.settle()
    expect(state(stage)).toMatchObject({ phase: 'Running', ready: false, message: 'proxy: probe says HTTP 503' })
  })

  test('that end start again, whatever they end with and whatever the pod says, and disturb no other', () => {
    const stage = begun(running('Never', [sidecar('proxy')]))
    expect(finish(stage, 'proxy', 0)).toEqual(['create job/proxy: exited with 0', 'start job/proxy: restart 1'])
    expect(names(stage)).toEqual(['POD', 'app', 'proxy'])
  })

  test('that crash once they have started hold up nothing', () => {
    const stage = begun(deployed([sidecar('proxy'), init('second')]))
    finish(stage, 'proxy', 1)
    finish(stage, 'proxy', 1)
    finish(stage, 'second')
    expect(names(stage)).toEqual(['POD', 'app'])
    expect(state(stage)).toMatchObject({ ready: false, reason: 'CrashLoopBackOff' })
  })

  test('are taken over by Docker once they are steady', () => {
    const stage = begun(running('Never', [sidecar('proxy')]))
    stage.run(20_000)
    expect([only(stage, 'proxy').restartPolicy, only(stage, 'app').restartPolicy]).toEqual(['always', 'no'])
  })

  test('of a pod whose other containers have all ended are stopped, in reverse order, and the pod is finished', () => {
    const stage = begun(running('Never', [sidecar('proxy'), sidecar('logs')]))
    expect(finish(stage, 'app')).toEqual([
      'stop job/logs: its containers have ended',
      'stop job/proxy: its containers have ended',
    ])
    expect(state(stage, job)).toMatchObject({ phase: 'Succeeded', reason: 'Completed' })
    expect(state(stage, job)?.initContainers.map(({ state }) => state)).toEqual(['terminated', 'terminated'])
    expect(stage.run(3_600_000)).toEqual([])
  })

  test('decide nothing of how a pod has ended', () => {
    const stage = begun(running('Never', [sidecar('proxy')]))
    stage.end(only(stage, 'proxy'), 1)
    finish(stage, 'app')
    expect(state(stage, job)).toMatchObject({ phase: 'Succeeded' })
  })

  test('of a pod whose init container has failed for good are stopped', () => {
    const stage = begun(running('Never', [sidecar('proxy'), init('second')]))
    expect(finish(stage, 'second', 1)).toEqual(['stop job/proxy: init container second exited with 1'])
    expect(state(stage, job)).toMatchObject({ phase: 'Failed', reason: 'Init:Error' })
  })
})

describe('termination', () => {
  const preStop = { lifecycle: { preStop: { exec: { command: ['drain'] } } } }

  test('all hooks begin at once; sidecars stop last, in reverse order, within the grace that is left', () => {
    const stage = begun(
      deployed([sidecar('proxy', preStop), sidecar('logs')], {
        containers: [app(preStop)],
        spec: { terminationGracePeriodSeconds: 60 },
      }),
    )
    const graces: (readonly [string, number])[] = []
    stage.watch = (step) => {
      if (step.op === 'stop') graces.push([stage.readable(step.target), step.graceSeconds])
    }
    stage.remove(web)
    stage.turn()
    expect(stage.turn()).toEqual(['hook web.1/proxy preStop #0: left Git', 'hook web.1/app preStop #0: left Git'])
    stage.now += 20_000
    expect(stage.turn()).toEqual(['stop web.1/app: left Git'])
    stage.now += 30_000
    expect(stage.turn()).toEqual(['stop web.1/logs: left Git'])
    stage.now += 30_000
    expect(stage.turn()).toEqual(['stop web.1/proxy: left Git'])
    expect(graces).toEqual([
      ['web.1/app', 40],
      ['web.1/logs', 10],
      ['web.1/proxy', 2],
    ])
    stage.settle()
    expect(stage.memory.size).toBe(0)
  })

  test('of a pod that is still in its init containers', () => {
    const stage = begun(deployed([sidecar('proxy'), init('second')]))
    stage.remove(web)
    const steps = stage.settle().filter((step) => step.startsWith('stop'))
    expect(steps).toEqual(['stop web.1/second: left Git', 'stop web.1/proxy: left Git'])
    expect(stage.memory.size).toBe(0)
  })
})

describe('activeDeadlineSeconds', () => {
  const limited = (policy: string, inits: readonly Raw[] = []): Pod => running(policy, inits, { activeDeadlineSeconds: 60 })

  test('stops what still runs, and the pod has failed for good', () => {
    const stage = begun(limited('Always', [sidecar('proxy')]))
    expect(stage.run(59_000).filter((step) => step.startsWith('stop'))).toEqual([])
    expect(ofPods(stage.run(1_000))).toEqual([
      'stop job/app: it was not done within its activeDeadlineSeconds, 60 s',
      'stop job/proxy: it was not done within its activeDeadlineSeconds, 60 s',
    ])
    expect(state(stage, job)).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded', ready: false })
    stage.restart()
    expect(stage.run(3_600_000)).toEqual([])
    expect(state(stage, job)).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' })
  })

  test('that passes is told as an event, once', () => {
    const stage = begun(limited('Always'))
    stage.now += 60_000
    const told = () => stage.plan(job).events.filter(({ reason }) => reason === 'DeadlineExceeded')
    expect(told()).toEqual([
      {
        type: 'Warning',
        reason: 'DeadlineExceeded',
        object: job,
        message: 'Pod job: it was not done within its activeDeadlineSeconds, 60 s',
      },
    ])
    expect(told()).toEqual([])
  })

  test('is met by a pod that is done in time', () => {
    const stage = begun(limited('Never'))
    stage.now += 30_000
    finish(stage, 'app')
    stage.run(3_600_000)
    expect(state(stage, job)).toMatchObject({ phase: 'Succeeded' })
  })

  test('counts the time of init containers and of waiting', () => {
    const stage = begun(limited('OnFailure', [init('first')]))
    stage.run(60_000)
    expect(names(stage)).toEqual(['POD'])
    expect(state(stage, job)).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' })
  })

  test('that passes while a container is being started has the pod fail once that container has been stopped', () => {
    const stage = begun(limited('Always'))
    const [{ uid = '' } = {}] = stage.records()
    stage.end(only(stage, 'app'), 1)
    stage.now += 60_000
    stage.inFlight.add(`pod/${uid}/app`)
    stage.plan(job)
    expect(state(stage, job)).toMatchObject({ phase: 'Running', reason: 'DeadlineExceeded' })
    stage.inFlight.clear()
    stage.plan(job)
    expect(state(stage, job)).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' })
  })

  test('waits until nobody sends to the pod', () => {
    const pod = barePod({ template: { spec: { activeDeadlineSeconds: 60 } } })
    const stage = begun(pod)
    stage.now += 60_000
    stage.node = { ...stage.node, broken: new Map([['route routes', { kind: 'failed', message: 'no' }]]) }
    expect(stage.settle().filter((step) => step.startsWith('stop'))).toEqual([])
    stage.node = { ...stage.node, broken: new Map() }
    expect(stage.run(60_000).filter((step) => step.startsWith('stop'))).toHaveLength(1)
  })
})

test('a pod waits while its node has no container runtime of the name that it asks for', () => {
  const stage = new Stage().apply(deployed([], { spec: { runtimeClassName: 'gvisor' } }))
  const pass = (...runtimes: readonly string[]): WorkloadPass => {
    const input = stage.input(web)
    const nodes = input.nodes.map((node) => ({ ...node, info: { memoryBytes: 0, runtimes } as unknown as EngineInfo }))
    return planWorkload({ ...input, nodes })
  }
  const waiting = pass('crun', 'runc')
  expect(renderPlan(waiting.plan)).toBe('')
  expect(waiting.status?.pods[0]).toMatchObject({
    reason: 'CreateContainerConfigError',
    message: 'node alpha has no container runtime gvisor: it has crun, runc (runtimeClassName)',
  })
  const [sandbox] = pass('gvisor', 'runc').plan.lanes.flatMap(({ steps }) => steps.filter((step) => step.op === 'create'))
  expect(sandbox).toMatchObject({ spec: { runtime: 'gvisor' } })
})

test('a pod on the network of its node has its address, and its template rolls one at a time where it has ports', () => {
  const containers = [app({ ports: [{ containerPort: 80 }] })]
  const stage = new Stage().apply(deployment({ template: { containers, spec: { hostNetwork: true } } }), service())
  stage.settle()
  expect(stage.records().map(({ ip }) => ip)).toEqual(Array.from({ length: 3 }, () => stage.cluster.gateway))
  expect(state(stage)).toMatchObject({ ip: stage.cluster.gateway, hostNetwork: true, ready: true, routed: true })
  expect(stage.passes.get(web)?.status).toMatchObject({ healthy: true, maxSurge: 0, maxUnavailable: 1 })
  expect(stage.run(600_000).filter((step) => !step.startsWith('update'))).toEqual([])
})

describe('the message that a container ends with', () => {
  const asked = (container: Raw, exitCode: number): unknown => {
    const stage = begun(running('Never', [], { containers: [app(container)] }))
    const sources: MessageSource[] = []
    stage.message = (_, source) => {
      sources.push(source)
      return 'disk full'
    }
    finish(stage, 'app', exitCode)
    const [status] = state(stage, job)?.containers ?? []
    return [sources.at(-1), status?.message, status?.lastTermination?.message, state(stage, job)?.message]
  }
  const told = ['disk full', 'disk full', 'app: disk full']

  test('is read where the container says', () =>
    expect(asked({ terminationMessagePath: '/tmp/last' }, 0)).toEqual([{ path: '/tmp/last', fromLog: false }, ...told]))

  test('is the end of the log of one that failed, where that is asked for', () =>
    expect(asked({ terminationMessagePolicy: 'FallbackToLogsOnError' }, 1)).toEqual([
      { path: '/dev/termination-log', fromLog: true },
      ...told,
    ]))

  test('is not asked for where nothing can be read', () => {
    expect(asked({}, 1)).toEqual([undefined, '', '', ''])
    expect(asked({ terminationMessagePolicy: 'FallbackToLogsOnError' }, 0)).toEqual([undefined, '', '', ''])
  })
})
