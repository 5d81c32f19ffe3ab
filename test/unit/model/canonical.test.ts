import { expect, test } from 'vitest'
import { canonicalText, deepFreeze, sha256 } from '../../../src/model/canonical.ts'

test('keys are sorted at every depth and order in lists is kept', () => {
  expect(canonicalText({ b: [{ y: 1, x: 2 }, 'z'], a: null })).toBe('{"a":null,"b":[{"x":2,"y":1},"z"]}')
})

test('what JSON cannot say is left out as JSON does', () => {
  expect(canonicalText({ a: undefined, b: [undefined], c: Number.NaN })).toBe('{"b":[null],"c":null}')
  expect(canonicalText(undefined)).toBe('null')
})

test('sha256 is the hex digest of the UTF-8 bytes', () => {
  expect(sha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(sha256('ä')).toBe(sha256('\u00e4'))
})

test('deepFreeze reaches every level', () => {
  const value = deepFreeze({ a: [{ b: 1 }] })
  expect(() => {
    ;(value.a[0] as { b: number }).b = 2
  }).toThrow(TypeError)
})
