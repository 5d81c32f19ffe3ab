import { describe, expect, test } from 'vitest'
import { compileNft, compileNftChange, staleFlows } from '../../../src/reconcilers/nft.ts'
import type { RoutePort, RouteTable, ServiceRoute } from '../../../src/reconcilers/routetable.ts'

const options = { serviceRange: '10.88.128.0/17', dnsAddress: '10.88.128.10' }

function port(number: number, ips: readonly string[], more: Partial<RoutePort> = {}): RoutePort {
  const backends = ips.map((ip) => ({ uid: `uid-${ip}`, pod: `pod-${ip}`, ip, port: 8080 }))
  return { name: 'http', protocol: 'tcp', port: number, backends, ...more }
}

function service(name: string, ports: readonly RoutePort[], more: Partial<ServiceRoute> = {}): ServiceRoute {
  return { namespace: 'shop', name, addresses: ['10.88.128.20'], ports, affinitySeconds: 0, ...more }
}

function routes(...services: readonly ServiceRoute[]): RouteTable {
  return { services, dns: [], domain: 'cluster.local' }
}

const one = routes(service('web', [port(80, ['10.88.0.2'])]))
const two = routes(service('web', [port(80, ['10.88.0.2', '10.88.0.3'])]))
const none = routes(service('web', [port(80, [])]))
const sticky = (...ips: string[]) => routes(service('web', [port(80, ips)], { affinitySeconds: 600 }))

describe('compileNft', () => {
  test('replaces its own table and no other', () => {
    const text = compileNft(two, options)
    expect(text.split('\n').slice(0, 3)).toEqual(['add table ip trireme', 'delete table ip trireme', 'add table ip trireme'])
    expect(text.split('\n').filter((line) => line !== '' && !line.includes(' ip trireme'))).toEqual([])
  })

  test('spreads new connections over all backends', () => {
    const text = compileNft(two, options)
    expect(text).toContain('dnat to numgen random mod 2 map { 0 : 10.88.0.2 . 8080, 1 : 10.88.0.3 . 8080 }')
    expect(text).toMatch(/services \{ 10\.88\.128\.20 \. tcp \. 80 : goto svc-[0-9a-f]{12}-shop\/web\/tcp\/80 \}/)
  })

  test('a port without backends has no element, so that the input chain refuses it', () => {
    const text = compileNft(none, options)
    expect(text).not.toContain('add element')
    expect(text).toContain('ip daddr 10.88.128.0/17 meta l4proto tcp reject with tcp reset')
    expect(text).toContain('ip daddr 10.88.128.0/17 meta l4proto udp reject with icmp port-unreachable')
  })

  test('the name server stays reachable inside the service range', () => {
    const lines = compileNft(none, options).split('\n')
    const accept = lines.findIndex((line) => line.includes('ip daddr 10.88.128.10') && line.endsWith('accept'))
    expect(accept).toBeGreaterThan(0)
    expect(accept).toBeLessThan(lines.findIndex((line) => line.includes('reject')))
  })

  test('every address of a Service answers on every port', () => {
    const text = compileNft(
      routes(service('dns', [port(53, ['10.88.0.2'], { protocol: 'udp' })], { addresses: ['10.88.128.20', '10.88.128.21'] })),
      options,
    )
    expect(text).toContain('10.88.128.20 . udp . 53 : goto')
    expect(text).toContain('10.88.128.21 . udp . 53 : goto')
    expect(text).toContain('meta l4proto udp dnat to 10.88.0.2:8080')
  })

  test('a new connection that meets rules and maps of two generations is looked up once more, not refused', () => {
    const chains = [...compileNft(two, options).matchAll(/add chain ip trireme (\S+) \{ type nat hook (\w+) priority (-?\d+)/g)]
    for (const hook of ['prerouting', 'output']) {
      const looks = chains.filter(([, , at]) => at === hook)
      expect(looks.map(([, name]) => name)).toEqual([hook, `${hook}-again`])
      expect(Number(looks[1]?.[3])).toBeGreaterThan(Number(looks[0]?.[3]))
      for (const [, name] of looks)
        expect(compileNft(two, options)).toContain(
          `add rule ip trireme ${name} ip daddr . meta l4proto . th dport vmap @services`,
        )
    }
  })

  test('the order of backends and of services makes no difference', () => {
    const a = service('a', [port(80, ['10.88.0.2', '10.88.0.3'])])
    const b = service('b', [port(81, ['10.88.0.4'])], { addresses: ['10.88.128.21'] })
    const reversed = service('a', [port(80, ['10.88.0.3', '10.88.0.2'])])
    expect(compileNft(routes(a, b), options)).toBe(compileNft(routes(b, reversed), options))
  })

  test('the first Service keeps an address and port that two claim', () => {
    const text = compileNft(routes(service('a', [port(80, ['10.88.0.2'])]), service('b', [port(80, ['10.88.0.3'])])), options)
    expect(text.match(/10\.88\.128\.20 \. tcp \. 80 :/g)).toHaveLength(1)
    expect(text).toContain('-shop/a/tcp/80 }')
    expect(text).not.toContain('10.88.0.3')
  })

  test('affinity remembers a client per backend, for the time asked', () => {
    const text = compileNft(sticky('10.88.0.2', '10.88.0.3'), options)
    expect(text.match(/flags dynamic,timeout ; timeout 600s/g)).toHaveLength(2)
    expect(text.match(/ip saddr @aff-\S+ goto ep-/g)).toHaveLength(2)
    expect(text.match(/update @aff-\S+ \{ ip saddr \}/g)).toHaveLength(2)
  })

  test('names stay within what nft allows', () => {
    const long = { namespace: 'n'.repeat(63), name: 's'.repeat(63), affinitySeconds: 5 }
    const names = compileNft(routes(service('', [port(80, ['10.88.0.2'])], long)), options).match(/(svc|ep|aff)-\S+/g) ?? []
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) expect(name.length).toBeLessThan(128)
  })
})

describe('compileNftChange', () => {
  const cases = [
    { name: 'nothing differs', from: two, to: two, want: '' },
    {
      name: 'a backend leaves: its chain alone is written again',
      from: two,
      to: one,
      want: [
        'flush chain ip trireme svc-X-shop/web/tcp/80',
        'add rule ip trireme svc-X-shop/web/tcp/80 meta l4proto tcp dnat to 10.88.0.2:8080',
      ],
    },
    {
      name: 'the last backend leaves: element first, then its chain',
      from: one,
      to: none,
      want: [
        'delete element ip trireme services { 10.88.128.20 . tcp . 80 }',
        'flush chain ip trireme svc-X-shop/web/tcp/80',
        'delete chain ip trireme svc-X-shop/web/tcp/80',
      ],
    },
    {
      name: 'the first backend comes: chain first, then its element',
      from: none,
      to: one,
      want: [
        'add chain ip trireme svc-X-shop/web/tcp/80',
        'add rule ip trireme svc-X-shop/web/tcp/80 meta l4proto tcp dnat to 10.88.0.2:8080',
        'add element ip trireme services { 10.88.128.20 . tcp . 80 : goto svc-X-shop/web/tcp/80 }',
      ],
    },
  ]
  for (const { name, from, to, want } of cases) {
    test(name, () => {
      const text = compileNftChange(from, to, options).replaceAll(/svc-[0-9a-f]{12}/g, 'svc-X')
      expect(text).toBe(typeof want === 'string' ? want : `${want.join('\n')}\n`)
    })
  }

  test('clients of a backend that stays are not forgotten', () => {
    const text = compileNftChange(sticky('10.88.0.2', '10.88.0.3'), sticky('10.88.0.2', '10.88.0.4'), options)
    expect(text.match(/add set/g)).toHaveLength(1)
    expect(text.match(/delete set/g)).toHaveLength(1)
    expect(text.match(/flush chain ip trireme ep-/g)).toHaveLength(1)
  })

  test('another affinity time needs other sets', () => {
    const longer = routes(service('web', [port(80, ['10.88.0.2'])], { affinitySeconds: 900 }))
    expect(compileNftChange(sticky('10.88.0.2'), longer, options)).toMatch(/add set \S+ \S+ aff-.* timeout 900s/)
  })
})

describe('staleFlows', () => {
  const udp = (...ips: string[]) => routes(service('dns', [port(53, ips, { protocol: 'udp' })]))

  test('names the UDP backends that left, and only those', () => {
    expect(staleFlows(udp('10.88.0.2', '10.88.0.3'), udp('10.88.0.3'))).toEqual([
      { address: '10.88.128.20', port: 53, backendIp: '10.88.0.2', backendPort: 8080 },
    ])
  })

  test('TCP connections end by themselves', () => {
    expect(staleFlows(two, one)).toEqual([])
  })
})
