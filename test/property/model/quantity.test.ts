import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareQuantities, formatQuantity, normalQuantity, parseQuantity } from '../../../src/model/quantity.ts'

const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'e-3', 'E6')
const written = fc
  .tuple(fc.constantFrom('', '-', '+'), fc.nat(1_000_000), fc.option(fc.nat(999), { nil: undefined }), suffix)
  .map(([sign, whole, fraction, end]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${end}`)

test('what is printed reads as the same amount, and prints the same again', () => {
  fc.assert(
    fc.property(written, (text) => {
      const quantity = parseQuantity(text)
      const printed = formatQuantity(quantity)
      expect(compareQuantities(parseQuantity(printed), quantity)).toBe(0)
      expect(formatQuantity(parseQuantity(printed))).toBe(printed)
    }),
  )
})

test('equal amounts have one normal text, other amounts another', () => {
  fc.assert(
    fc.property(written, written, (a, b) => {
      const same = compareQuantities(parseQuantity(a), parseQuantity(b)) === 0
      expect(normalQuantity(a) === normalQuantity(b)).toBe(same)
      expect(normalQuantity(normalQuantity(a))).toBe(normalQuantity(a))
    }),
  )
})

test('any text is read or refused, at once', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+.eE0-9KMGTi]{0,40}$/)), (text) => {
      try {
        parseQuantity(text)
      } catch (error) {
        expect((error as Error).name).toBe('QuantityError')
      }
    }),
  )
})
