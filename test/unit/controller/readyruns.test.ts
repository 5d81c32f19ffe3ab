import { expect, test } from 'vitest'
import { readyRuns } from '../../../src/controller/readyruns.ts'
import type { WorkloadMemory } from '../../../src/reconcilers/memory.ts'
import type { ObservedPod } from '../../../src/reconcilers/observed.ts'
import type { ContainerView } from '../../../src/runtime/engine.ts'

const WEB = 'Deployment/shop/web'

function memory(readySince: number): ReadonlyMap<string, WorkloadMemory> {
  return new Map([[WEB, { pods: [{ uid: 'u', readySince }] } as unknown as WorkloadMemory]])
}

function node(...views: readonly Partial<ContainerView>[]) {
  const runs = views.map((view, index) => ({ id: `c${index}`, state: 'running', startedAt: 100, ...view }) as ContainerView)
  const pod = { uid: 'u', containers: new Map([['app', runs]]) } as unknown as ObservedPod
  return { owners: () => [WEB], podsOf: () => [pod] }
}

test('running containers of pods that were ready, and of no others', () => {
  expect(readyRuns(memory(200), [node({}, { state: 'exited' })])).toEqual(['c0'])
  expect(readyRuns(memory(0), [node({})])).toEqual([])
})

test('a container that Docker started anew while no daemon ran was taken to be ready, and started', () => {
  expect(readyRuns(memory(200), [node({ startedAt: 201 })])).toEqual([])
})

test('pods of a lost store are taken over as they are found', () => {
  expect(readyRuns(new Map(), [node({ startedAt: 201 })])).toEqual(['c0'])
})
