import { describe, expect, test } from 'vitest'
import { type NodeInput, planNode, routerOf, routerSpec } from '../../../src/reconcilers/infrastructure.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import { renderPlan } from '../../../src/reconcilers/plan.ts'
import { buildRouteTable, indexPods } from '../../../src/reconcilers/routes.ts'
import type { ContainerView, VolumeView } from '../../../src/runtime/engine.ts'
import { applyStep, change, type FakeNode, fakeNode, viewOf } from '../../support/fakenode.ts'
import { cluster as clusterOf, endpoint, epochMs, service } from '../../support/world.ts'

const cluster = clusterOf()
const table = (...pods: Parameters<typeof endpoint>[0][]) =>
  buildRouteTable(
    [{ service: service(), clusterIP: '10.88.200.1' }],
    indexPods(pods.map((index) => endpoint(index))),
    'cluster.local',
  )

function planned(node: FakeNode, more: Partial<NodeInput> = {}): string {
  const input = {
    key: 'Node//alpha',
    cluster,
    node: viewOf(node),
    table: undefined,
    owned: () => true,
    knownPod: () => true,
    inFlight: new Set<string>(),
    ...more,
  }
  return renderPlan(planNode(input))
}

/** A node whose router runs and is held by this daemon. */
function ready(): FakeNode {
  let node = fakeNode()
  for (let turn = 0; turn < 10; turn++) {
    const [step] = planNode({
      key: '',
      cluster,
      node: viewOf(node),
      table: undefined,
      owned: () => true,
      knownPod: () => true,
      inFlight: new Set(),
    }).lanes.flatMap(({ steps }) => steps)
    if (step === undefined) return node
    node = applyStep(node, step, epochMs)
  }
  throw new Error('the node does not settle')
}

function withContainer(node: FakeNode, change: Partial<ContainerView>): FakeNode {
  const [router] = [...node.containers.values()]
  const view = { ...router, id: 'c'.repeat(64), name: 'extra', ...change } as ContainerView
  return { ...node, containers: new Map(node.containers).set(view.id, view) }
}

const routerId = (node: FakeNode): string => routerOf({ cluster, node: viewOf(node) })?.id ?? ''
const own = (labels: Readonly<Record<string, string>>) => ({ labels: { [LABEL.cluster]: cluster.id, ...labels } })

describe('the router', () => {
  test('whose volume is removed while it is being made brings one with our labels: another would not be seen, and be in the way', () => {
    const [mount] = routerSpec(cluster).mounts
    const planOfVolume = planNode({
      key: '',
      cluster,
      node: viewOf(fakeNode()),
      table: undefined,
      owned: () => true,
      knownPod: () => true,
      inFlight: new Set(),
    }).lanes.flatMap(({ steps }) => steps.flatMap((step) => (step.op === 'createVolume' ? [step.volume] : [])))
    expect(planOfVolume).toEqual([mount?.volume])
    expect(mount?.volume?.labels[LABEL.cluster]).toBe(cluster.id)
  })

  test('comes with its network and volume', () => {
    expect(planned(fakeNode())).toBe(
      [
        'createNetwork network trireme-test: the pods of this cluster need it',
        'createVolume volume trireme-test-router: keeps the last routes',
        'create router: no router',
        'start router: no router',
      ].join('\n'),
    )
  })

  test('once there leaves nothing to do', () => expect(planned(ready())).toBe(''))

  test('of another image or configuration is replaced', () => {
    const node = ready()
    const upgraded = { ...cluster, nodeImage: 'node:next' }
    expect(planned(node, { cluster: upgraded })).toBe(
      [
        'remove router: its configuration changed',
        'create router: its configuration changed',
        'start router: its configuration changed',
      ].join('\n'),
    )
  })

  for (const { name, to, want } of [
    { name: 'not started', to: { state: 'created' }, want: 'start router: not started yet' },
    { name: 'stopped', to: { state: 'exited', exitCode: 137 }, want: 'start router: drift: stopped (exit 137)' },
    { name: 'paused', to: { state: 'paused' }, want: 'unpause router: drift: paused' },
    { name: 'half removed', to: { state: 'dead' }, want: 'remove router: left over by a failed removal' },
    { name: 'renamed', to: { name: 'mine' }, want: 'rename router: drift: name is mine, not trireme-test-router' },
    { name: 'left to die', to: { restartPolicy: 'no' }, want: 'update router: drift: restart policy is no, not always' },
    {
      name: 'limited',
      to: { resources: { memoryBytes: 2 ** 26 } },
      want: 'update router: drift: memory limit is 64Mi, not unlimited',
    },
    { name: 'disconnected', to: { networks: {} }, want: 'remove router: drift: not attached to network trireme-test' },
  ] as const)
    test(`${name} is mended`, () => {
      const node = ready()
      expect(planned(change(node, routerId(node), () => to))).toBe(want)
    })

  test('has no more rights than it needs', () => {
    expect(routerSpec(cluster)).toMatchObject({
      privileged: false,
      capDrop: ['ALL'],
      capAdd: ['NET_ADMIN'],
      networkMode: 'trireme-test',
      ip: '10.88.0.254',
    })
  })
})

describe('routes', () => {
  const node = ready()
  const acknowledged = (of: ReturnType<typeof table>): FakeNode => ({ ...node, router: { ...node.router, acknowledged: of } })
  for (const { name, at, wanted, want } of [
    { name: 'are not sent while half known', at: node, wanted: undefined, want: '' },
    { name: 'first ones', at: node, wanted: table(1), want: 'route routes: first routes' },
    { name: 'in place', at: acknowledged(table(1)), wanted: table(1), want: '' },
    {
      name: 'added and taken out',
      at: acknowledged(table(1)),
      wanted: table(2),
      want: 'route routes: add web-2, take out web-1',
    },
    {
      name: 'many',
      at: acknowledged(table()),
      wanted: table(1, 2, 3, 4, 5),
      want: 'route routes: add web-1, web-2, web-3 and 2 more',
    },
    {
      name: 'changed from outside',
      at: { ...node, router: { ...node.router, acknowledged: table(1), drift: ['routes', 'dns'] } } as FakeNode,
      wanted: table(1),
      want: "route routes: drift: the router's rules and names were changed from outside",
    },
    {
      name: 'wait for the connection',
      at: { ...node, router: { ...node.router, connected: false } },
      wanted: table(1),
      want: '',
    },
  ])
    test(name, () => expect(planned(at, { table: wanted })).toBe(want))
})

describe('leftovers', () => {
  const extra = 'drift: an extra container carries the labels of this cluster'
  const volume = (name: string, uid: string): [string, VolumeView] => [
    name,
    { name, driver: 'local', labels: { [LABEL.podUid]: uid }, mountpoint: '' },
  ]
  for (const { name, at, more, want } of [
    { name: 'a second router', at: withContainer(ready(), {}), more: {}, want: `remove extra: ${extra}` },
    { name: 'no part of anything', at: withContainer(ready(), own({})), more: {}, want: `remove extra: ${extra}` },
    {
      name: 'a pod without its labels',
      at: withContainer(ready(), own({ [LABEL.role]: 'pod' })),
      more: {},
      want: `remove extra: ${extra}`,
    },
    {
      name: 'an edge of a Service that nobody knows',
      at: withContainer(ready(), own({ [LABEL.role]: 'edge', [LABEL.service]: 'x' })),
      more: { owned: () => false },
      want: `remove extra: ${extra}`,
    },
    {
      name: 'an edge of a Service stays',
      at: withContainer(ready(), own({ [LABEL.role]: 'edge', [LABEL.service]: 'x' })),
      more: {},
      want: '',
    },
    {
      name: 'what a daemon that has ended looked at places of the node with',
      at: withContainer(ready(), own({ [LABEL.role]: 'look', [LABEL.podUid]: 'uid-1' })),
      more: { inFlight: new Set(['pod/uid-1/app', 'pod/uid-2']) },
      want: 'remove extra: left over by a daemon that has ended',
    },
    {
      name: 'what places of the node are just looked at with stays',
      at: withContainer(ready(), own({ [LABEL.role]: 'look', [LABEL.podUid]: 'uid-1' })),
      more: { inFlight: new Set(['pod/uid-1']) },
      want: '',
    },
    {
      name: 'of another cluster stay',
      at: withContainer(ready(), { labels: { [LABEL.cluster]: 'other', [LABEL.role]: 'pod' } }),
      more: {},
      want: '',
    },
    { name: 'foreign ones stay', at: withContainer(ready(), { labels: {} }), more: {}, want: '' },
    {
      name: 'volumes of a pod that is gone',
      at: { ...ready(), volumes: new Map([...ready().volumes, volume('v', 'uid-1')]) },
      more: { knownPod: () => false },
      want: 'removeVolume volume v: its pod is gone',
    },
    {
      name: 'volumes of a pod that is remembered stay',
      at: { ...ready(), volumes: new Map([...ready().volumes, volume('v', 'uid-1')]) },
      more: {},
      want: '',
    },
  ] as readonly { name: string; at: FakeNode; more: Partial<NodeInput>; want: string }[]) {
    test(name, () => expect(planned(at, more)).toBe(want))
    test(`${name}: nothing is removed before the router is held`, () =>
      expect(planned({ ...at, router: { ...at.router, connected: false } }, more)).toBe(''))
  }

  test('a node out of reach is left alone', () => expect(planned({ ...fakeNode(), reachable: false })).toBe(''))
})
