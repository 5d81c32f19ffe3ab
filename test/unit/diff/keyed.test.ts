import { expect, test } from 'vitest'
import { itemsBySegment } from '../../../src/diff/keyed.ts'
import { schemaKeys } from '../../../src/diff/keys.ts'

test('an item is known by its own fields only, and not by what it inherits', () => {
  expect(itemsBySegment([Object.create({ name: 'a' })], ['name'])).toBeUndefined()
  expect([...(itemsBySegment([{ name: 'a' }], ['name'])?.keys() ?? [])]).toEqual(['[name=a]'])
})

test.each([
  ['containers', true],
  ['volumes', false],
] as const)('whether the order of %s means something: %s', (list, ordered) => {
  expect(schemaKeys('Deployment')(`spec.template.spec.${list}`)?.ordered).toBe(ordered)
})
