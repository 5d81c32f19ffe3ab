import { expect, test } from 'vitest'
import { createHoldings } from '../../../src/controller/holdings.ts'
import type { PodRecord, ServiceMemory, WorkloadMemory } from '../../../src/reconcilers/memory.ts'

const WEB = 'Deployment/shop/web'
const API = 'Deployment/shop/api'

function workload(...pods: readonly { readonly uid: string; readonly ip: string }[]): WorkloadMemory {
  return { pods: pods as readonly PodRecord[] } as WorkloadMemory
}

function service(clusterIP: string): ServiceMemory {
  return { uid: 'u', createdAt: 0, clusterIP, nodePorts: {} }
}

test('pods and their addresses are held until their workload says otherwise', () => {
  const holdings = createHoldings()
  holdings.workload(WEB, workload({ uid: 'a', ip: '10.0.0.1' }, { uid: 'b', ip: '10.0.0.2' }))
  expect(holdings.hasPod('a')).toBe(true)
  expect(holdings.hasPodAddress('10.0.0.2')).toBe(true)
  holdings.workload(WEB, workload({ uid: 'b', ip: '10.0.0.2' }))
  expect(holdings.hasPod('a')).toBe(false)
  expect(holdings.hasPodAddress('10.0.0.1')).toBe(false)
  expect(holdings.hasPodAddress('10.0.0.2')).toBe(true)
  holdings.workload(WEB, undefined)
  expect(holdings.hasPodAddress('10.0.0.2')).toBe(false)
})

test('an address that two workloads claim stays held when one of them gives it up', () => {
  const holdings = createHoldings()
  holdings.workload(WEB, workload({ uid: 'a', ip: '10.0.0.1' }))
  holdings.workload(API, workload({ uid: 'b', ip: '10.0.0.1' }))
  holdings.workload(WEB, workload())
  expect(holdings.hasPodAddress('10.0.0.1')).toBe(true)
})

test('a Service does not stand in its own way', () => {
  const holdings = createHoldings()
  holdings.service('Service/shop/web', service('10.0.128.1'))
  expect(holdings.hasServiceAddress('10.0.128.1', 'Service/shop/web')).toBe(false)
  expect(holdings.hasServiceAddress('10.0.128.1', 'Service/shop/api')).toBe(true)
  holdings.service('Service/shop/web', undefined)
  expect(holdings.hasServiceAddress('10.0.128.1', 'Service/shop/api')).toBe(false)
})

test('who else has a say in a port of the host is known until it has none', () => {
  const holdings = createHoldings()
  holdings.claims('Service/shop/web', ['tcp/80', 'tcp/443'])
  holdings.claims('Service/shop/api', ['tcp/80'])
  holdings.claims('Service/shop/dns', ['udp/443'])
  expect(holdings.claimants('tcp/80', 'Service/shop/web')).toEqual(['Service/shop/api'])
  expect(holdings.rivals('Service/shop/web')).toEqual(['Service/shop/api'])
  expect(holdings.rivals('Service/shop/dns')).toEqual([])
  holdings.claims('Service/shop/api', [])
  expect(holdings.claimants('tcp/80', 'Service/shop/web')).toEqual([])
  expect(holdings.rivals('Service/shop/web')).toEqual([])
})
