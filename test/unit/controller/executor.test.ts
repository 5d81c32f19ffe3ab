import { expect, test } from 'vitest'
import { createExecutor, workLimit } from '../../../src/controller/executor.ts'
import { createFailures } from '../../../src/controller/failures.ts'
import type { Lane, Step } from '../../../src/reconcilers/plan.ts'

const KEY = 'Deployment/shop/web'

function lane(id: string, step: Partial<Step> = { op: 'start', container: id }): Lane {
  return { id, steps: [{ node: 'alpha', target: id, cause: 'test', ...step } as Step] }
}

function startExecutor(cpus = 2) {
  const finish = new Map<string, () => void>()
  const started: string[] = []
  const due: string[] = []
  const executor = createExecutor({
    cpus: () => cpus,
    failures: createFailures((text) => text),
    now: () => 0,
    run: (_, step) => new Promise((resolve) => finish.set(step.target, resolve)),
    started: (_, step) => started.push(step.target),
    ended: () => {},
    later: (key) => void due.push(key),
  })
  return { executor, started, due, finish: (target: string) => finish.get(target)?.() }
}

const lanes = (count: number): Lane[] => Array.from({ length: count }, (_, index) => lane(`pod-${index}`))

test.each([
  ['unknown', 0, 4],
  ['few', 2, 4],
  ['some', 6, 12],
  ['many', 64, 16],
])('%s processors make so many containers at once', (_, cpus, want) => expect(workLimit(cpus)).toBe(want))

test('no more steps run at once than the node can do', async () => {
  const { executor, started, finish } = startExecutor()
  executor.submit({ key: KEY, lanes: lanes(6) })
  expect(started).toEqual(['pod-0', 'pod-1', 'pod-2', 'pod-3'])
  finish('pod-1')
  await expect.poll(() => started.length).toBe(5)
  expect(started[4]).toBe('pod-4')
})

test('stops and routes go ahead of containers that wait for their turn', () => {
  const { executor, started } = startExecutor()
  executor.submit({ key: KEY, lanes: lanes(6) })
  executor.submit({ key: 'Node//alpha', lanes: [lane('routes', { op: 'route' })] })
  executor.submit({ key: 'Deployment/shop/api', lanes: [lane('old', { op: 'stop', container: 'old', graceSeconds: 1 })] })
  expect(started.slice(4)).toEqual(['routes', 'old'])
})

test('one thing at a time is cleared away while containers are made, and several otherwise', async () => {
  const { executor, started, finish } = startExecutor()
  const removals = [1, 2, 3].map((index) => lane(`old-${index}`, { op: 'remove', container: `old-${index}` }))
  executor.submit({ key: KEY, lanes: [...lanes(1), ...removals] })
  expect(started).toEqual(['pod-0', 'old-1'])
  finish('pod-0')
  await expect.poll(() => started).toEqual(['pod-0', 'old-1', 'old-2', 'old-3'])
})

test('a step that has not started is dropped in favour of a newer plan', async () => {
  const { executor, started, finish } = startExecutor()
  executor.submit({ key: KEY, lanes: lanes(5) })
  executor.submit({ key: KEY, lanes: [] })
  finish('pod-0')
  await expect.poll(() => executor.inFlight.size).toBe(3)
  expect(started).not.toContain('pod-4')
})

test('whoever wanted an image that is being pulled for another is due when it is there: a rollout stood still for ever', async () => {
  const { executor, started, due, finish } = startExecutor()
  const pull = lane('image/web:2', { op: 'pull' })
  executor.submit({ key: KEY, lanes: [pull] })
  executor.submit({ key: 'Deployment/shop/api', lanes: [pull] })
  expect(started).toEqual(['image/web:2'])
  finish('image/web:2')
  await expect.poll(() => due).toEqual(['Deployment/shop/api'])
})

/** An executor whose steps end as they are told to, and what it tells of them. */
function startRecorded() {
  const failures = createFailures((text) => text)
  const told: string[] = []
  const runs: { readonly target: string; readonly end: (error?: Error) => Promise<void> }[] = []
  let now = 0
  const executor = createExecutor({
    cpus: () => 2,
    failures,
    now: () => now,
    run: (_, { target }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const end = async (error?: Error): Promise<void> => {
        error === undefined ? resolve() : reject(error)
        await promise.catch(() => {})
        await new Promise((settled) => setImmediate(settled))
      }
      runs.push({ target, end })
      return promise
    },
    started: (_, { target }) => void told.push(`started ${target}`),
    ended: ({ key, error }) => void told.push(`${key} ended ${error === undefined ? 'well' : 'badly'}`),
    later: (key, at) => void told.push(`${key} at ${at}`),
  })
  const wait = (ms: number): void => {
    now += ms
  }
  return { executor, failures, told, runs, wait }
}

test('a step that failed is told, held back, and tried again in its time, when it is forgotten once it ends well', async () => {
  const { executor, failures, told, runs, wait } = startRecorded()
  const plan = { key: KEY, lanes: [lane('pod')] }
  executor.submit(plan)
  await runs[0]?.end(new Error('no'))
  expect([executor.inFlight.size, failures.all.size]).toEqual([0, 1])
  executor.submit(plan)
  wait(1_000)
  executor.submit(plan)
  await runs[1]?.end()
  expect(told).toEqual(['started pod', `${KEY} ended badly`, `${KEY} at 1000`, 'started pod', `${KEY} ended well`])
  expect(failures.all.size).toBe(0)
})

test('after the stop nothing is started that waited or comes, and nobody is told of what ends', async () => {
  const { executor, told, runs } = startRecorded()
  executor.submit({ key: KEY, lanes: lanes(6) })
  executor.stop()
  executor.submit({ key: 'Deployment/shop/api', lanes: [lane('late')] })
  const idle = executor.idle()
  for (const { end } of [...runs]) await end()
  await idle
  expect(told).toEqual(['pod-0', 'pod-1', 'pod-2', 'pod-3'].map((target) => `started ${target}`))
})
