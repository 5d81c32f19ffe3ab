import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRequested } from '../../../src/controller/requested.ts'

test('what is kept as sums is what the workloads request now, and one of them left out on demand', () => {
  const requests = fc.record({ cpuMillis: fc.nat(4000), memoryBytes: fc.nat(2 ** 30) })
  const nodes = ['alpha', 'beta']
  const change = fc.record({
    key: fc.constantFrom('Deployment/shop/a' as const, 'Deployment/shop/b' as const, 'Job/shop/c' as const),
    own: fc.array(fc.tuple(fc.constantFrom(...nodes), requests), { maxLength: 2 }),
  })
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const requested = createRequested()
      const known = new Map<string, ReadonlyMap<string, { cpuMillis: number; memoryBytes: number }>>()
      for (const { key, own } of changes) {
        requested.set(key, new Map(own))
        known.set(key, new Map(own))
      }
      for (const node of nodes)
        for (const except of [undefined, 'Deployment/shop/a', 'Job/shop/c'] as const) {
          const others = [...known].flatMap(([key, own]) => (key === except ? [] : (own.get(node) ?? [])))
          expect(requested.of(node, except)).toEqual({
            cpuMillis: others.reduce((sum, { cpuMillis }) => sum + cpuMillis, 0),
            memoryBytes: others.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
          })
        }
    }),
  )
})
