import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText } from '../../../src/model/canonical.ts'
import { canonicalize } from '../../../src/model/canonicalize.ts'
import { isMap, type Raw } from '../../../src/model/raw.ts'
import type { Manifest } from '../../../src/model/types/loaded.ts'
import { load, plainDigest } from '../../support/manifests.ts'
import { anyKind, shuffledKeys, wordy } from './arbitrary.ts'

const context = { defaultNamespace: 'default', digest: plainDigest, vault: () => undefined }
const manifest = (body: unknown): Manifest => ({ origin: { file: 'a.yaml', line: 1, revision: 'r' }, body })

test('no document of any shape throws, and each gets a verdict', () => {
  fc.assert(
    fc.property(fc.array(wordy, { maxLength: 4 }), (bodies) => {
      const loaded = load(bodies.map(manifest))
      expect(loaded.verdicts).toHaveLength(bodies.length)
      for (const verdict of loaded.verdicts) expect(verdict.verdict === 'honoured').toBe(verdict.reasons.length === 0)
    }),
    { numRuns: 300 },
  )
})

test('a valid document has an object, in canonical form already', () => {
  fc.assert(
    fc.property(anyKind, (body) => {
      const loaded = load([manifest(body)])
      expect(loaded.problems.filter(({ severity }) => severity !== 'notice')).toEqual([])
      const [only] = [...loaded.objects.values()]
      expect(canonicalText(canonicalize(only?.object as unknown as Raw, context))).toBe(canonicalText(only?.object))
    }),
    { numRuns: 200 },
  )
})

test('the order of keys changes nothing, and nothing given is changed', () => {
  fc.assert(
    fc.property(anyKind, fc.infiniteStream(fc.nat()), (body, order) => {
      const before = JSON.stringify(body)
      const shuffled = shuffledKeys(body, () => order.next().value ?? 0)
      expect(isMap(shuffled)).toBe(true)
      const [a, b] = [body, shuffled].map((one) => canonicalText([...load([manifest(one)]).objects.values()][0]?.object))
      expect(b).toBe(a)
      expect(JSON.stringify(body)).toBe(before)
    }),
    { numRuns: 100 },
  )
})

test('the order of documents changes nothing', () => {
  fc.assert(
    fc.property(fc.array(anyKind, { minLength: 1, maxLength: 6 }), (bodies) => {
      const objects = (list: readonly unknown[]) =>
        [...load(list.map(manifest)).objects].map(([key, { object }]) => [key, canonicalText(object)])
      expect(objects(bodies.toReversed())).toEqual(objects(bodies))
    }),
    { numRuns: 60 },
  )
})
