import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bytes,
  compareQuantities,
  cpuMillis,
  formatQuantity,
  normalQuantity,
  parseQuantity,
  QuantityError,
} from '../../src/model/quantity.ts'
import { matches } from '../../src/model/selector.ts'
import { isBase64, isDnsLabel, isDnsSubdomain, isLabelKey, isLabelValue, isPortName } from '../../src/model/syntax.ts'
import type { LabelSelector, SelectorRequirement } from '../../src/model/types/meta.ts'
import { resolveCount } from '../../src/reconcilers/rollout.ts'
import { load } from '../support/manifests.ts'
import { tryAll } from './fuzz.ts'
import { inherited, oddText, oddValue, torn } from './nasty.ts'

describe('quantities', () => {
  const most = (2n ** 63n - 1n) * 10n ** 9n
  const powers: Readonly<Record<string, readonly [base: bigint, power: number]>> = {
    n: [10n, -9],
    u: [10n, -6],
    m: [10n, -3],
    '': [10n, 0],
    k: [10n, 3],
    M: [10n, 6],
    G: [10n, 9],
    T: [10n, 12],
    P: [10n, 15],
    E: [10n, 18],
    Ki: [2n, 10],
    Mi: [2n, 20],
    Gi: [2n, 30],
    Ti: [2n, 40],
    Pi: [2n, 50],
    Ei: [2n, 60],
  }

  /** Whole fractions all the way: numerator and denominator, no rounding before the end. */
  function oracle(sign: string, whole: string, fraction: string, [base, power]: readonly [bigint, number]): bigint {
    let top = BigInt(whole + fraction) * 10n ** 9n
    let bottom = 10n ** BigInt(fraction.length)
    if (power >= 0) top *= base ** BigInt(power)
    else bottom *= base ** BigInt(-power)
    const up = (top + bottom - 1n) / bottom
    const capped = up > most ? most : up
    return sign === '-' ? -capped : capped
  }

  const digits = fc.stringMatching(/^[0-9]{1,30}$/)
  const suffix = fc.constantFrom(...Object.keys(powers))
  const exponent = fc.tuple(fc.constantFrom('e', 'E'), fc.integer({ min: -40, max: 40 }))
  const sign = fc.constantFrom('', '+', '-')

  test('agree with fractions of whole numbers', () =>
    tryAll(fc.tuple(sign, digits, fc.option(digits, { nil: '' }), suffix), 6000, ([plus, whole, fraction, unit]) => {
      const { nanos } = parseQuantity(`${plus}${whole}${fraction === '' ? '' : `.${fraction}`}${unit}`)
      expect(nanos).toBe(oracle(plus, whole, fraction, powers[unit]!))
    }))

  test('with exponents too', () =>
    tryAll(fc.tuple(sign, digits, exponent), 3000, ([plus, whole, [letter, power]]) => {
      expect(parseQuantity(`${plus}${whole}${letter}${power}`).nanos).toBe(oracle(plus, whole, '', [10n, power]))
    }))

  test('print as what reads the same, in one way', () =>
    tryAll(fc.tuple(sign, digits, fc.option(digits, { nil: '' }), suffix), 3000, ([plus, whole, fraction, unit]) => {
      const text = `${plus}${whole}${fraction === '' ? '' : `.${fraction}`}${unit}`
      const quantity = parseQuantity(text)
      const normal = normalQuantity(text)
      for (const printed of [formatQuantity(quantity), normal])
        expect(compareQuantities(parseQuantity(printed), quantity)).toBe(0)
      expect(normalQuantity(normal)).toBe(normal)
    }))

  const nearly = torn(
    fc.tuple(digits, suffix).map(([whole, unit]) => `${whole}.5${unit}`),
    3,
  )

  test('of any text: an amount within 64 bits, or a short error', () =>
    tryAll(
      fc.oneof(
        nearly,
        oddText,
        fc.constantFrom('9'.repeat(1_000_000), `0.${'0'.repeat(1_000_000)}1`, '1e999999999', '1e-999999999', '.', '', '-', '1e'),
      ),
      5000,
      (text) => {
        try {
          const quantity = parseQuantity(text)
          for (const amount of [cpuMillis(quantity), bytes(quantity)]) expect(Number.isFinite(amount)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(QuantityError)
          expect((error as Error).message.length).toBeLessThan(500)
        }
      },
    ))
})

describe('selectors', () => {
  const key = fc.constantFrom('a', 'b', 'c', ...inherited)
  const value = fc.constantFrom('', 'x', 'y', ...inherited)
  const labels = fc.dictionary(key, value, { maxKeys: 4 })
  const requirement: fc.Arbitrary<SelectorRequirement> = fc.record({
    key,
    operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
    values: fc.array(value, { maxLength: 3 }),
  })

  /** By sets of pairs, as the Kubernetes documentation puts it. */
  function oracle(selector: LabelSelector, own: ReadonlyMap<string, string>): boolean {
    const wanted = Object.entries(selector.matchLabels).every(([name, want]) => own.get(name) === want)
    return (
      wanted &&
      selector.matchExpressions.every((part) => {
        const has = own.has(part.key)
        const among = has && new Set(part.values).has(own.get(part.key) ?? '')
        return { In: among, NotIn: !among, Exists: has, DoesNotExist: !has }[part.operator]
      })
    )
  }

  test('agree with sets, whatever the keys are called', () =>
    tryAll(fc.tuple(labels, labels, fc.array(requirement, { maxLength: 3 })), 5000, ([matchLabels, own, matchExpressions]) => {
      const selector = { matchLabels, matchExpressions }
      expect(matches(selector, own)).toBe(oracle(selector, new Map(Object.entries(own))))
    }))
})

describe('names, labels and encodings', () => {
  const edge = fc.oneof(
    oddText,
    fc.stringMatching(/^[a-zA-Z0-9._/-]{0,70}$/),
    fc.nat(300).map((length) => 'a'.repeat(length)),
  )
  const alnum = (char: string | undefined) => char !== undefined && /^[A-Za-z0-9]$/.test(char)
  const ends = (text: string) => alnum(text[0]) && alnum(text.at(-1))
  const among = (text: string, allowed: string) => [...text].every((char) => alnum(char) || allowed.includes(char))
  const lower = (text: string) => text === text.toLowerCase()

  test('agree with the rules read letter by letter', () =>
    tryAll(edge, 6000, (text) => {
      const label = text.length <= 63 && ends(text) && among(text, '-') && lower(text)
      expect(isDnsLabel(text)).toBe(label)
      expect(isDnsSubdomain(text)).toBe(
        text.length <= 253 && text.split('.').every((part) => ends(part) && among(part, '-') && lower(part)),
      )
      expect(isLabelValue(text)).toBe(text === '' || (text.length <= 63 && ends(text) && among(text, '-_.')))
      const [prefix, name, ...more] = text.includes('/') ? text.split('/') : [undefined, text]
      const qualified = name !== undefined && name.length <= 63 && ends(name) && among(name, '-_.')
      expect(isLabelKey(text)).toBe(more.length === 0 && qualified && (prefix === undefined || isDnsSubdomain(prefix)))
      expect(isPortName(text)).toBe(label && text.length <= 15 && /[a-z]/.test(text) && !text.includes('--'))
    }))

  test('base64 is what encodes to itself', () =>
    tryAll(
      fc.oneof(
        torn(
          fc.uint8Array({ maxLength: 30 }).map((raw) => Buffer.from(raw).toString('base64')),
          2,
        ),
        oddText,
      ),
      4000,
      (text) => {
        const bare = text.replace(/[\r\n]/g, '')
        const again = Buffer.from(bare, 'base64').toString('base64')
        // The last digit may carry bits that nothing is made of.
        if (again === bare) expect(isBase64(text)).toBe(true)
        if (isBase64(text)) expect(again.slice(0, -4)).toBe(bare.slice(0, -4))
      },
    ))

  test('a share of any count is a count', () =>
    tryAll(
      fc.tuple(
        fc.oneof(
          fc.nat(2 ** 31 - 1),
          fc.nat(999_999_999).map((n) => `${n}%`),
        ),
        fc.nat(2 ** 31 - 1),
      ),
      2000,
      ([amount, total]) => {
        for (const round of [Math.ceil, Math.floor])
          expect(Number.isInteger(resolveCount(amount as never, total, round))).toBe(true)
      },
    ))
})

test('a field with any value is taken or refused, never both', () =>
  tryAll(
    fc.tuple(
      fc.constantFrom(
        'replicas',
        'minReadySeconds',
        'revisionHistoryLimit',
        'paused',
        'progressDeadlineSeconds',
        'strategy',
        'selector',
      ),
      oddValue,
    ),
    4000,
    ([name, value]) => {
      const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'a', image: 'a' }] } }
      const spec = { selector: { matchLabels: { app: 'x' } }, template, [name]: value }
      const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' }, spec }
      const loaded = load([{ origin: { file: 'a.yaml', line: 1, revision: 'r' }, body }])
      const errors = loaded.problems.filter(({ severity }) => severity !== 'notice')
      expect(loaded.objects.size).toBe(errors.length === 0 ? 1 : 0)
      for (const { field, message } of errors) expect(`${field} ${message}`).toContain(field === '' ? '' : 'spec')
    },
  ))
