import { expect, test } from 'vitest'
import { buildRouteTable, indexPods } from '../../../src/reconcilers/routes.ts'
import { changedPods, changedRoutes, sameTable } from '../../../src/reconcilers/tablediff.ts'
import { endpoint, service } from '../../support/world.ts'

/** Services named by letters, `web` first on two ports, with pods by number. */
function tableOf(names: string, ...pods: readonly number[]) {
  const placed = [...names].map((name) => ({ service: service({}, name), clusterIP: `10.88.200.${name.charCodeAt(0)}` }))
  return buildRouteTable(placed, indexPods(pods.map((index) => endpoint(index))), 'cluster.local')
}

test('a table that differs in its names alone is another one', () => {
  const table = tableOf('a', 1)
  expect(sameTable(table, { ...table, dns: [] })).toBe(false)
  expect(sameTable(table, { ...table, domain: 'other' })).toBe(false)
  expect(sameTable(table, structuredClone(table))).toBe(true)
})

test('Services that come, change and go are each told', () => {
  const told = changedRoutes(tableOf('abd', 1), { ...tableOf('acd', 1, 2), dns: [] })
  expect(told.map(({ before, after }) => `${before?.name ?? '-'} ${after?.name ?? '-'}`)).toEqual(['a a', 'b -', '- c', 'd d'])
})

test('a pod that lost one of its routes is treated differently', () => {
  const ports = (...all: readonly number[]) =>
    service({ ports: all.map((port) => ({ name: `p${port}`, port, targetPort: port })) })
  const pods = indexPods([endpoint(1)])
  const table = (...all: readonly number[]) =>
    buildRouteTable([{ service: ports(...all), clusterIP: '10.88.200.1' }], pods, 'cluster.local')
  expect(changedPods(table(80, 81), table(80))).toEqual(['uid-1'])
  expect(changedPods(table(80), table(80, 81))).toEqual(['uid-1'])
  expect(changedPods(table(80), table(80))).toEqual([])
})
