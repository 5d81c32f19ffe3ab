import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { RouteTable } from '../../../../src/reconcilers/routetable.ts'
import { applyRequest, tableOf } from '../../../../src/runtime/router/request.ts'

const options = { serviceRange: '10.88.128.0/17', dnsAddress: '10.88.128.10' }

function table(ip: string): RouteTable {
  const backends = [{ uid: 'u', pod: 'p', ip, port: 8080 }]
  const ports = [{ name: 'http', protocol: 'udp' as const, port: 53, backends }]
  const service = { namespace: 'shop', name: 'web', addresses: ['10.88.128.20'], ports, affinitySeconds: 0 }
  return { services: [service], dns: [{ type: 'A', name: 'web.shop.svc.cluster.local', value: ip }], domain: 'cluster.local' }
}

test('a request is its parts in the lengths it says, under their checksum, and holds the table', () => {
  const next = table('10.88.0.3')
  const request = Buffer.from(applyRequest(7, table('10.88.0.2'), next, options))
  const headEnd = request.indexOf(10)
  const [verb, id, mode, zones, ...sizes] = request.subarray(0, headEnd).toString().split(' ')
  expect([verb, id, mode, zones]).toEqual(['apply', '7', 'change', 'forward'])
  const [change = '', flows = '', stored = '', trailer = ''] = cut(request.subarray(headEnd + 1), sizes.map(Number))
  expect(change).toContain('dnat to 10.88.0.3:8080')
  expect(flows).toBe('10.88.128.20 53 10.88.0.2 8080\n')
  expect(trailer).toBe('end 7\n')
  const [line = ''] = stored.split('\n', 1)
  const [sum, ...lengths] = line.split(' ')
  const kept = stored.slice(line.length + 1)
  expect(sum).toBe(createHash('sha256').update(kept).digest('hex'))
  const [, forward, , meta = ''] = cut(Buffer.from(kept), lengths.map(Number))
  expect(forward).toContain('web.shop.svc.cluster.local. 5 IN A 10.88.0.3')
  expect(tableOf(Buffer.from(meta).toString('base64'), options)).toEqual(next)
})

function cut(bytes: Buffer, sizes: readonly number[]): string[] {
  let at = 0
  const parts = sizes.map((size) => {
    at += size
    return bytes.subarray(at - size, at).toString()
  })
  return [...parts, bytes.subarray(at).toString()]
}
