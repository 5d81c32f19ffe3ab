import { expect, test } from 'vitest'
import { indexesText, parseIndexes } from '../../../src/model/indexes.ts'

test.each([
  ['', []],
  ['0', [0]],
  ['0,3-5,7', [0, 3, 4, 5, 7]],
])('%j is read and written', (text, indexes) => {
  expect(parseIndexes(text)).toEqual(indexes)
  expect(indexesText(indexes.toReversed())).toBe(text)
})

test('neighbours are written as a range', () => expect(indexesText([1, 2])).toBe('1-2'))

test.each([
  ['a', 'neither a number nor a range'],
  ['3-1', 'ends before it begins'],
  ['3,1', 'does not come after 3'],
  ['1,1', 'does not come after 1'],
  ['0-999999999', 'more than'],
])('%j is refused', (text, message) => expect(() => parseIndexes(text)).toThrow(message))
