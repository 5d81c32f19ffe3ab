import { expect, test } from 'vitest'
import { createRouting } from '../../../src/controller/routing.ts'
import { endpoint, service } from '../../support/world.ts'

const WEB = 'Deployment/shop/web'
const SERVICE = 'Service/shop/web'
const placed = (spec = {}) => ({ service: service(spec), clusterIP: '10.88.200.1' })
const backends = (routing: ReturnType<typeof createRouting>) =>
  routing.table().services.flatMap(({ ports }) => ports.flatMap((port) => port.backends.map(({ uid }) => uid)))

test('a Service that selects other pods now is not concerned with those that it selected', () => {
  const routing = createRouting('cluster.local')
  routing.setService(SERVICE, placed())
  routing.setService(SERVICE, placed({ selector: { app: 'api' } }))
  expect(routing.setPods(WEB, [endpoint(1)])).toEqual([])
  routing.setService(SERVICE, undefined)
  routing.setService('Service/shop/other', placed({ selector: { app: 'api' } }))
  expect(routing.setPods('Deployment/shop/api', [endpoint(2, { labels: { app: 'api' } })])).toEqual(['Service/shop/other'])
})

test('a pod that matches a part of a selector is not sent to, and its Service hears nothing of it', () => {
  const routing = createRouting('cluster.local')
  routing.setService(SERVICE, placed({ selector: { app: 'web', tier: 'front' } }))
  expect(routing.setPods(WEB, [endpoint(1)])).toEqual([])
  expect(backends(routing)).toEqual([])
})

test('a name that changed alone makes another table', () => {
  const routing = createRouting('cluster.local')
  const external = (externalName: string) => ({ service: service({ type: 'ExternalName', externalName }), clusterIP: '' })
  routing.setService(SERVICE, external('a.example.org'))
  const before = routing.table()
  routing.setService(SERVICE, external('b.example.org'))
  expect(routing.table().dns).not.toEqual(before.dns)
})

test('what led to a pod is forgotten with it', () => {
  const routing = createRouting('cluster.local')
  routing.setService(SERVICE, placed())
  routing.setPods(WEB, [endpoint(1)])
  const table = routing.table()
  expect(routing.routesTo(table, 'uid-1').size).toBe(1)
  routing.released(['uid-1'])
  expect(routing.routesTo(table, 'uid-1').size).toBe(0)
})

test('a table of a daemon before this one leads where it says', () => {
  const before = createRouting('cluster.local')
  before.setService(SERVICE, placed())
  before.setPods(WEB, [endpoint(1)])
  expect(createRouting('cluster.local').routesTo(structuredClone(before.table()), 'uid-1').size).toBe(1)
})

test('of many Services that change at once those that are gone are gone', () => {
  const routing = createRouting('cluster.local')
  const keys = Array.from({ length: 100 }, (_, index) => `Service/shop/s${index}`)
  for (const key of keys) routing.setService(key, { service: service({}, key.slice('Service/shop/'.length)), clusterIP: '' })
  expect(routing.table().services).toHaveLength(100)
  for (const key of keys.slice(10)) routing.setService(key, undefined)
  expect(routing.table().services).toHaveLength(10)
})
