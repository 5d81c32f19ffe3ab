import { describe, expect, test } from 'vitest'
import type { Service } from '../../../src/model/types/service.ts'
import type { PodEndpoint } from '../../../src/reconcilers/endpoints.ts'
import type { PlacedService } from '../../../src/reconcilers/placement.ts'
import { buildRouteTable, indexPods, routingOf } from '../../../src/reconcilers/routes.ts'
import type { DnsRecord, RouteTable } from '../../../src/reconcilers/routetable.ts'
import { changedPods } from '../../../src/reconcilers/tablediff.ts'
import { endpoint, service } from '../../support/world.ts'

const address = '10.88.200.1'

function table(services: readonly (Service | PlacedService)[], pods: readonly PodEndpoint[]): RouteTable {
  const placed = services.map((each) => ('service' in each ? each : { service: each, clusterIP: address }))
  return buildRouteTable(placed, indexPods(pods), 'cluster.local')
}

/** `http 80 → 10.88.1.1:8080 10.88.1.2:8080`, a line a port. */
function text({ services }: RouteTable): string {
  return services
    .flatMap(({ ports }) =>
      ports.map(({ protocol, port, backends }) =>
        `${protocol} ${port} → ${backends.map((each) => `${each.ip}:${each.port}`).join(' ')}`.trim(),
      ),
    )
    .join('\n')
}

function line(record: DnsRecord): string {
  return `${record.type} ${record.name} ${record.type === 'SRV' ? `${record.port} ${record.target}` : record.value}`
}

const http = (port: number, name = 'http', protocol = 'TCP') => ({ ports: [{ name, protocol, port }] })

describe('buildRouteTable: who gets connections', () => {
  for (const { name, spec, pods, want } of [
    {
      name: 'ready pods that the selector matches',
      spec: {},
      pods: [endpoint(2), endpoint(1), endpoint(3, { labels: { app: 'db' } })],
      want: 'tcp 80 → 10.88.1.1:8080 10.88.1.2:8080',
    },
    { name: 'none: refused at once', spec: {}, pods: [], want: 'tcp 80 →' },
    { name: 'none where the selector is empty', spec: { selector: {} }, pods: [endpoint(1)], want: 'tcp 80 →' },
    { name: 'not those that are not ready', spec: {}, pods: [endpoint(1, { ready: false })], want: 'tcp 80 →' },
    {
      name: 'those that are not ready, when published regardless',
      spec: { publishNotReadyAddresses: true },
      pods: [endpoint(1, { ready: false })],
      want: 'tcp 80 → 10.88.1.1:8080',
    },
    {
      name: 'never those that leave',
      spec: {},
      pods: [endpoint(1, { terminating: true }), endpoint(2)],
      want: 'tcp 80 → 10.88.1.2:8080',
    },
    {
      name: 'never those that leave, not even as the last',
      spec: { publishNotReadyAddresses: true },
      pods: [endpoint(1, { terminating: true })],
      want: 'tcp 80 →',
    },
    { name: 'not those of another namespace', spec: {}, pods: [endpoint(1, { namespace: 'other' })], want: 'tcp 80 →' },
    { name: 'none without a selector', spec: { selector: {} }, pods: [endpoint(1)], want: 'tcp 80 →' },
    {
      name: 'a named port is resolved pod by pod',
      spec: { ports: [{ port: 80, targetPort: 'http' }] },
      pods: [endpoint(1, http(8080)), endpoint(2, http(9090)), endpoint(3)],
      want: 'tcp 80 → 10.88.1.1:8080 10.88.1.2:9090',
    },
    {
      name: 'a named port of another protocol does not count',
      spec: { ports: [{ port: 53, targetPort: 'dns', protocol: 'UDP' }] },
      pods: [endpoint(1, http(53, 'dns')), endpoint(2, http(5353, 'dns', 'UDP'))],
      want: 'udp 53 → 10.88.1.2:5353',
    },
    {
      name: 'several ports',
      spec: {
        ports: [
          { name: 'a', port: 80, targetPort: 8080 },
          { name: 'b', port: 81 },
        ],
      },
      pods: [endpoint(1)],
      want: 'tcp 80 → 10.88.1.1:8080\ntcp 81 → 10.88.1.1:81',
    },
  ])
    test(name, () => {
      expect(text(table([service(spec)], pods))).toBe(want)
      expect(table([service(spec)], [...pods].reverse()), 'whatever order pods come in').toEqual(table([service(spec)], pods))
    })

  test('Services are sorted, and headless ones have no address', () => {
    const services = [service({}, 'b'), service({}, 'a'), { service: service({ clusterIP: 'None' }, 'c'), clusterIP: '' }]
    const routes = table(services, []).services.map(({ name, addresses }) => `${name} ${addresses.join()}`)
    expect(routes).toEqual([`a ${address}`, `b ${address}`, 'c '])
    expect(table([...services].reverse(), [])).toEqual(table(services, []))
  })

  test('a pod behind a headless Service is waited for and drained like any other', () => {
    const headless = { service: service({ clusterIP: 'None' }), clusterIP: '' }
    const [before, after] = [table([headless], []), table([headless], [endpoint(1)])]
    expect(routingOf(after, { acknowledged: before }, 'uid-1')).toEqual({ acknowledged: false, present: false })
    expect(routingOf(before, { acknowledged: after }, 'uid-1')).toEqual({ acknowledged: true, present: true })
  })

  test('ClientIP affinity has its seconds', () => {
    expect(table([service({ sessionAffinity: 'ClientIP' })], []).services[0]?.affinitySeconds).toBe(10_800)
    expect(table([service()], []).services[0]?.affinitySeconds).toBe(0)
  })
})

describe('names', () => {
  for (const { name, placed, pods, want } of [
    {
      name: 'a Service with an unnamed port',
      placed: service(),
      pods: [endpoint(1)],
      want: ['A web.shop.svc.cluster.local 10.88.200.1', 'PTR 1.200.88.10.in-addr.arpa web.shop.svc.cluster.local'],
    },
    {
      name: 'a named port has an SRV, by its Service port',
      placed: service({ ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
      pods: [endpoint(1)],
      want: [
        'A web.shop.svc.cluster.local 10.88.200.1',
        'PTR 1.200.88.10.in-addr.arpa web.shop.svc.cluster.local',
        'SRV _http._tcp.web.shop.svc.cluster.local 80 web.shop.svc.cluster.local',
      ],
    },
    {
      name: 'headless: an address for each ready pod, and for those that have one their name',
      placed: { service: service({ clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: 'http' }] }), clusterIP: '' },
      pods: [
        endpoint(1, http(8080)),
        endpoint(2, { ...http(9090), hostname: 'Db-0', subdomain: 'web' }),
        endpoint(3, { ready: false }),
      ],
      want: [
        'A 10-88-1-1.web.shop.svc.cluster.local 10.88.1.1',
        'A db-0.web.shop.svc.cluster.local 10.88.1.2',
        'A web.shop.svc.cluster.local 10.88.1.1',
        'A web.shop.svc.cluster.local 10.88.1.2',
        'PTR 2.1.88.10.in-addr.arpa db-0.web.shop.svc.cluster.local',
        'SRV _http._tcp.web.shop.svc.cluster.local 8080 10-88-1-1.web.shop.svc.cluster.local',
        'SRV _http._tcp.web.shop.svc.cluster.local 9090 db-0.web.shop.svc.cluster.local',
      ],
    },
    {
      name: 'headless and empty: no name at all',
      placed: { service: service({ clusterIP: 'None' }), clusterIP: '' },
      pods: [],
      want: [],
    },
    {
      name: 'ExternalName',
      placed: { service: service({ type: 'ExternalName', externalName: 'Example.ORG.', selector: {} }), clusterIP: '' },
      pods: [],
      want: ['CNAME web.shop.svc.cluster.local example.org'],
    },
  ])
    test(name, () => expect(table([placed], pods).dns.map(line).sort()).toEqual(want))
})

describe('routingOf', () => {
  const wanted = table([service()], [endpoint(1), endpoint(2)])
  for (const { name, acknowledged, uid, want } of [
    { name: 'in the table', acknowledged: wanted, uid: 'uid-1', want: { acknowledged: true, present: true } },
    {
      name: 'not yet in the table',
      acknowledged: table([service()], [endpoint(2)]),
      uid: 'uid-1',
      want: { acknowledged: false, present: false },
    },
    { name: 'no table yet', acknowledged: undefined, uid: 'uid-1', want: { acknowledged: false, present: false } },
    {
      name: 'still in the table',
      acknowledged: table([service()], [endpoint(3)]),
      uid: 'uid-3',
      want: { acknowledged: true, present: true },
    },
    { name: 'wanted by no Service', acknowledged: wanted, uid: 'uid-9', want: { acknowledged: true, present: false } },
    {
      name: 'in the table of one Service of two',
      acknowledged: table([service({}, 'api')], [endpoint(1)]),
      uid: 'uid-1',
      want: { acknowledged: false, present: true },
    },
    {
      name: 'there with another port',
      acknowledged: table([service({ ports: [{ port: 80, targetPort: 1 }] })], [endpoint(1)]),
      uid: 'uid-1',
      want: { acknowledged: false, present: true },
    },
  ])
    test(name, () => expect(routingOf(wanted, { acknowledged }, uid)).toEqual(want))

  test('a pod of two Services is acknowledged once both send to it', () => {
    const both = table([service(), service({}, 'api')], [endpoint(1)])
    const one = table([service()], [endpoint(1)])
    expect(routingOf(both, { acknowledged: one }, 'uid-1')).toEqual({ acknowledged: false, present: true })
    expect(routingOf(both, { acknowledged: both }, 'uid-1')).toEqual({ acknowledged: true, present: true })
  })

  test('a pod in a table that is on its way there may be served already', () => {
    const applying = table([service()], [endpoint(3)])
    const want = { acknowledged: true, present: true }
    expect(routingOf(wanted, { acknowledged: wanted, applying }, 'uid-3')).toEqual(want)
  })
})

test('changedPods: those that one table treats differently', () => {
  const [a, b] = [table([service()], [endpoint(1), endpoint(2)]), table([service()], [endpoint(2), endpoint(3)])]
  expect(changedPods(a, b).sort()).toEqual(['uid-1', 'uid-3'])
  expect(changedPods(a, a)).toEqual([])
  expect(changedPods(undefined, a).sort()).toEqual(['uid-1', 'uid-2'])
})

test('a Service without a selector leads to the addresses that Git gives, by the name of its port', () => {
  const bare = service({ selector: {}, ports: [{ name: 'sql', port: 80 }] })
  const to = (ip: string, ready: boolean, port: number) => ({
    ip,
    ready,
    hostname: '',
    ports: [{ name: 'sql', protocol: 'TCP', port }],
  })
  const endpoints = [to('192.0.2.2', false, 5433), to('192.0.2.1', true, 5432)]
  expect(text(table([{ ...bare, spec: { ...bare.spec, endpoints } }], [endpoint(1)]))).toBe('tcp 80 → 192.0.2.1:5432')
})
