import { promises as dns } from 'node:dns'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DnsRecord } from '../../../src/reconcilers/routetable.ts'
import type { RouterClient } from '../../../src/runtime/router/client.ts'
import { RouterLab, routes, type TestPod } from '../../support/router.ts'

const lab = new RouterLab('10.98')
const zone = 'default.svc.cluster.local'
let pod: TestPod
let client: RouterClient
let resolver: dns.Resolver

const address = (name: string, value: string): DnsRecord => ({ type: 'A', name: `${name}.${zone}`, value })
const alias = (name: string, value: string): DnsRecord => ({ type: 'CNAME', name: `${name}.${zone}`, value })

function records(): DnsRecord[] {
  return [
    address('web', lab.address(20)),
    address('headless', '10.98.1.1'),
    address('headless', '10.98.1.2'),
    { type: 'SRV', name: `_http._tcp.web.${zone}`, priority: 0, weight: 100, port: 80, target: `web.${zone}` },
    { type: 'PTR', name: '20.128.98.10.in-addr.arpa', value: `web.${zone}` },
    alias('inside', `web.${zone}`),
    alias('chain', `inside.${zone}`),
    alias('outside', `${lab.prefix}-pod`),
    alias('dangling', `nobody.${zone}`),
  ]
}

beforeAll(async () => {
  await lab.start()
  pod = await lab.pod('pod', 1)
  client = await lab.reconnect()
  resolver = new dns.Resolver({ timeout: 2_000, tries: 2 })
  resolver.setServers([lab.dnsAddress])
  await client.apply(routes([], records()))
})
afterAll(() => lab.remove())

function failure(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    (answer) => JSON.stringify(answer),
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  )
}

describe('the name server', () => {
  test('answers every kind of record, with a TTL of 5 s', async () => {
    expect(await resolver.resolve4(`web.${zone}`, { ttl: true })).toEqual([{ address: lab.address(20), ttl: 5 }])
    expect((await resolver.resolve4(`headless.${zone}`)).sort()).toEqual(['10.98.1.1', '10.98.1.2'])
    expect(await resolver.resolveSrv(`_http._tcp.web.${zone}`)).toEqual([
      { name: `web.${zone}`, port: 80, priority: 0, weight: 100 },
    ])
    expect(await resolver.reverse(lab.address(20))).toEqual([`web.${zone}`])
  })

  test('does not care about letter case', async () => {
    expect(await resolver.resolve4(`WeB.DEFAULT.svc.Cluster.Local`)).toEqual([lab.address(20)])
  })

  test('tells a name that does not exist from one without such a record', async () => {
    expect(await failure(resolver.resolve4(`nobody.${zone}`))).toBe('ENOTFOUND')
    expect(await failure(resolver.resolve6(`web.${zone}`))).toBe('ENODATA')
    expect(await failure(resolver.reverse(lab.address(99)))).toBe('ENOTFOUND')
  })

  test('follows an ExternalName to a Service, over another one, and out of the cluster', async () => {
    expect(await resolver.resolve4(`inside.${zone}`)).toEqual([lab.address(20)])
    expect(await resolver.resolve4(`chain.${zone}`)).toEqual([lab.address(20)])
    expect(await resolver.resolve4(`outside.${zone}`)).toEqual([pod.ip])
    expect(await failure(resolver.resolve4(`dangling.${zone}`))).toBe('ENOTFOUND')
  })

  test("forwards every other name to Docker's own resolver", async () => {
    expect(await resolver.resolve4(`${lab.prefix}-pod`)).toEqual([pod.ip])
  })

  test('gives pods short names by their search domains', async () => {
    for (const name of ['web', 'web.default', 'web.default.svc', `web.${zone}`]) {
      expect(await lab.exec(pod.id, `getent ahostsv4 ${name} | cut -d' ' -f1 | sort -u`)).toBe(lab.address(20))
    }
    expect(await lab.exec(pod.id, `getent ahostsv4 inside | cut -d' ' -f1 | sort -u`)).toBe(lab.address(20))
    expect(await lab.exec(pod.id, 'getent ahostsv4 nobody; echo "code $?"')).toBe('code 2')
  })

  test('serves a change as soon as it is acknowledged', async () => {
    for (let round = 0; round < 5; round++) {
      await client.apply(routes([], [address('moving', `10.98.1.${round + 1}`)]))
      expect(await resolver.resolve4(`moving.${zone}`)).toEqual([`10.98.1.${round + 1}`])
    }
    await client.apply(routes([], []))
    expect(await failure(resolver.resolve4(`moving.${zone}`))).toBe('ENOTFOUND')
    await client.apply(routes([], records()))
    expect(await resolver.resolve4(`web.${zone}`)).toEqual([lab.address(20)])
  })

  test('never loses a name that stays, nor one whose addresses change', async () => {
    let changing = true
    let asked = 0
    const load = (async () => {
      while (changing) {
        expect(await failure(resolver.resolve4(`web.${zone}`))).toBe(`["${lab.address(20)}"]`)
        expect(await failure(resolver.resolve4(`headless.${zone}`))).toMatch(/10\.98\.1\./)
        asked++
      }
    })()
    for (let round = 0; round < 20; round++) {
      const moved = address('headless', `10.98.1.${round + 10}`)
      await client.apply(routes([], [address('web', lab.address(20)), moved, address(`other-${round}`, '10.98.1.9')]))
    }
    changing = false
    await load
    expect(asked).toBeGreaterThan(20)
  })

  test('answers what is too long for a datagram over TCP', async () => {
    const many = Array.from({ length: 200 }, (_, i) => address('many', `10.98.2.${i + 1}`))
    await client.apply(routes([], many))
    expect(await resolver.resolve4(`many.${zone}`)).toHaveLength(200)
  })
})
