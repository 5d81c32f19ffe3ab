import { expect, test } from 'vitest'
import { choosePodAddress, defineCluster } from '../../../src/reconcilers/cluster.ts'

const of = (subnet: string) => defineCluster({ id: 'test', domain: 'cluster.local', subnet, nodeImage: 'node:1' })

for (const { subnet, router } of [
  { subnet: '10.88.0.0/16', router: '10.88.0.254' },
  { subnet: '10.88.4.0/24', router: '10.88.4.30' },
])
  test(`${subnet}: edges, whose addresses Docker chooses from below, leave the router its own when they start first`, () => {
    expect(of(subnet).routerAddress).toBe(router)
  })

test('no pod is ever given the address of the router', () => {
  const cluster = of('10.88.4.0/24')
  const given = new Set<string>()
  for (let ip = choosePodAddress(cluster, 'a', () => false); ip !== undefined; ) {
    given.add(ip)
    ip = choosePodAddress(cluster, 'a', (one) => given.has(one))
  }
  expect(given).not.toContain(cluster.routerAddress)
  expect(given).not.toContain(cluster.gateway)
  expect(given.size).toBe(128 - 32 - 1)
})
