import { describe, expect, test } from 'vitest'
import {
  bytes,
  compareQuantities,
  cpuMillis,
  formatQuantity,
  normalQuantity,
  parseQuantity,
  QuantityError,
} from '../../../src/model/quantity.ts'

describe('formatQuantity prints what the API server stores', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['0', '0'],
    ['0n', '0'],
    ['0Ki', '0'],
    ['-0', '0'],
    ['1', '1'],
    ['+1', '1'],
    ['.5', '500m'],
    ['5.', '5'],
    ['1.5', '1500m'],
    ['0.001', '1m'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1000k', '1M'],
    ['1024', '1024'],
    ['1024Ki', '1Mi'],
    ['1.5Gi', '1536Mi'],
    ['1.5Ki', '1536'],
    ['0.5Mi', '512Ki'],
    ['0.5Ki', '512'],
    ['1Ei', '1Ei'],
    ['123456789', '123456789'],
    ['1000000000', '1G'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['100e3', '100e3'],
    ['1e2', '100'],
    ['1e-3', '1e-3'],
    ['12e-6', '12e-6'],
    ['1E', '1E'],
    ['0.1n', '1n'],
    ['1.1n', '2n'],
    ['-1.1n', '-2n'],
    ['1e-10', '1e-9'],
    ['-100Mi', '-100Mi'],
    ['-1500m', '-1500m'],
    ['0.0001Ki', '102400u'],
    ['100Ei', '9223372036854775807'],
    ['1e999999999', '9223372036854775807'],
    ['9223372036854775807', '9223372036854775807'],
  ]
  test.each(cases)('%s is %s', (text, want) => expect(formatQuantity(parseQuantity(text))).toBe(want))
})

test.each([
  '',
  '.',
  '-',
  '1.1.M',
  '1+1',
  '--1',
  '1 Gi',
  'Gi',
  '1gi',
  '1K',
  '1mi',
  '0.1mi',
  '1.0b',
  'e3',
  '1e',
  '12x',
  '1_000',
  '１',
])('%j is refused', (text) => expect(() => parseQuantity(text)).toThrow(QuantityError))

describe('normalQuantity gives one text for one amount', () => {
  test.each([
    [['1Gi', '1024Mi', '1073741824', '1.0Gi'], '1Gi'],
    [['0.5', '500m', '5e-1', '500000u'], '500m'],
    [['128M', '128000k', '125000Ki'], '128M'],
    [['1', '1000m', '1e0'], '1'],
    [['1Ki', '1024'], '1Ki'],
    [['2000', '2k', '2e3'], '2k'],
  ])('%j', (texts, want) => expect(texts.map(normalQuantity)).toEqual(texts.map(() => want)))
})

test.each([
  ['500m', 500],
  ['0.5', 500],
  ['2', 2000],
  ['0.1m', 1],
  ['1500u', 2],
  ['-1500u', -2],
])('cpuMillis(%s) is %i', (text, want) => expect(cpuMillis(text)).toBe(want))

test.each([
  ['64Mi', 67_108_864],
  ['128M', 128_000_000],
  ['1500m', 2],
  ['1e3', 1000],
])('bytes(%s) is %i', (text, want) => expect(bytes(text)).toBe(want))

test('amounts compare across families', () => {
  expect(compareQuantities(parseQuantity('1Gi'), parseQuantity('1G'))).toBe(1)
  expect(compareQuantities(parseQuantity('1G'), parseQuantity('1Gi'))).toBe(-1)
  expect(compareQuantities(parseQuantity('1024'), parseQuantity('1Ki'))).toBe(0)
})

test('a number is read as its decimal text', () => {
  expect(formatQuantity(parseQuantity(0.25))).toBe('250m')
  expect(formatQuantity(parseQuantity(2))).toBe('2')
})
