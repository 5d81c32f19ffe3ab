import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRouting } from '../../../src/controller/routing.ts'
import type { PodEndpoint } from '../../../src/reconcilers/endpoints.ts'
import type { PlacedService } from '../../../src/reconcilers/placement.ts'
import { buildRouteTable, indexPods, routesByPod, selectedEndpoints } from '../../../src/reconcilers/routes.ts'
import type { RouteTable } from '../../../src/reconcilers/routetable.ts'
import { endpoint, service } from '../../support/world.ts'

const DOMAIN = 'cluster.local'
const OWNERS = ['Deployment/shop/web', 'Deployment/shop/api']
const NAMES = ['web', 'api', 'all']

type Change =
  | { readonly kind: 'pods'; readonly owner: string; readonly pods: readonly PodEndpoint[] }
  | { readonly kind: 'forget'; readonly owner: string }
  | { readonly kind: 'service'; readonly name: string; readonly placed: PlacedService | undefined }

const labels = fc.record({ app: fc.constantFrom('web', 'api'), tier: fc.constantFrom('front', 'back') })
const pod = fc
  .record({ index: fc.integer({ min: 1, max: 6 }), labels, ready: fc.boolean(), terminating: fc.boolean() })
  .map(({ index, ...more }) => endpoint(index, more))
const pods = fc.uniqueArray(pod, { selector: ({ uid }) => uid, maxLength: 6 })
const placed = (name: string) =>
  fc
    .record({
      app: fc.constantFrom('web', 'api'),
      both: fc.boolean(),
      headless: fc.boolean(),
      port: fc.integer({ min: 80, max: 82 }),
    })
    .map(
      ({ app, both, headless, port }): PlacedService => ({
        service: service(
          {
            selector: both ? { app, tier: 'front' } : { app },
            ports: [{ name: 'http', port, targetPort: 8080 }],
            ...(headless ? { clusterIP: 'None' } : {}),
          },
          name,
        ),
        clusterIP: headless ? '' : `10.88.200.${NAMES.indexOf(name) + 1}`,
      }),
    )
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('pods' as const), owner: fc.constantFrom(...OWNERS), pods }),
  fc.record({ kind: fc.constant('forget' as const), owner: fc.constantFrom(...OWNERS) }),
  fc.constantFrom(...NAMES).chain((name) =>
    fc.record({
      kind: fc.constant('service' as const),
      name: fc.constant(name),
      placed: fc.option(placed(name), { nil: undefined }),
    }),
  ),
)

test('kept Service by Service, the table is the one that is built from everything', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const routing = createRouting(DOMAIN)
      const podsOf = new Map<string, readonly PodEndpoint[]>()
      const services = new Map<string, PlacedService>()
      let before: RouteTable = routing.table()
      for (const one of changes) {
        // Each pod belongs to one workload, as its address and uid do.
        const own = (owner: string, all: readonly PodEndpoint[]) =>
          all.filter(({ uid }) => OWNERS.indexOf(owner) === Number(uid.at(-1)) % 2)
        if (one.kind === 'pods') {
          podsOf.set(one.owner, own(one.owner, one.pods))
          routing.setPods(one.owner, own(one.owner, one.pods))
        } else if (one.kind === 'forget') {
          podsOf.delete(one.owner)
          routing.forgetPods(one.owner)
        } else {
          if (one.placed === undefined) services.delete(one.name)
          else services.set(one.name, one.placed)
          routing.setService(`Service/shop/${one.name}`, one.placed)
        }
        const index = indexPods([...podsOf.values()].flat())
        const table = routing.table()
        expect(table).toEqual(buildRouteTable([...services.values()], index, DOMAIN))
        for (const { service: own } of services.values())
          expect(byUid(selectedEndpoints(own, routing))).toEqual(byUid(selectedEndpoints(own, index)))
        for (const old of [before, table])
          for (let uid = 1; uid <= 6; uid++)
            expect(routing.routesTo(old, `uid-${uid}`)).toEqual(routesByPod(old).get(`uid-${uid}`) ?? new Set())
        for (const [at, route] of table.services.entries()) {
          const known = before.services.find(({ name }) => name === route.name)
          if (known !== undefined && JSON.stringify(known) === JSON.stringify(route)) expect(table.services[at]).toBe(known)
        }
        before = table
      }
    }),
  )
})

test('a table of another daemon leads to pods by Services that there are no more', () => {
  const routing = createRouting(DOMAIN)
  const old = buildRouteTable([{ service: service({}, 'gone'), clusterIP: '10.88.200.9' }], indexPods([endpoint(1)]), DOMAIN)
  expect(routing.routesTo(old, 'uid-1').size).toBe(1)
})

function byUid(pods: readonly PodEndpoint[]): PodEndpoint[] {
  return pods.toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
}

test('many Services at once are sorted in as few are', () => {
  const routing = createRouting(DOMAIN)
  const placed = (index: number): PlacedService => ({
    service: service({}, `web-${index}`),
    clusterIP: `10.88.201.${index}`,
  })
  const all = Array.from({ length: 100 }, (_, index) => placed(index))
  routing.setPods('Deployment/shop/web', [endpoint(1)])
  for (const one of all) routing.setService(`Service/shop/${one.service.metadata.name}`, one)
  expect(routing.table()).toEqual(buildRouteTable(all, indexPods([endpoint(1)]), DOMAIN))
  for (const { service: gone } of all.slice(10)) routing.setService(`Service/shop/${gone.metadata.name}`, undefined)
  expect(routing.table()).toEqual(buildRouteTable(all.slice(0, 10), indexPods([endpoint(1)]), DOMAIN))
})
