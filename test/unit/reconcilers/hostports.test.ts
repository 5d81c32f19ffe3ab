/** Which Service has a port of the host that several want: decided by the planner alone, whatever starts first. */
import { describe, expect, test } from 'vitest'
import { objectKey } from '../../../src/model/types/meta.ts'
import { assignHostPorts, type HostPort, type PortClaim, wantedHostPorts } from '../../../src/reconcilers/hostports.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import { change, viewOf } from '../../support/fakenode.ts'
import { Stage } from '../../support/stage.ts'
import { epochMs, namespace, service } from '../../support/world.ts'

const key = (name: string) => objectKey('Service', namespace, name)
const balancer = (name: string, spec: Record<string, unknown> = {}) =>
  service({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ...spec }, name)

const status = (stage: Stage, name: string) => stage.servicePasses.get(key(name))?.status
const holders = (stage: Stage, port: string): string[] =>
  [...stage.services].filter(([, { hostPorts }]) => hostPorts?.includes(port)).map(([holder]) => holder)
const running = (stage: Stage): string[] =>
  [...stage.node.containers.values()]
    .filter(({ labels, state }) => labels[LABEL.role] === 'edge' && state === 'running')
    .map(({ labels }) => `${labels[LABEL.service]} ${labels[LABEL.port]}`)
    .sort()

function settled(...services: readonly ReturnType<typeof service>[]): Stage {
  const stage = new Stage()
  for (const one of services) {
    stage.apply(one).settle()
    stage.now += 1_000
  }
  return stage
}

describe('the order of claims', () => {
  const port = (as: HostPort['as']): HostPort => ({ id: 'tcp/80', protocol: 'tcp', hostPort: 80, as, servicePort: 80 })
  const claim = (change: Partial<PortClaim>): PortClaim => ({
    key: key('m'),
    as: 'loadBalancer',
    createdAt: 10,
    held: false,
    standing: 'wanted',
    ...change,
  })
  for (const { name, as = 'loadBalancer', hostPorts = [], others, want } of [
    { name: 'nobody else: it is ours', others: [], want: 'own' },
    { name: 'held by another', others: [claim({ key: key('z'), createdAt: 99, held: true })], want: 'z' },
    { name: 'held by us, though another is older', hostPorts: ['tcp/80'], others: [claim({ createdAt: 1 })], want: 'own' },
    { name: 'held by us as a LoadBalancer port', hostPorts: ['tcp/80'], others: [claim({ as: 'nodePort' })], want: 'own' },
    { name: 'a node port before a LoadBalancer port', others: [claim({ as: 'nodePort', createdAt: 99 })], want: 'm' },
    { name: 'our node port before an older LoadBalancer', as: 'nodePort', others: [claim({ createdAt: 1 })], want: 'own' },
    { name: 'the older of two node ports', as: 'nodePort', others: [claim({ as: 'nodePort', createdAt: 1 })], want: 'm' },
    { name: 'the older of two LoadBalancers', others: [claim({ createdAt: 49 })], want: 'm' },
    { name: 'the younger one waits for us', others: [claim({ createdAt: 51 })], want: 'own' },
    { name: 'of one age: by key', others: [claim({ key: key('a'), createdAt: 50 })], want: 'a' },
    { name: 'one without a pass yet is as old as we are: by key', others: [claim({ createdAt: undefined })], want: 'own' },
    { name: 'the first of several', others: [claim({ createdAt: 20 }), claim({ key: key('z'), createdAt: 1 })], want: 'z' },
    { name: 'given up, but its edge is still there', others: [claim({ held: true, standing: 'released' })], want: 'm' },
  ] as {
    readonly name: string
    readonly as?: HostPort['as']
    readonly hostPorts?: readonly string[]
    readonly others: readonly PortClaim[]
    readonly want: string
  }[])
    test(name, () => {
      for (const claims of [others, [...others].reverse()]) {
        const { granted, denied } = assignHostPorts({
          wanted: [port(as)],
          own: { key: key('b'), createdAt: 50, hostPorts },
          claims: () => claims,
          nodes: [],
        })
        expect(denied.map(({ holder }) => holder.key)).toEqual(want === 'own' ? [] : [key(want)])
        expect(granted.map(({ id }) => id)).toEqual(want === 'own' ? ['tcp/80'] : [])
      }
    })
})

describe('two LoadBalancers on one port', () => {
  test('of one revision: the first by key has it, the other says who and where it is reachable instead', () => {
    const stage = new Stage().apply(service({ type: 'LoadBalancer' }, 'b'), service({ type: 'LoadBalancer' }, 'a'))
    stage.settle()
    expect(holders(stage, 'tcp/80')).toEqual([key('a')])
    const nodePort = status(stage, 'b')?.ports[0]?.nodePort ?? 0
    expect(nodePort).toBeGreaterThanOrEqual(30_000)
    const address = stage.services.get(key('b'))?.clusterIP
    expect(status(stage, 'b')).toMatchObject({
      condition: 'PortConflict',
      healthy: false,
      message: `port 80/TCP of the host is held by ${key('a')}, as its LoadBalancer port; reachable on node port ${nodePort} and at ${address}:80 instead`,
      ports: [{ hostPorts: [nodePort] }],
    })
    expect(status(stage, 'a')).toMatchObject({ condition: 'NoEndpoints', healthy: true })
  })

  test('a later one with a smaller key waits, and a restart of the daemon changes nothing', () => {
    const stage = settled(balancer('b'), balancer('a'))
    expect(running(stage)).toEqual([`${key('b')} tcp/80`])
    stage.restart().settle()
    expect(running(stage)).toEqual([`${key('b')} tcp/80`])
    expect(status(stage, 'a')).toMatchObject({ condition: 'PortConflict' })
  })

  test('the one that waits gets it when the holder has gone, and no step fails for it', () => {
    const stage = settled(balancer('b'), balancer('a'))
    const steps = stage.remove(key('b')).settle()
    expect(running(stage)).toEqual([`${key('a')} tcp/80`])
    expect(status(stage, 'a')).toMatchObject({ condition: 'NoEndpoints', healthy: true })
    expect(steps.filter((line) => line.startsWith('failed'))).toEqual([])
  })

  test('the one that waits gets it when the holder asks for another', () => {
    const stage = settled(balancer('b'), balancer('a'))
    const steps = stage.apply(balancer('b', { ports: [{ port: 81 }] })).settle()
    expect(running(stage)).toEqual([`${key('a')} tcp/80`, `${key('b')} tcp/81`])
    expect(steps.filter((line) => line.startsWith('failed'))).toEqual([])
  })

  test('of several that wait, the oldest is next', () => {
    const stage = settled(balancer('c'), balancer('b'), balancer('a'))
    stage.remove(key('c')).settle()
    expect(holders(stage, 'tcp/80')).toEqual([key('b')])
    expect(status(stage, 'a')).toMatchObject({ message: expect.stringContaining(`held by ${key('b')}`) })
  })

  test('an older one that comes to want it does not take it away', () => {
    const stage = settled(balancer('a', { ports: [{ port: 81 }] }), balancer('b'))
    stage.apply(balancer('a')).settle()
    expect(running(stage)).toEqual([`${key('b')} tcp/80`])
    expect(status(stage, 'a')).toMatchObject({ condition: 'PortConflict' })
  })

  test('only the contested port is kept back', () => {
    const ports = (port: number) => [
      { port: 80, name: 'http' },
      { port, name: 'own' },
    ]
    const stage = settled(balancer('a', { ports: ports(81) }), balancer('b', { ports: ports(82) }))
    expect(running(stage)).toEqual([`${key('a')} tcp/80`, `${key('a')} tcp/81`, `${key('b')} tcp/82`])
    expect(status(stage, 'b')).toMatchObject({ condition: 'PortConflict', ports: [{ hostPorts: [] }, { hostPorts: [82] }] })
  })

  test('TCP and UDP of one number are two ports', () => {
    const stage = settled(balancer('a'), balancer('b', { ports: [{ port: 80, protocol: 'UDP' }] }))
    expect(running(stage)).toEqual([`${key('a')} tcp/80`, `${key('b')} udp/80`])
  })

  test('one that left Git and waits to be pruned keeps it until it goes: no conflict, only a wait', () => {
    const stage = settled(balancer('old'))
    stage.retained.add(key('old'))
    stage.apply(balancer('new')).settle()
    expect(status(stage, 'new')).toMatchObject({
      condition: 'Pending',
      message: expect.stringContaining(`held by ${key('old')}, which left Git and goes when the revision is healthy`),
    })
    stage.remove(key('old')).settle()
    expect(running(stage)).toEqual([`${key('new')} tcp/80`])
  })

  test('after a lost store the one that serves it keeps it', () => {
    const stage = settled(balancer('b'), balancer('a'))
    stage.services.clear()
    const steps = stage.restart().settle()
    expect(running(stage)).toEqual([`${key('b')} tcp/80`])
    expect(steps.filter((line) => /^(create|remove|start) /.test(line) && line.includes('edge'))).toEqual([])
    expect(holders(stage, 'tcp/80')).toEqual([key('b')])
  })
})

test('after a lost store an edge that has ended holds nothing', () => {
  const stage = settled(balancer('old'))
  for (const { id } of stage.node.containers.values()) stage.node = change(stage.node, id, () => ({ state: 'exited' }))
  const claim: PortClaim = { key: key('old'), as: 'loadBalancer', createdAt: 99, held: undefined, standing: 'wanted' }
  const { granted } = assignHostPorts({
    wanted: wantedHostPorts(balancer('new'), undefined),
    own: { key: key('new'), createdAt: 1, hostPorts: undefined },
    claims: () => [claim],
    nodes: [viewOf(stage.node)],
  })
  expect(granted.map(({ id }) => id)).toEqual(['tcp/80'])
})

test('a Service that is published no more wants no port, whatever it was given before', () => {
  expect(wantedHostPorts(service(), { clusterIP: '10.88.200.7', nodePorts: { 'tcp/80': 30_080 } })).toEqual([])
})

describe('node ports', () => {
  const node = (name: string, nodePort: number) => service({ type: 'NodePort', ports: [{ port: 80, nodePort }] }, name)

  test('go before LoadBalancer ports of the same revision', () => {
    const stage = new Stage().apply(balancer('a', { ports: [{ port: 30_080 }] }), node('b', 30_080))
    stage.settle()
    expect(holders(stage, 'tcp/30080')).toEqual([key('b')])
    expect(status(stage, 'a')).toMatchObject({
      condition: 'PortConflict',
      message: expect.stringContaining(`held by ${key('b')}, as its node port; reachable at `),
    })
  })

  test('asked for by two: the older Service has it', () => {
    const stage = settled(node('b', 30_080), node('a', 30_080))
    expect(holders(stage, 'tcp/30080')).toEqual([key('b')])
    expect(status(stage, 'a')).toMatchObject({ condition: 'PortConflict', healthy: false })
  })

  test('are not chosen where another Service asks for them, even one that is planned later', () => {
    const [first = 0] = Object.values(settled(service({ type: 'NodePort' }, 'a')).services.get(key('a'))?.nodePorts ?? {})
    for (const other of [node('b', first), balancer('b', { ports: [{ port: first }] })]) {
      const stage = new Stage().apply(service({ type: 'NodePort' }, 'a'), other)
      stage.settle()
      expect(Object.values(stage.services.get(key('a'))?.nodePorts ?? {})).not.toContain(first)
      expect(holders(stage, `tcp/${first}`)).toEqual([key('b')])
    }
  })

  test('that are also a LoadBalancer port of the same Service are a conflict with itself', () => {
    const ports = [
      { port: 30_080, name: 'a' },
      { port: 81, name: 'b', nodePort: 30_080 },
    ]
    const stage = settled(balancer('a', { ports }))
    expect(running(stage)).toEqual([`${key('a')} tcp/30080`, `${key('a')} tcp/81`])
    expect(status(stage, 'a')).toMatchObject({ condition: 'PortConflict', message: expect.stringContaining('of this Service') })
  })

  test('are given back when a LoadBalancer wants none', () => {
    const stage = settled(service({ type: 'LoadBalancer' }, 'a'))
    stage.apply(balancer('a')).settle()
    expect(running(stage)).toEqual([`${key('a')} tcp/80`])
    expect(stage.services.get(key('a'))).toMatchObject({ nodePorts: {}, createdAt: epochMs })
  })
})
