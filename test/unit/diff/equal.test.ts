import { expect, test } from 'vitest'
import { same } from '../../../src/diff/equal.ts'

for (const { a, b, want } of [
  { a: { x: 1, y: [1, 2] }, b: { y: [1, 2], x: 1 }, want: true },
  { a: { x: undefined }, b: {}, want: true },
  { a: {}, b: { x: undefined, y: undefined }, want: true },
  { a: { x: undefined, y: 1 }, b: { y: 1, z: undefined }, want: true },
  { a: { x: undefined }, b: { y: 1 }, want: false },
  { a: { x: null }, b: {}, want: false },
  { a: [1, 2], b: [2, 1], want: false },
  { a: [1], b: [1, 2], want: false },
  { a: [], b: {}, want: false },
  { a: {}, b: [], want: false },
  { a: Number.NaN, b: Number.NaN, want: true },
  { a: null, b: {}, want: false },
  { a: '1', b: 1, want: false },
  { a: JSON.parse('{"__proto__": 1}'), b: {}, want: false },
  { a: { toString: 1 }, b: {}, want: false },
  { a: {}, b: { toString: undefined }, want: true },
]) {
  test(`same: ${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => {
    expect(same(a, b)).toBe(want)
    expect(same(b, a)).toBe(want)
  })
}
