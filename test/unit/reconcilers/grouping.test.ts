import { expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { groupPods, volumesByPod } from '../../../src/reconcilers/grouping.ts'
import { LABEL, SANDBOX } from '../../../src/reconcilers/names.ts'
import { Stage } from '../../support/stage.ts'
import { deployment, namespace } from '../../support/world.ts'

const web = objectKey('Deployment', namespace, 'web')

function settled(): Stage {
  const stage = new Stage().apply(deployment({ spec: { replicas: 1 } }))
  stage.settle()
  return stage
}

test('a pod is its sandbox and its containers, attempts ascending', () => {
  const stage = settled()
  for (const view of stage.running()) stage.end(view, 1)
  stage.settle()
  const [pod] = groupPods([...stage.node.containers.values()].reverse(), 'alpha').get(web) ?? []
  expect(pod).toMatchObject({ owner: web, node: 'alpha', namespace: 'shop', sandbox: { state: 'running' } })
  expect(pod?.containers.get('app')?.map(({ labels }) => labels[LABEL.attempt])).toEqual(['0', '1'])
  expect(pod?.containers.has(SANDBOX)).toBe(false)
})

test('what lacks the labels of a pod is no pod, and other owners are apart', () => {
  const stage = settled()
  const views = [...stage.node.containers.values()]
  const groups = groupPods(
    [...views, ...views.map((view) => ({ ...view, labels: { ...view.labels, [LABEL.owner]: 'Pod/shop/x' } }))],
    'alpha',
  )
  expect([...groups.keys()].sort()).toEqual([web, 'Pod/shop/x'])
  expect(groups.get(web)).toHaveLength(1)
  expect(
    groupPods(
      views.map((view) => ({ ...view, labels: {} })),
      'alpha',
    ).size,
  ).toBe(0)
})

test('of two that claim one attempt the one with its own name counts', () => {
  const stage = settled()
  const [view] = stage.running()
  const copy = { ...view, id: 'f'.repeat(64), name: 'copy', createdAt: stage.now + 1000 } as NonNullable<typeof view>
  const [pod] = groupPods([copy, ...stage.node.containers.values()], 'alpha').get(web) ?? []
  expect(pod?.containers.get('app')?.map(({ name }) => name)).toEqual(['copy', view?.name])
})

test('a copy under the name of a container that was renamed does not take its place: it does not share the network of the pod', () => {
  const stage = settled()
  const [view] = stage.running()
  if (view === undefined) throw new Error('nothing runs')
  const copy = { ...view, id: 'f'.repeat(64), networkMode: 'none' }
  const renamed = { ...view, name: 'renamed' }
  const others = [...stage.node.containers.values()].filter(({ id }) => id !== view.id)
  const [pod] = groupPods([copy, renamed, ...others], 'alpha').get(web) ?? []
  expect(pod?.containers.get('app')).toEqual([renamed])
  expect(pod?.containers.get(SANDBOX)).toEqual([copy])
})

test('volumes are found by their pod, sorted', () => {
  const volume = (name: string, uid?: string) => ({
    name,
    driver: 'local',
    labels: uid === undefined ? {} : { [LABEL.podUid]: uid },
    mountpoint: '',
  })
  const found = volumesByPod([volume('b', 'u'), volume('x'), volume('a', 'u'), volume('c', 'v')])
  expect([...found]).toEqual([
    ['u', ['a', 'b']],
    ['v', ['c']],
  ])
})
