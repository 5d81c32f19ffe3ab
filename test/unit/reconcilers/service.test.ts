import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import { change } from '../../support/fakenode.ts'
import { Stage } from '../../support/stage.ts'
import { deployment, namespace, service } from '../../support/world.ts'

const web = objectKey('Service', namespace, 'web')
const api = objectKey('Service', namespace, 'api')
const edgeAt = (port: number, name = 'web') => `trireme-test-edge-shop_${name}_tcp_${port}`
const edgeName = edgeAt(80)
/** A LoadBalancer without node ports: one edge a port. */
const balancer = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }

const status = (stage: Stage, key = web) => stage.servicePasses.get(key)?.status
const addressOf = (stage: Stage, key = web): string => stage.services.get(key)?.clusterIP ?? ''
const edges = (stage: Stage) => [...stage.node.containers.values()].filter(({ labels }) => labels[LABEL.role] === 'edge')
const edgeSteps = (steps: readonly string[]): string[] => steps.filter((line) => line.includes('-edge-'))

function settled(...services: readonly ReturnType<typeof service>[]): Stage {
  const stage = new Stage().apply(...services)
  stage.settle()
  return stage
}

describe('addresses', () => {
  test('lie in the service range and stay, whatever changes', () => {
    const stage = settled(service())
    const address = addressOf(stage)
    expect(address).toMatch(/^10\.88\.(129|1[3-9]\d|2\d\d)\./)
    stage.apply(service({ ports: [{ port: 81 }], selector: { app: 'other' } }), service({}, 'api')).settle()
    expect(addressOf(stage)).toBe(address)
    expect(addressOf(stage, api)).not.toBe(address)
  })

  test('are the same on any machine', () => {
    expect(addressOf(settled(service()))).toBe(addressOf(settled(service({}, 'other'), service())))
  })

  test('that are asked for are given', () => {
    const stage = settled(service({ clusterIP: '10.88.200.7' }))
    expect(addressOf(stage)).toBe('10.88.200.7')
    stage.apply(service({ clusterIP: '10.88.200.8' })).settle()
    expect(addressOf(stage)).toBe('10.88.200.8')
  })

  test('that are taken are told, and the one given in their place stays', () => {
    const stage = settled(service({ clusterIP: '10.88.200.7' }, 'api'), service({ clusterIP: '10.88.200.7' }))
    const address = addressOf(stage)
    expect(addressOf(stage, api)).toBe('10.88.200.7')
    expect(status(stage)).toMatchObject({
      message: `clusterIP 10.88.200.7 is taken or outside 10.88.128.0/17: ${address} is used instead`,
    })
    stage.apply(service({}, 'db')).settle()
    expect(addressOf(stage)).toBe(address)
  })

  test('given in place of one that is taken stay when a likelier one becomes free', () => {
    const stage = settled(service({ clusterIP: '10.88.200.7' }, 'api'), service({ clusterIP: '10.88.200.7' }))
    const memory = stage.services.get(web)
    if (memory !== undefined) stage.services.set(web, { ...memory, clusterIP: '10.88.201.1' })
    stage.settle()
    expect(addressOf(stage)).toBe('10.88.201.1')
  })

  for (const { name, clusterIP } of [
    { name: 'outside the range', clusterIP: '10.96.0.10' },
    { name: 'of the pods', clusterIP: '10.88.1.1' },
  ])
    test(`${name} are not given`, () =>
      expect(addressOf(settled(service({ clusterIP })))).toMatch(/^10\.88\.(129|1[3-9]\d|2\d\d)\./))

  for (const { name, spec, clusterIP } of [
    { name: 'headless', spec: { clusterIP: 'None' }, clusterIP: 'None' },
    { name: 'ExternalName', spec: { type: 'ExternalName', externalName: 'example.org', selector: {} }, clusterIP: '' },
  ])
    test(`are not for ${name}`, () => {
      const stage = settled(service(spec))
      expect(addressOf(stage)).toBe('')
      expect(status(stage)).toMatchObject({ clusterIP })
    })

  test('are given up with the Service', () => {
    const stage = settled(service())
    stage.remove(web).settle()
    expect(stage.services.size).toBe(0)
  })
})

describe('NodePort and LoadBalancer', () => {
  test('a node port is chosen, kept and published by an edge', () => {
    const stage = new Stage().apply(service({ type: 'NodePort' }))
    const steps = edgeSteps(stage.settle())
    const { nodePorts } = stage.services.get(web) ?? {}
    const [port = 0] = Object.values(nodePorts ?? {})
    const edge = edgeAt(port)
    const launch = [`create ${edge}: publishes tcp/${port} for web`, `start ${edge}: not started yet`]
    expect(steps).toEqual([...launch, `hook ${edge}: waits for its rules`])
    expect(port).toBeGreaterThanOrEqual(30_000)
    expect(port).toBeLessThan(32_768)
    stage.apply(service({ type: 'NodePort' }, 'api')).settle()
    expect(stage.services.get(web)?.nodePorts).toEqual(nodePorts)
    expect(Object.values(stage.services.get(api)?.nodePorts ?? {})).not.toContain(port)
  })

  test('a published Service is not Ready before its edge has its rules', () => {
    const stage = settled(service({ type: 'NodePort' }))
    expect(status(stage)?.condition).not.toBe('Pending')
    stage.node = { ...stage.node, hooks: new Set() }
    expect(stage.planService(web).status?.condition).toBe('Pending')
  })

  test('a node port that is asked for is given', () => {
    const stage = settled(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] }))
    expect(status(stage)?.ports).toMatchObject([{ port: 80, nodePort: 30_080 }])
  })

  test('two ports of one Service never share a node port', () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
      { name: 'c', port: 82, protocol: 'UDP' },
    ]
    const chosen = Object.values(settled(service({ type: 'NodePort', ports })).services.get(web)?.nodePorts ?? {})
    expect(new Set(chosen).size).toBe(3)
  })

  for (const { name, spec, want } of [
    { name: 'a LoadBalancer gets node ports too', spec: {}, want: [80, 443, 30_443, 'chosen'] },
    {
      name: 'a LoadBalancer that wants none has only those it asks for',
      spec: { allocateLoadBalancerNodePorts: false },
      want: [80, 443, 30_443],
    },
  ])
    test(name, () => {
      const ports = [
        { port: 80, name: 'http' },
        { port: 443, name: 'tls', nodePort: 30_443 },
      ]
      const stage = settled(service({ type: 'LoadBalancer', ports, ...spec }))
      const chosen = stage.services.get(web)?.nodePorts.http
      const published = status(stage)?.ports.flatMap(({ hostPorts }) => hostPorts) ?? []
      expect(published.map((port) => (port === chosen ? 'chosen' : port)).sort()).toEqual([...want].sort())
      expect(edges(stage)).toHaveLength(want.length)
    })

  test('a changed port makes a new edge and touches no other, and a type that is not published removes all', () => {
    const ports = [{ port: 80, name: 'http' }]
    const stage = settled(service({ ...balancer, ports: [...ports, { port: 443, name: 'tls' }] }))
    stage.apply(service({ ...balancer, ports: [...ports, { port: 444, name: 'tls' }] }))
    expect(edgeSteps(stage.settle())).toEqual([
      `create ${edgeAt(444)}: publishes tcp/444 for web`,
      `remove ${edgeAt(443)}: no longer published`,
      `start ${edgeAt(444)}: not started yet`,
      `hook ${edgeAt(444)}: waits for its rules`,
    ])
    stage.apply(service())
    expect(edgeSteps(stage.settle())).toEqual([
      `remove ${edgeAt(80)}: no longer published`,
      `remove ${edgeAt(444)}: no longer published`,
    ])
    expect(stage.settle()).toEqual([])
    expect(stage.services.get(web)).toMatchObject({ hostPorts: [], edges: {} })
  })

  test('a port of the host that comes to lead elsewhere gets a new edge', () => {
    const stage = settled(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] }))
    stage.apply(service({ type: 'NodePort', ports: [{ port: 81, nodePort: 30_080 }] }))
    expect(edgeSteps(stage.settle())).toEqual([
      `remove ${edgeAt(30_080)}: it leads elsewhere now`,
      `create ${edgeAt(30_080)}: publishes tcp/30080 for web`,
      `start ${edgeAt(30_080)}: not started yet`,
    ])
  })

  const taken = { kind: 'portTaken', message: 'port 80 is already allocated' } as const

  test('one port that is taken keeps no other from being published, and no edge that serves is made anew', () => {
    const ports = [
      { port: 80, name: 'http', nodePort: 30_080 },
      { port: 443, name: 'tls' },
    ]
    const stage = new Stage().apply(service({ ...balancer, ports }), service({ ...balancer, ports: [{ port: 81 }] }, 'api'))
    stage.node = { ...stage.node, broken: new Map([[`start ${edgeName}`, taken]]) }
    const steps = edgeSteps(stage.run(120_000))
    expect(status(stage)).toMatchObject({
      condition: 'PortConflict',
      message: `port 80/TCP of the host is in use by something else on the node: port 80 is already allocated; reachable on node port 30080 and at ${addressOf(stage)}:80 instead`,
      healthy: false,
      ports: [{ hostPorts: [30_080] }, { hostPorts: [443] }],
    })
    expect(status(stage, api)).toMatchObject({ condition: 'NoEndpoints', healthy: true })
    expect(steps.filter((line) => !line.includes(edgeName)).filter((line) => line.startsWith('create'))).toHaveLength(3)
    const tries = steps.filter((line) => line.startsWith(`failed start ${edgeName}`))
    expect(tries.length).toBeGreaterThan(5)
    expect(tries.length).toBeLessThan(10)
    stage.node = { ...stage.node, broken: new Map() }
    stage.run(60_000)
    expect(status(stage)).toMatchObject({ condition: 'NoEndpoints', ports: [{ hostPorts: [30_080, 80] }, { hostPorts: [443] }] })
  })

  test('a node port that was chosen and turns out to be taken is chosen anew, once it serves it stays', () => {
    const [first = 0] = Object.values(settled(service({ type: 'NodePort' })).services.get(web)?.nodePorts ?? {})
    const stage = new Stage().apply(service({ type: 'NodePort' }))
    stage.node = { ...stage.node, broken: new Map([[`start ${edgeAt(first)}`, taken]]) }
    stage.run(1_000)
    const [second = 0] = Object.values(stage.services.get(web)?.nodePorts ?? {})
    expect(second).not.toBe(first)
    expect(status(stage)).toMatchObject({ condition: 'NoEndpoints', ports: [{ hostPorts: [second] }] })
    expect(edges(stage).map(({ name }) => name)).toEqual([edgeAt(second)])
    const [edge] = edges(stage)
    stage.node = change(stage.node, edge?.id ?? '', () => ({ state: 'exited', exitCode: 128 }))
    stage.node = { ...stage.node, broken: new Map([[`start ${edgeAt(second)}`, taken]]) }
    stage.run(1_000)
    expect(status(stage)).toMatchObject({ condition: 'PortConflict', ports: [{ nodePort: second, hostPorts: [] }] })
  })

  test('a conflict is gone with the port that caused it', () => {
    const stage = new Stage().apply(service(balancer))
    stage.node = { ...stage.node, broken: new Map([[`start ${edgeName}`, taken]]) }
    stage.run(1_000)
    expect(status(stage)).toMatchObject({ condition: 'PortConflict' })
    stage.apply(service()).settle()
    expect(status(stage)).toMatchObject({ condition: 'NoEndpoints', message: expect.stringContaining('connections are refused') })
  })

  for (const { name, to, want } of [
    { name: 'stopped', to: { state: 'exited', exitCode: 137 }, want: [`start ${edgeName}: drift: stopped (exit 137)`] },
    { name: 'paused', to: { state: 'paused' }, want: [`unpause ${edgeName}: drift: paused`] },
    {
      name: 'half removed',
      to: { state: 'dead' },
      want: [
        `remove ${edgeName}: left over by a failed removal`,
        `create ${edgeName}: drift: the edge was removed`,
        `start ${edgeName}: not started yet`,
      ],
    },
  ] as const)
    test(`an edge that is ${name} is mended`, () => {
      const stage = settled(service(balancer))
      const [edge] = edges(stage)
      stage.node = change(stage.node, edge?.id ?? '', () => to)
      expect(edgeSteps(stage.settle())).toEqual(want)
      expect(edges(stage).map(({ state }) => state)).toEqual(['running'])
    })

  test('a port that is given up is held until its edge is gone', () => {
    const stage = settled(service(balancer))
    stage.apply(service()).planService(web)
    expect(stage.services.get(web)?.hostPorts).toEqual(['tcp/80'])
    stage.settle()
    expect([edges(stage).length, stage.services.get(web)?.hostPorts]).toEqual([0, []])
  })

  test('an extra edge goes, and all of them with the Service', () => {
    const stage = settled(service(balancer))
    const [edge] = edges(stage)
    const extra = { ...edge, id: 'e'.repeat(64), name: 'copy', createdAt: 1 } as NonNullable<typeof edge>
    stage.node = { ...stage.node, containers: new Map(stage.node.containers).set(extra.id, extra) }
    stage.remove(web)
    stage.settle()
    expect(edges(stage)).toEqual([])
    expect(stage.services.size).toBe(0)
  })

  test('a Service that left Git is remembered while its edge is out of reach', () => {
    const stage = settled(service(balancer))
    stage.node = { ...stage.node, reachable: false }
    stage.remove(web)
    expect(stage.planService(web).plan.lanes).toEqual([])
    expect(stage.services.size).toBe(1)
    stage.node = { ...stage.node, reachable: true }
    stage.settle()
    expect(stage.services.size).toBe(0)
  })
})

test('endpoints and their readiness are told', () => {
  const stage = new Stage().apply(service(), deployment({ spec: { replicas: 2 } }))
  stage.settle()
  expect(status(stage)).toMatchObject({ condition: 'Ready', message: '', ports: [{ port: 80, ready: 2 }] })
  expect(status(stage)?.endpoints.map(({ ready }) => ready)).toEqual([true, true])
})
