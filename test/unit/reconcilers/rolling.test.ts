import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { NOT_READY, READY, Stage } from '../../support/stage.ts'
import { app, deployment, namespace, service } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')
const probe = { httpGet: { path: '/', port: 8080 } }

/** `web` with the image `web:<version>`; `bad` versions never get ready. */
function version(image: string, spec = {}): ReturnType<typeof deployment> {
  return deployment({ spec, template: { containers: [app({ image, readinessProbe: probe })] } })
}

function rolling(maxSurge: number | string, maxUnavailable: number | string, more = {}): Readonly<Record<string, unknown>> {
  return { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }, ...more }
}

function begun(spec = {}): Stage {
  const stage = new Stage().apply(version('web:1', spec), service())
  stage.probe = ({ image }) => (image.startsWith('bad') ? NOT_READY : READY)
  stage.run(60_000)
  return stage
}

/** `web:1 web:1 web:2`, of running app containers. */
const images = (stage: Stage): string =>
  stage
    .running()
    .map(({ image }) => image)
    .sort()
    .join(' ')
const status = (stage: Stage) => stage.passes.get(web)?.status
const sets = (stage: Stage) =>
  stage.memory
    .get(web)
    ?.sets.map(({ revision, replicas }) => `${revision}=${replicas}`)
    .join(' ')

/** Turns until all is done; the most pods there were (not leaving) and the fewest available. */
function extremes(stage: Stage): { most: number; fewest: number } {
  let [most, fewest] = [0, Number.POSITIVE_INFINITY]
  for (let turn = 0; turn < 300; turn++) {
    const done = stage.turn()
    const pods = stage.records().filter(({ deletion }) => deletion === undefined)
    most = Math.max(most, pods.length)
    fewest = Math.min(fewest, status(stage)?.available ?? 0)
    if (done.length === 0 && status(stage)?.healthy) return { most, fewest }
  }
  throw new Error(`not done: ${JSON.stringify(status(stage))}`)
}

test('the status names the revision that asked for the template last: after a revert the reverting one', () => {
  const stage = begun()
  const seen = [status(stage)?.revision]
  for (const [revision, image] of [
    ['r2', 'web:2'],
    ['r3', 'web:1'],
  ] as const) {
    stage.revision = revision
    stage.apply(version(image)).run(60_000)
    seen.push(status(stage)?.revision)
  }
  expect(seen).toEqual(['r1', 'r2', 'r3'])
})

describe('a rolling update keeps within its bounds', () => {
  for (const { surge, unavailable, most, fewest } of [
    { surge: 1, unavailable: 0, most: 5, fewest: 4 },
    { surge: 0, unavailable: 1, most: 4, fewest: 3 },
    { surge: 2, unavailable: 1, most: 6, fewest: 3 },
    { surge: '25%', unavailable: '25%', most: 5, fewest: 3 },
    { surge: '100%', unavailable: 0, most: 8, fewest: 4 },
    { surge: 0, unavailable: '100%', most: 4, fewest: 0 },
    { surge: 0, unavailable: 0, most: 4, fewest: 3 },
  ])
    test(`surge ${surge}, unavailable ${unavailable}`, () => {
      const stage = begun(rolling(surge, unavailable, { replicas: 4 }))
      stage.apply(version('web:2', rolling(surge, unavailable, { replicas: 4 })))
      expect(extremes(stage)).toEqual({ most, fewest })
      expect(images(stage)).toBe('web:2 web:2 web:2 web:2')
      expect(sets(stage)).toBe('1=0 2=4')
      expect(stage.memory.get(web)?.rollout).toMatchObject({ result: 'complete' })
    })

  test('one pod at a time, each step in its order', () => {
    const stage = begun(rolling(1, 0, { replicas: 1 }))
    stage.apply(version('web:2', rolling(1, 0, { replicas: 1 })))
    expect(stage.settle()).toEqual([
      'pull image web:2: web.2 needs it (IfNotPresent)',
      'create web.2/POD: revision 2',
      'start web.2/POD: revision 2',
      'create web.2/app: revision 2',
      'start web.2/app: revision 2',
      'route routes: add web.2',
      'route routes: take out web.1',
      'stop web.1/app: replaced by revision 2',
      'remove web.1/app: replaced by revision 2',
      'remove web.1/POD: replaced by revision 2',
    ])
  })
})

test('Recreate: all old pods are gone before the first new one comes', () => {
  const spec = { strategy: { type: 'Recreate' } }
  const stage = begun(spec)
  stage.apply(version('web:2', spec))
  const steps = stage.settle()
  const lastRemoved = steps.findLastIndex((line) => line.startsWith('remove'))
  const firstMade = steps.findIndex((line) => line.startsWith('create'))
  expect(lastRemoved).toBeLessThan(firstMade)
  expect(images(stage)).toBe('web:2 web:2 web:2')
})

describe('paused', () => {
  test('a changed template waits until it is resumed, and scaling goes on with the old one', () => {
    const stage = begun()
    stage.apply(version('web:2', { paused: true, replicas: 4 })).run(3_600_000)
    expect(images(stage)).toBe('web:1 web:1 web:1 web:1')
    expect(sets(stage)).toBe('1=4')
    expect(status(stage)).toMatchObject({ condition: 'Paused', healthy: false, updated: 0 })
    stage.apply(version('web:2', { replicas: 4 })).settle()
    expect(images(stage)).toBe('web:2 web:2 web:2 web:2')
    expect(stage.memory.get(web)?.rollout?.result).toBe('complete')
  })

  test('from the start makes nothing', () => {
    const stage = new Stage().apply(version('web:1', { paused: true }))
    stage.run(60_000)
    expect(stage.records()).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Paused' })
    stage.apply(version('web:1')).settle()
    expect(status(stage)).toMatchObject({ healthy: true, ready: 3 })
  })

  test('from zero it scales the template it had', () => {
    const stage = begun()
    stage.apply(version('web:1', { replicas: 0 })).settle()
    stage.apply(version('web:2', { replicas: 2, paused: true })).settle()
    expect(images(stage)).toBe('web:1 web:1')
  })

  test('half way a rollout stands still and is not timed', () => {
    const stage = begun(rolling(1, 0))
    stage.apply(version('bad:1', rolling(1, 0))).settle()
    stage.apply(version('bad:1', rolling(1, 0, { paused: true }))).run(3_600_000)
    expect(images(stage)).toBe('bad:1 web:1 web:1 web:1')
    expect(stage.memory.get(web)?.rollout?.result).toBe('running')
    stage.apply(version('bad:1', rolling(1, 0))).run(599_000)
    expect(stage.memory.get(web)?.rollout?.result).toBe('running')
    stage.run(2_000)
    expect(stage.memory.get(web)?.rollout?.result).toBe('deadlineExceeded')
  })
})

describe('a rollout that fails', () => {
  test('stops at its gate: the old pods are not touched, and the deadline is told', () => {
    const stage = begun()
    const old = stage.running().map(({ id }) => id)
    stage.apply(version('bad:1')).run(599_000)
    expect(status(stage)).toMatchObject({ condition: 'Progressing', available: 3 })
    stage.run(2_000)
    expect(images(stage)).toBe('bad:1 web:1 web:1 web:1')
    expect(stage.running().map(({ id }) => id)).toEqual(expect.arrayContaining(old))
    expect(status(stage)).toMatchObject({
      condition: 'Failed',
      message: expect.stringMatching(/^no progress for 600 s: pod .*: app: probe says HTTP 503/),
      conditions: [
        { type: 'Available', status: 'True' },
        { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' },
      ],
    })
  })

  test('an old pod that dies behind the gate comes back with the old template', () => {
    const stage = begun()
    stage.apply(version('bad:1')).settle()
    const [sandbox] = stage.sandboxes()
    stage.node = { ...stage.node, containers: new Map([...stage.node.containers].filter(([id]) => id !== sandbox?.id)) }
    stage.run(60_000)
    expect(images(stage)).toBe('bad:1 web:1 web:1 web:1')
    expect(status(stage)).toMatchObject({ available: 3 })
  })

  test('is superseded by the next commit at once', () => {
    const stage = begun()
    stage.apply(version('bad:1')).run(700_000)
    stage.apply(version('web:3')).settle()
    expect(images(stage)).toBe('web:3 web:3 web:3')
    expect(sets(stage)).toBe('1=0 2=0 3=3')
  })

  test('is undone by a revert, which reuses the old set and its pods', () => {
    const stage = begun()
    const old = stage.running().map(({ id }) => id)
    stage.apply(version('bad:1')).run(700_000)
    stage.apply(version('web:1')).settle()
    expect(stage.running().map(({ id }) => id)).toEqual(old)
    expect(sets(stage)).toBe('2=0 3=3')
    expect(status(stage)).toMatchObject({ healthy: true, condition: 'Available' })
  })

  test('each step forward begins the deadline anew', () => {
    const stage = begun(rolling(1, 0))
    stage.probe = () => READY
    stage.apply(version('slow:2', rolling(1, 0)))
    let slow = true
    stage.probe = ({ image, startedAt }, now) => (image !== 'slow:2' || !slow || now - startedAt >= 500_000 ? READY : NOT_READY)
    for (let step = 0; step < 3; step++) {
      stage.settle()
      expect(stage.memory.get(web)?.rollout?.result).toBe('running')
      stage.now += 500_000
    }
    slow = false
    stage.settle()
    expect(stage.memory.get(web)?.rollout?.result).toBe('complete')
  })
})

test('minReadySeconds: a pod counts only after it has been ready that long', () => {
  const spec = rolling(1, 0, { replicas: 2, minReadySeconds: 30 })
  const stage = begun(spec)
  stage.apply(version('web:2', spec)).settle()
  expect(images(stage)).toBe('web:1 web:1 web:2')
  expect(stage.nextWake()).toBeLessThanOrEqual(stage.now + 30_000)
  stage.run(29_999)
  expect(images(stage)).toBe('web:1 web:1 web:2')
  stage.run(1)
  expect(images(stage)).toBe('web:1 web:2 web:2')
})

describe('scaling while rolling', () => {
  test('shares the change in proportion', () => {
    const stage = begun(rolling(3, 2, { replicas: 10 }))
    stage.apply(version('bad:1', rolling(3, 2, { replicas: 10 }))).settle()
    expect(sets(stage)).toBe('1=8 2=5')
    stage.apply(version('bad:1', rolling(3, 2, { replicas: 15 }))).plan(web)
    expect(sets(stage)).toBe('1=11 2=7')
  })
})

test('history keeps as many empty sets as it is told', () => {
  const stage = begun()
  for (const image of ['web:2', 'web:3', 'web:4', 'web:5']) stage.apply(version(image, { revisionHistoryLimit: 2 })).settle()
  stage.plan(web)
  expect(sets(stage)).toBe('3=0 4=0 5=3')
})

test('pods of a set that history does not keep are stopped before they are removed', () => {
  const stage = begun({ replicas: 1, revisionHistoryLimit: 0 })
  const steps = stage.apply(version('web:2', { replicas: 1, revisionHistoryLimit: 0 })).settle()
  expect(steps.filter((line) => /^(stop|remove) web.1\/app/.test(line))).toEqual([
    'stop web.1/app: replaced by revision 2',
    'remove web.1/app: replaced by revision 2',
  ])
  expect(sets(stage)).toBe('2=1')
})

test('a commit that changes nothing rendered changes nothing running', () => {
  const stage = begun()
  stage.revision = 'r2'
  stage.apply(version('web:1'))
  expect(stage.turn()).toEqual([])
  expect(sets(stage)).toBe('1=3')
})

test('a template with a host port stops before it starts, whatever its bounds say', () => {
  const held = (image: string) =>
    deployment({
      spec: { replicas: 1 },
      template: { containers: [app({ image, ports: [{ containerPort: 80, hostPort: 80 }] })] },
    })
  const stage = new Stage().apply(held('web:1'))
  stage.run(60_000)
  stage.apply(held('web:2'))
  expect(extremes(stage).most).toBe(1)
  expect(images(stage)).toBe('web:2')
})
