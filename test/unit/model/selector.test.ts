import { describe, expect, test } from 'vitest'
import { matches, matchesLabels, parseSelector } from '../../../src/model/selector.ts'
import type { LabelSelector, SelectorRequirement } from '../../../src/model/types/meta.ts'

const labels = { app: 'web', tier: 'front' }
const selecting = (matchLabels: Record<string, string>, ...matchExpressions: SelectorRequirement[]): LabelSelector => ({
  matchLabels,
  matchExpressions,
})

for (const { name, selector, want } of [
  { name: 'nothing is selected by null', selector: null, want: false },
  { name: 'everything is selected by an empty selector', selector: selecting({}), want: true },
  { name: 'an equal label', selector: selecting({ app: 'web' }), want: true },
  { name: 'another value', selector: selecting({ app: 'api' }), want: false },
  { name: 'a label that is not there', selector: selecting({ zone: 'a' }), want: false },
  { name: 'one of two', selector: selecting({ app: 'web', zone: 'a' }), want: false },
  { name: 'In with the value', selector: selecting({}, { key: 'app', operator: 'In', values: ['api', 'web'] }), want: true },
  { name: 'In without the key', selector: selecting({}, { key: 'zone', operator: 'In', values: ['a'] }), want: false },
  { name: 'NotIn with the value', selector: selecting({}, { key: 'app', operator: 'NotIn', values: ['web'] }), want: false },
  { name: 'NotIn without the key', selector: selecting({}, { key: 'zone', operator: 'NotIn', values: ['a'] }), want: true },
  { name: 'Exists', selector: selecting({}, { key: 'tier', operator: 'Exists', values: [] }), want: true },
  { name: 'Exists without the key', selector: selecting({}, { key: 'zone', operator: 'Exists', values: [] }), want: false },
  { name: 'DoesNotExist', selector: selecting({}, { key: 'zone', operator: 'DoesNotExist', values: [] }), want: true },
  {
    name: 'DoesNotExist with the key',
    selector: selecting({}, { key: 'app', operator: 'DoesNotExist', values: [] }),
    want: false,
  },
  {
    name: 'both forms must hold',
    selector: selecting({ app: 'web' }, { key: 'tier', operator: 'In', values: ['back'] }),
    want: false,
  },
  {
    name: 'an inherited name is no label',
    selector: selecting({}, { key: 'constructor', operator: 'Exists', values: [] }),
    want: false,
  },
] as const)
  test(`matches: ${name}`, () => expect(matches(selector, labels)).toBe(want))

test('matchesLabels: an empty map holds for all, an inherited name for none', () => {
  expect(matchesLabels({}, labels)).toBe(true)
  expect(matchesLabels({ tier: 'front', app: 'web' }, labels)).toBe(true)
  expect(matchesLabels({ toString: 'x' }, labels)).toBe(false)
})

describe('as kubectl writes it', () => {
  const labels = { app: 'web', tier: 'front', 'example.com/track': 'stable' }
  test.each([
    ['app=web', true],
    ['app==web', true],
    ['app=cart', false],
    ['app!=cart', true],
    ['other!=cart', true],
    ['app = web , tier=front', true],
    ['app=web,tier=back', false],
    ['app in (web, cart)', true],
    ['app in (cart),tier=front', false],
    ['app notin (cart,shop)', true],
    ['example.com/track', true],
    ['!example.com/track', false],
    ['old', false],
    ['!old', true],
    ['app=', false],
  ])('%s', (text, want) => expect(matches(parseSelector(text), labels)).toBe(want))

  test.each(['', 'app near web', 'app=web,', 'in (a)', 'app in a', '=web', 'app=a b'])('%j is none', (text) =>
    expect(() => parseSelector(text)).toThrow('is no requirement of a label selector'),
  )
})
