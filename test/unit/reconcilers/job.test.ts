import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { SANDBOX } from '../../../src/reconcilers/names.ts'
import type { ContainerSpec, Step } from '../../../src/reconcilers/plan.ts'
import { Stage } from '../../support/stage.ts'
import { app, type JobChange, job, namespace, secret } from '../../support/world.ts'

const work = objectKey('Job', namespace, 'work')

function begun(change: JobChange = {}): Stage {
  const stage = new Stage().apply(job(change))
  stage.settle()
  return stage
}

const status = (stage: Stage) => stage.passes.get(work)?.status
const run = (stage: Stage) => stage.memory.get(work)?.job

/** Ends the oldest pods that run, one for each exit code, and settles. */
function end(stage: Stage, ...codes: readonly number[]): void {
  for (const code of codes) {
    const [view] = stage.running()
    if (view === undefined) throw new Error('nothing runs')
    stage.end(view, code)
  }
  stage.settle()
}

/** Seconds until the next pod runs. */
function secondsUntilNext(stage: Stage): number {
  const since = stage.now
  for (let at = stage.nextWake(); at !== undefined && stage.running().length === 0; at = stage.nextWake()) {
    stage.now = at
    stage.settle()
  }
  return (stage.now - since) / 1000
}

describe('a Job of one pod', () => {
  test('runs it once, is healthy when it has succeeded, and keeps what is left of it for its logs', () => {
    const stage = begun()
    expect(status(stage)).toMatchObject({ condition: 'Progressing', healthy: false, message: '0 of 1 succeeded, 1 active' })
    end(stage, 0)
    expect(status(stage)).toMatchObject({ condition: 'Complete', healthy: true, message: '', job: { succeeded: 1, active: 0 } })
    expect(stage.containers().map(({ state }) => state)).toEqual(['exited'])
    expect(stage.sandboxes(), 'an address is no use to it').toEqual([])
    stage.run(86_400_000)
    expect(stage.records()).toHaveLength(1)
    expect(stage.turn()).toEqual([])
  })

  test('its pods carry the labels of Kubernetes', () => {
    const stage = begun()
    expect(status(stage)?.pods[0]?.labels).toEqual({
      app: 'work',
      'batch.kubernetes.io/controller-uid': status(stage)?.uid,
      'batch.kubernetes.io/job-name': 'work',
      'controller-uid': status(stage)?.uid,
      'job-name': 'work',
    })
  })

  test('a pass that changes nothing remembers the same memory', () => {
    const stage = begun()
    end(stage, 0)
    const before = stage.memory.get(work)
    expect(stage.plan(work).memory).toBe(before)
  })

  test('events tell what was decided', () => {
    const stage = new Stage().apply(job())
    expect(stage.plan(work).events.map(({ reason }) => reason)).toEqual(['SuccessfulCreate'])
    stage.settle()
    const [view] = stage.running()
    if (view !== undefined) stage.end(view, 0)
    expect(stage.plan(work).events).toEqual([
      { type: 'Normal', reason: 'Completed', object: work, message: 'Job completed: 1 of 1 succeeded' },
    ])
  })

  test('somebody removes what is left of it: that mends nothing and runs nothing', () => {
    const stage = begun()
    end(stage, 0)
    stage.node = {
      ...stage.node,
      containers: new Map([...stage.node.containers].filter(([, { labels }]) => labels['trireme.owner'] !== work)),
    }
    expect(stage.settle()).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Complete', healthy: true, pods: [{ phase: 'Succeeded' }] })
  })

  test('somebody starts it again: it is stopped, and counts for nothing', () => {
    const stage = begun()
    end(stage, 0)
    const containers = [...stage.node.containers].map(([id, view]) => [id, { ...view, state: 'running' }] as const)
    stage.node = { ...stage.node, containers: new Map(containers) }
    expect(stage.settle()).toEqual(['stop work.1/app: its pod has ended', 'stop work.1/POD: its pod has ended'])
    expect(run(stage)).toMatchObject({ succeeded: 1, failed: 0 })
  })

  test('leaves Git: everything of it goes, ended or not', () => {
    for (const codes of [[], [0]]) {
      const stage = begun()
      end(stage, ...codes)
      stage.remove(work).settle()
      expect(stage.memory.size).toBe(0)
      expect(stage.containers(SANDBOX)).toEqual([])
    }
  })
})

describe('completions and parallelism', () => {
  test('as many at once as parallelism says, until all completions are there', () => {
    const stage = begun({ spec: { completions: 5, parallelism: 2 } })
    const running: number[] = []
    for (let ended = 0; ended < 5; ended++) {
      running.push(stage.running().length)
      end(stage, 0)
    }
    expect(running).toEqual([2, 2, 2, 2, 1])
    expect(status(stage)).toMatchObject({ condition: 'Complete', job: { succeeded: 5, failed: 0 } })
  })

  test('without completions the first success ends the making of pods, and the Job ends with those that run', () => {
    const stage = begun({ spec: { parallelism: 3 } })
    expect(stage.running()).toHaveLength(3)
    end(stage, 0)
    expect(stage.running()).toHaveLength(2)
    expect(status(stage)).toMatchObject({ condition: 'Progressing' })
    end(stage, 1, 0)
    expect(status(stage)).toMatchObject({ condition: 'Complete', job: { succeeded: 2, failed: 1 } })
  })

  test('less parallelism takes pods away, more adds some, and neither counts as a failure', () => {
    const stage = begun({ spec: { completions: 9, parallelism: 4 } })
    stage.apply(job({ spec: { completions: 9, parallelism: 1 } })).settle()
    expect(stage.running()).toHaveLength(1)
    stage.apply(job({ spec: { completions: 9, parallelism: 3 } })).settle()
    expect(stage.running()).toHaveLength(3)
    expect(run(stage)).toMatchObject({ failed: 0 })
  })

  test('no completions are complete at once', () =>
    expect(status(begun({ spec: { completions: 0 } }))).toMatchObject({ condition: 'Complete', healthy: true, pods: [] }))
})

describe('failures', () => {
  test('each is a new pod, after 10 s doubling to 10 minutes, until there are more than backoffLimit', () => {
    const stage = begun({ spec: { backoffLimit: 8 } })
    const waits: number[] = []
    for (let failure = 0; failure < 8; failure++) {
      end(stage, 3)
      waits.push(secondsUntilNext(stage))
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 600, 600])
    end(stage, 3)
    expect(status(stage)).toMatchObject({
      condition: 'Failed',
      healthy: false,
      message: 'BackoffLimitExceeded: 9 pods failed, more than backoffLimit, 8',
      conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }],
    })
    expect(stage.records()).toHaveLength(9)
    stage.run(86_400_000)
    expect(stage.records()).toHaveLength(9)
  })

  test('a success forgets the pace, not the count', () => {
    const stage = begun({ spec: { completions: 3, backoffLimit: 3 } })
    end(stage, 1)
    expect(secondsUntilNext(stage)).toBe(10)
    end(stage, 1)
    expect(secondsUntilNext(stage)).toBe(20)
    end(stage, 0)
    expect(secondsUntilNext(stage)).toBe(0)
    end(stage, 1)
    expect(secondsUntilNext(stage)).toBe(10)
    end(stage, 1)
    expect(status(stage)).toMatchObject({ condition: 'Failed', job: { failed: 4, reason: 'BackoffLimitExceeded' } })
  })

  test('what runs when the Job fails is stopped', () => {
    const stage = begun({ spec: { completions: 4, parallelism: 4, backoffLimit: 0 } })
    end(stage, 1)
    expect(stage.running()).toEqual([])
    expect(status(stage)?.pods.map(({ phase }) => phase)).toEqual(['Failed'])
  })

  test('the message has the last words of the pod that failed last', () => {
    const stage = new Stage().apply(job({ spec: { backoffLimit: 0 } }))
    stage.tail = () => ['no such table: users']
    stage.settle()
    end(stage, 1)
    expect(status(stage)?.message).toMatch(/; pod work-\w+ \(last log line: no such table: users\)$/)
  })

  test('with OnFailure containers start again in their pod, and restarts count', () => {
    const stage = begun({ spec: { backoffLimit: 2 }, template: { spec: { restartPolicy: 'OnFailure' } } })
    end(stage, 1)
    expect(secondsUntilNext(stage)).toBe(0)
    expect(status(stage)).toMatchObject({ condition: 'Progressing' })
    end(stage, 1)
    stage.run(60_000)
    expect(stage.memory.get(work)?.pods).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Failed', job: { reason: 'BackoffLimitExceeded' } })
  })

  test('a pod that is evicted has failed', () => {
    const stage = begun()
    stage.probe = () => ({ storage: { result: 'failure', since: 0, lastAnswer: 'has written too much' } })
    stage.settle()
    expect(run(stage)).toMatchObject({ failed: 1 })
    stage.probe = () => ({})
    expect(secondsUntilNext(stage)).toBe(10)
  })

  test('a pod that somebody takes away has failed; one that is asked to go has not', () => {
    const stage = begun({ spec: { completions: 2, parallelism: 2 } })
    const [sandbox] = stage.sandboxes()
    stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== sandbox?.id)) }
    stage.settle()
    expect(run(stage)).toMatchObject({ failed: 1 })
    stage.run(10_000)
    expect(stage.running()).toHaveLength(2)
  })
})

describe('deadline', () => {
  test('stops the Job, however many retries are left', () => {
    const stage = begun({ spec: { activeDeadlineSeconds: 30 } })
    stage.run(29_000)
    expect(stage.running()).toHaveLength(1)
    stage.run(1_000)
    expect(stage.running()).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Failed', job: { reason: 'DeadlineExceeded', failed: 0 } })
  })

  test('comes without anybody waking the Job', () => {
    const stage = begun({ spec: { activeDeadlineSeconds: 300 } })
    const since = stage.now
    for (let at = stage.nextWake(); at !== undefined && stage.running().length > 0; at = stage.nextWake()) {
      stage.now = at
      stage.settle()
    }
    expect(stage.now - since).toBe(300_000)
  })

  test('comes first when backoffLimit is exceeded at the same time', () => {
    const stage = begun({ spec: { activeDeadlineSeconds: 30, backoffLimit: 0 } })
    stage.now += 30_000
    end(stage, 1)
    expect(run(stage)?.end?.reason).toBe('DeadlineExceeded')
  })

  test('begins anew when a suspended Job resumes', () => {
    const spec = { activeDeadlineSeconds: 30 }
    const stage = begun({ spec })
    stage.run(20_000)
    stage.apply(job({ spec: { ...spec, suspend: true } })).settle()
    stage.run(600_000)
    stage.apply(job({ spec })).settle()
    stage.run(29_000)
    expect(status(stage)).toMatchObject({ condition: 'Progressing' })
    stage.run(1_000)
    expect(run(stage)?.end?.reason).toBe('DeadlineExceeded')
  })
})

describe('suspend', () => {
  test('makes no pods, and nobody waits for it', () =>
    expect(status(begun({ spec: { suspend: true } }))).toMatchObject({ condition: 'Suspended', healthy: true, pods: [] }))

  test('stops what runs, keeps what was done, and is no failure', () => {
    const volumes = [{ name: 'work', emptyDir: {} }]
    const change = { template: { spec: { volumes } } }
    const stage = begun({ ...change, spec: { completions: 3 } })
    end(stage, 0)
    stage.apply(job({ ...change, spec: { completions: 3, suspend: true } })).settle()
    expect(stage.running()).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Suspended', healthy: true, job: { succeeded: 1, failed: 0 } })
    stage.apply(job({ ...change, spec: { completions: 3 } })).settle()
    end(stage, 0)
    end(stage, 0)
    expect(status(stage)).toMatchObject({ condition: 'Complete', job: { succeeded: 3, failed: 0 } })
  })
})

describe('what has ended is remembered', () => {
  const spec = { ttlSecondsAfterFinished: 60 }

  test('when its time to live is over its pods go, and Git does not run it again', () => {
    const stage = begun({ spec })
    end(stage, 0)
    stage.run(59_000)
    expect(stage.records()).toHaveLength(1)
    stage.run(1_000)
    expect(stage.records()).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Complete', healthy: true })
    stage.apply(job({ spec: { ...spec, backoffLimit: 3 } })).run(86_400_000)
    expect(stage.records(), 'another limit is no other run').toEqual([])
  })

  test('its pods go without anybody waking the Job', () => {
    const stage = begun({ spec })
    end(stage, 0)
    expect(stage.nextWake()).toBe(stage.now + 60_000)
  })

  test('a time to live of 0 is over at once', () => {
    const stage = begun({ spec: { ttlSecondsAfterFinished: 0 } })
    end(stage, 0)
    expect(stage.records()).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Complete' })
  })

  test.each([
    ['that ended well', [0]],
    ['that failed', [1]],
    ['that runs', []],
  ])('another template runs a Job anew %s, once nothing of the other runs', (_name, codes) => {
    const stage = begun({ spec: { backoffLimit: 0 } })
    end(stage, ...codes)
    const other = job({ spec: { backoffLimit: 0 }, template: { containers: [app({ image: 'web:2' })] } })
    const most: number[] = []
    stage.watch = (step: Step) => {
      if (step.op === 'start') most.push(stage.running().length)
    }
    stage.apply(other).settle()
    expect(Math.max(...most), 'never two templates beside each other').toBe(0)
    expect(stage.running().map(({ image }) => image)).toEqual(['web:2'])
    expect(stage.records()).toHaveLength(1)
    end(stage, 0)
    expect(status(stage)).toMatchObject({ condition: 'Complete', job: { succeeded: 1, failed: 0 } })
  })

  test('another template waits for the pod of the one before to be gone', () => {
    const stage = begun()
    stage.apply(job({ template: { containers: [app({ image: 'web:2' })] } })).plan(work)
    expect(stage.records()).toMatchObject([{ deletion: { cause: 'replaced by another template' } }])
  })

  test('a lost store: pods that ended count as what they are, and nothing runs again', () => {
    const stage = begun({ spec: { completions: 2 } })
    end(stage, 0)
    stage.memory.clear()
    stage.restart().settle()
    expect(run(stage)).toMatchObject({ succeeded: 1 })
    expect(stage.running()).toHaveLength(1)
    end(stage, 0)
    stage.memory.clear()
    expect(stage.restart().settle()).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Complete', job: { succeeded: 2 } })
  })

  test.each(['Never', 'OnFailure'])(
    'a lost store: a run that went well was judged failed where a later start of its container had failed (%s)',
    (restartPolicy) => {
      const stage = begun({ spec: { backoffLimit: 0 }, template: { spec: { restartPolicy } } })
      end(stage, 0)
      // As Docker leaves it: 0 becomes 128, and its times stay.
      const error = 'cannot join network of a non running container: 0'
      const [view] = stage.containers()
      const overwritten = { ...view!, exitCode: 128, error }
      stage.node = { ...stage.node, containers: new Map([...stage.node.containers, [overwritten.id, overwritten]]) }
      stage.memory.clear()
      expect(stage.restart().settle()).toEqual([])
      expect(status(stage)).toMatchObject({ condition: 'Complete', job: { succeeded: 1, failed: 0 } })
    },
  )

  test('a run that went well was judged failed where its sandbox ended with the engine before that was counted', () => {
    const stage = begun({ spec: { backoffLimit: 0 } })
    for (const name of ['app', SANDBOX]) for (const view of stage.running(name)) stage.end(view, name === 'app' ? 0 : 255)
    stage.settle()
    expect(status(stage)).toMatchObject({ condition: 'Complete', job: { succeeded: 1, failed: 0 } })
  })

  test('a lost store: what its pods say is told no more, for what their secrets were is not known', () => {
    const env = [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }]
    const target = job({ spec: { backoffLimit: 0 }, template: { containers: [app({ env })] } })
    const stage = new Stage().apply(target, secret('keys', { token: 'old' }))
    stage.tail = () => ['the token is old']
    stage.settle()
    end(stage, 1)
    expect(JSON.stringify(status(stage))).toContain('the token is old')
    stage.memory.clear()
    stage
      .apply(secret('keys', { token: 'new' }))
      .restart()
      .settle()
    expect(status(stage)).toMatchObject({ condition: 'Failed' })
    expect(JSON.stringify(status(stage))).not.toContain('the token is old')
  })

  test('a clock that was set back keeps nobody waiting', () => {
    const stage = begun({ spec: { backoffLimit: 3 } })
    stage.now += 365 * 86_400_000
    end(stage, 1)
    stage.now -= 365 * 86_400_000
    stage.settle()
    expect(secondsUntilNext(stage)).toBeLessThanOrEqual(10)
  })
})

describe('an Indexed Job', () => {
  const spec = { completionMode: 'Indexed', completions: 3, parallelism: 2 }

  test('has a pod for each index, which is told its index', () => {
    const stage = new Stage().apply(job({ spec }))
    const made: ContainerSpec[] = []
    stage.watch = (step: Step) => {
      if (step.op === 'create' && step.spec.name.includes('work')) made.push(step.spec)
    }
    stage.settle()
    const pods = () => status(stage)?.pods ?? []
    expect(pods().map(({ name }) => name.replace(/-\w{5}$/, ''))).toEqual(['work-0', 'work-1'])
    expect(pods().map(({ labels }) => labels['batch.kubernetes.io/job-completion-index'])).toEqual(['0', '1'])
    expect(made.flatMap(({ hostname }) => hostname ?? [])).toEqual(['work-0', 'work-1'])
    expect(made.flatMap(({ env }) => env)).toEqual(['0', '1'].map((value) => ({ name: 'JOB_COMPLETION_INDEX', value })))
    end(stage, 0, 0)
    expect(pods().map(({ name }) => name.replace(/-\w{5}$/, ''))).toEqual(['work-0', 'work-1', 'work-2'])
    end(stage, 0)
    expect(status(stage)).toMatchObject({ condition: 'Complete', job: { succeeded: 3, succeededIndexes: '0-2' } })
  })

  test('an index that failed is tried again', () => {
    const stage = begun({ spec })
    end(stage, 1)
    stage.run(10_000)
    const indexes = stage
      .records()
      .filter(({ outcome }) => outcome === undefined)
      .map(({ index }) => index)
    expect(indexes.sort()).toEqual([0, 1])
  })

  test('a limit for each index fails that index, and the others go on', () => {
    const stage = begun({ spec: { ...spec, parallelism: 1, backoffLimitPerIndex: 1 } })
    end(stage, 1)
    expect(stage.running(), 'the next index waits for nobody').toHaveLength(1)
    end(stage, 0)
    end(stage, 0)
    expect(secondsUntilNext(stage)).toBe(10)
    end(stage, 1)
    expect(status(stage)).toMatchObject({
      condition: 'Failed',
      message: 'FailedIndexes: indexes failed: 0',
      job: { succeededIndexes: '1-2', failedIndexes: '0' },
    })
  })

  test('more failed indexes than allowed fail the Job', () => {
    const stage = begun({ spec: { ...spec, backoffLimitPerIndex: 0, maxFailedIndexes: 1 } })
    end(stage, 1, 1)
    expect(run(stage)?.end?.reason).toBe('MaxFailedIndexesExceeded')
    expect(stage.running()).toEqual([])
  })

  test('a success policy ends it early', () => {
    const stage = begun({ spec: { ...spec, successPolicy: { rules: [{ succeededIndexes: '1', succeededCount: 1 }] } } })
    const second = stage.running()[1]
    if (second !== undefined) stage.end(second, 0)
    stage.settle()
    expect(status(stage)).toMatchObject({ condition: 'Complete', job: { reason: 'SuccessPolicy', succeeded: 1 } })
    expect(stage.running()).toEqual([])
  })
})

describe('podFailurePolicy', () => {
  const policy = (...rules: readonly object[]) => ({ backoffLimit: 1, podFailurePolicy: { rules } })
  const codes = (operator: string, ...values: readonly number[]) => ({ onExitCodes: { operator, values } })

  test.each([
    [
      'FailJob by exit code',
      policy({ action: 'FailJob', ...codes('In', 42) }),
      42,
      { end: { reason: 'PodFailurePolicy' }, failed: 1 },
    ],
    ['Ignore', policy({ action: 'Ignore', ...codes('In', 42) }), 42, { end: null, failed: 0 }],
    [
      'Count',
      policy({ action: 'Count', ...codes('In', 42) }, { action: 'FailJob', ...codes('In', 42) }),
      42,
      { end: null, failed: 1 },
    ],
    ['NotIn', policy({ action: 'FailJob', ...codes('NotIn', 1) }), 1, { end: null, failed: 1 }],
    ['no rule', policy({ action: 'FailJob', ...codes('In', 42) }), 1, { end: null, failed: 1 }],
  ])('%s', (_name, spec, code, expected) => {
    const stage = begun({ spec })
    end(stage, code)
    expect(run(stage)).toMatchObject(expected)
  })

  test('Ignore still waits before the next pod', () => {
    const stage = begun({ spec: policy({ action: 'Ignore', ...codes('In', 42) }) })
    end(stage, 42)
    expect(secondsUntilNext(stage)).toBe(10)
  })

  test('DisruptionTarget is what happened around the pod', () => {
    const stage = begun({ spec: policy({ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }) })
    const [sandbox] = stage.sandboxes()
    stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== sandbox?.id)) }
    stage.settle()
    expect(run(stage)).toMatchObject({ failed: 0, setbacks: { count: 1 } })
  })

  test('FailIndex spares the index its retries', () => {
    const rule = { action: 'FailIndex', ...codes('In', 42) }
    const spec = { completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 5, podFailurePolicy: { rules: [rule] } }
    const stage = begun({ spec })
    end(stage, 42)
    expect(run(stage)).toMatchObject({ failedIndexes: '0', end: null })
    end(stage, 0)
    expect(run(stage)?.end?.reason).toBe('FailedIndexes')
  })

  test('a pod is replaced only once the one before has ended', () => {
    const spec = { ...policy({ action: 'Count', ...codes('In', 42) }), completions: 9 }
    const stage = begun({ spec })
    stage.apply(job({ spec: { ...spec, suspend: true } })).plan(work)
    stage.apply(job({ spec }))
    stage.plan(work)
    expect(stage.records(), 'the one that is on its way out').toHaveLength(1)
    stage.settle()
    expect(stage.running()).toHaveLength(1)
  })
})
