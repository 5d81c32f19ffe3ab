import { expect, test } from 'vitest'
import type { PodCondition } from '../../../src/api/conditions.ts'
import type { Running } from '../../../src/controller/assemble.ts'
import { takeCondition } from '../../../src/controller/conditions.ts'
import type { ObjectKey } from '../../../src/model/types/meta.ts'
import type { WorkloadMemory } from '../../../src/reconcilers/memory.ts'
import { StoreError } from '../../../src/store/error.ts'
import type { Store } from '../../../src/store/store.ts'
import { Stage } from '../../support/stage.ts'
import { deployment } from '../../support/world.ts'

const TYPE = 'example.com/warm'
const web = 'Deployment/shop/web'

/** A daemon that holds its routers, or not, with one pod, and what it has remembered and looks at again. */
function daemon({ sure = true, full = false } = {}) {
  const template = { spec: { readinessGates: [{ conditionType: TYPE }] } }
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 }, template }))
  stage.settle()
  const due: ObjectKey[] = []
  const store = {
    workloads: () => stage.memory,
    setWorkload(key: ObjectKey, memory: WorkloadMemory) {
      if (full) throw new StoreError('full', 'no space left')
      stage.memory.set(key, memory)
    },
  } as unknown as Store
  const running = {
    nodes: [{ sure: () => sure, view: () => ({ router: { connected: true } }) }],
    loop: { queue: { add: (key: ObjectKey) => due.push(key) } },
  } as unknown as Running
  const name = stage.records()[0]!.name
  const say = (change: Partial<PodCondition> = {}): void =>
    takeCondition(running, store, { pod: `shop/${name}`, type: TYPE, status: 'True', ...change })
  return { say, due, store, name, gates: () => stage.records()[0]?.gates }
}

test('what is said is remembered with the pod, and its workload is due', () => {
  const { say, due, gates } = daemon()
  say()
  say({ status: 'False' })
  expect(gates()).toEqual({ [TYPE]: 'False' })
  expect(due).toEqual([web, web])
})

test('what is said again costs no write and no pass: whoever opens a gate may say so every second', () => {
  const { say, due, store } = daemon()
  say()
  const before = store.workloads().get(web)
  say()
  expect(store.workloads().get(web)).toBe(before)
  expect(due).toEqual([web])
})

test('what no pod waits for is not taken', () => {
  const { say, due, name } = daemon()
  expect(() => say({ pod: 'shop/other' })).toThrow('there is no pod shop/other')
  expect(() => say({ pod: `other/${name}` })).toThrow(`there is no pod other/${name}`)
  expect(() => say({ type: 'other' })).toThrow(`pod shop/${name} has no such readiness gate: it has ${TYPE}`)
  expect(due).toEqual([])
})

test.each([
  ['that holds no router', { sure: false }, 'the daemon does not hold its routers'],
  ['whose disk is full', { full: true }, 'it cannot be remembered: no space left'],
])('a daemon %s takes nothing', (_, trouble, message) => {
  const { say, due } = daemon(trouble)
  expect(() => say()).toThrow(message)
  expect(due).toEqual([])
})

test('a daemon that has not found its engine takes nothing', () => {
  expect(() => takeCondition(undefined, daemon().store, { pod: 'a/b', type: TYPE, status: 'True' })).toThrow('try again')
})
