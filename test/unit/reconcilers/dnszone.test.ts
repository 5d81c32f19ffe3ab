import { describe, expect, test } from 'vitest'
import { compileZones, reverseZone } from '../../../src/reconcilers/dnszone.ts'
import type { DnsRecord } from '../../../src/reconcilers/routetable.ts'

const range = '10.88.128.0/17'

function zones(...dns: readonly DnsRecord[]) {
  return compileZones({ services: [], dns, domain: 'cluster.local' }, range)
}

/** What a zone holds beside its SOA and NS. */
function data(zone: string): string[] {
  return zone.split('\n').slice(2, -1)
}

function serial(zone: string): string {
  return zone.split('\n')[0]?.split(' ')[6] ?? ''
}

describe('compileZones', () => {
  test('every kind of record, with a TTL of 5 s', () => {
    const { forward, reverse } = zones(
      { type: 'A', name: 'web.shop.svc.cluster.local', value: '10.88.128.20' },
      { type: 'CNAME', name: 'pay.shop.svc.cluster.local', value: 'api.example.com' },
      {
        type: 'SRV',
        name: '_http._tcp.web.shop.svc.cluster.local',
        priority: 0,
        weight: 100,
        port: 80,
        target: 'web.shop.svc.cluster.local',
      },
      { type: 'PTR', name: '20.128.88.10.in-addr.arpa', value: 'web.shop.svc.cluster.local' },
    )
    expect(data(forward)).toEqual([
      '_http._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 100 80 web.shop.svc.cluster.local.',
      'pay.shop.svc.cluster.local. 5 IN CNAME api.example.com.',
      'web.shop.svc.cluster.local. 5 IN A 10.88.128.20',
    ])
    expect(data(reverse)).toEqual(['20.128.88.10.in-addr.arpa. 5 IN PTR web.shop.svc.cluster.local.'])
  })

  test('an empty zone still says who it is, and that "no such name" lasts 5 s', () => {
    const { forward, reverse } = zones()
    expect(forward).toMatch(/^cluster\.local\. 5 IN SOA \S+ \S+ \d+ 7200 1800 86400 5\ncluster\.local\. 5 IN NS \S+\n$/)
    expect(reverse).toMatch(/^88\.10\.in-addr\.arpa\. 5 IN SOA /)
  })

  test('order and letter case make no difference', () => {
    const a = { type: 'A', name: 'h.shop.svc.cluster.local', value: '10.88.0.2' } as const
    const b = { type: 'A', name: 'H.shop.svc.cluster.local', value: '10.88.0.3' } as const
    expect(zones(a, b)).toEqual(zones({ ...b, name: a.name }, a, a))
  })

  test('the serial follows from the records', () => {
    const a = zones({ type: 'A', name: 'a.shop.svc.cluster.local', value: '10.88.0.2' })
    const b = zones({ type: 'A', name: 'a.shop.svc.cluster.local', value: '10.88.0.3' })
    expect(serial(a.forward)).not.toBe(serial(b.forward))
    expect(serial(a.reverse)).toBe(serial(b.reverse))
    expect(Number(serial(a.forward))).toBeLessThan(2 ** 31)
  })

  for (const { name, record } of [
    { name: 'another domain', record: { type: 'A', name: 'web.example.com', value: '10.88.0.2' } },
    {
      name: 'a name with zone syntax',
      record: { type: 'A', name: 'x.cluster.local. A 1.1.1.1\n$INCLUDE /etc/passwd', value: '1.1.1.1' },
    },
    {
      name: 'a target with zone syntax',
      record: { type: 'CNAME', name: 'x.shop.svc.cluster.local', value: 'a.b\n$INCLUDE /etc/passwd' },
    },
    { name: 'an address that is none', record: { type: 'A', name: 'x.shop.svc.cluster.local', value: 'localhost' } },
    { name: 'a label of 64 characters', record: { type: 'A', name: `${'a'.repeat(64)}.cluster.local`, value: '10.88.0.2' } },
  ] as const) {
    test(`leaves out ${name}`, () => expect(data(zones(record).forward)).toEqual([]))
  }
})

describe('reverseZone', () => {
  for (const [serviceRange, want] of [
    ['10.88.128.0/17', '88.10.in-addr.arpa'],
    ['192.168.5.128/25', '5.168.192.in-addr.arpa'],
    ['172.28.24.0/21', '28.172.in-addr.arpa'],
    ['10.128.0.0/9', '10.in-addr.arpa'],
  ] as const) {
    test(serviceRange, () => expect(reverseZone(serviceRange)).toBe(want))
  }
})
