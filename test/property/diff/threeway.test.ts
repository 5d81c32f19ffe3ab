import fc from 'fast-check'
import jsonpatch from 'fast-json-patch'
import { expect, test } from 'vitest'
import { same } from '../../../src/diff/equal.ts'
import { keySides } from '../../../src/diff/keyed.ts'
import type { MergeKeys } from '../../../src/diff/keys.ts'
import { mergeKeyed } from '../../../src/diff/merge.ts'
import { narrowSides } from '../../../src/diff/narrow.ts'
import { compareKeyed } from '../../../src/diff/patch.ts'
import { diffThreeWay, inSync, mergeThreeWay, pending } from '../../../src/diff/threeway.ts'
import { canonicalText, deepFreeze } from '../../../src/model/canonical.ts'

/** Lists called `bag` and `row` are keyed by name and port; the order in a `row` means something. */
const keys: MergeKeys = (path) => {
  const field = path.slice(path.lastIndexOf('.') + 1)
  return field === 'bag' || field === 'row' ? { fields: ['name', 'port'], ordered: field === 'row' } : undefined
}

/** Small enough that the three sides often meet, with the names that have hurt others. */
const field = fc.constantFrom('a', 'b', 'bag', 'row', 'a.b', 'x/y~z', '', '__proto__', 'constructor', 'toString', '[order]', '.')
const leaf = fc.oneof(
  fc.constantFrom(null, true, 0, 1, '', 'v', 'w', '__proto__', '[name=a]'),
  fc.string({ maxLength: 3 }),
  fc.double(),
)
const { json } = fc.letrec<{ json: unknown; map: unknown; list: unknown; item: unknown }>((tie) => ({
  json: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('map'), tie('list')),
  map: fc.dictionary(field, tie('json'), { maxKeys: 4, noNullPrototype: false }),
  list: fc.oneof(fc.array(tie('json'), { maxLength: 3 }), fc.array(tie('item'), { maxLength: 4 })),
  item: fc
    .tuple(
      fc.record({ name: fc.constantFrom('a', 'b', 'c', 'a,b=c', 1), port: fc.constantFrom(1, 2) }, { requiredKeys: ['name'] }),
      tie('map'),
    )
    .map(([identity, rest]) => ({ ...(rest as object), ...identity })),
}))
const plain = json.map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const side = fc.option(plain, { nil: undefined, freq: 8 }).map((value) => deepFreeze(value))
/** A map is what objects are; arbitrary JSON comes along to see that nothing crashes. */
const sides = fc.tuple(side, side, side)

const runs = { numRuns: 250 }

test('diff(x, x, x) is empty', () => {
  fc.assert(
    fc.property(side, (x) => {
      expect(diffThreeWay(x, x, structuredClone(x), keys)).toEqual([])
    }),
    runs,
  )
})

test('once merged, nothing is left to do', () => {
  fc.assert(
    fc.property(sides, ([lastApplied, desired, observed]) => {
      const merged = mergeThreeWay(lastApplied, desired, observed, keys)
      expect(pending(diffThreeWay(desired, desired, merged, keys))).toEqual([])
      expect(pending(diffThreeWay(lastApplied, desired, merged, keys))).toEqual([])
      expect(same(mergeThreeWay(desired, desired, merged, keys), merged)).toBe(true)
    }),
    runs,
  )
})

test('there is a difference to mend exactly when the merge would change something', () => {
  fc.assert(
    fc.property(sides, ([lastApplied, desired, observed]) => {
      const keyed = keySides({ lastApplied, desired, observed }, keys)
      const differs = !same(mergeKeyed(keyed).target, keyed.observed)
      expect(inSync(diffThreeWay(lastApplied, desired, observed, keys))).toBe(!differs)
    }),
    runs,
  )
})

test('the operations applied by fast-json-patch give the target', () => {
  fc.assert(
    fc.property(sides, ([lastApplied, desired, observed]) => {
      const keyed = keySides({ lastApplied, desired, observed }, keys)
      const { target } = mergeKeyed(keyed)
      const wrap = (value: unknown) => (value === undefined ? {} : { '.': value })
      const operations = compareKeyed(keyed.observed, target)
      const { newDocument } = jsonpatch.applyPatch(
        wrap(keyed.observed),
        structuredClone(operations) as jsonpatch.Operation[],
        true,
        false,
      )
      expect(canonicalText(newDocument)).toBe(canonicalText(wrap(target)))
    }),
    runs,
  )
})

test('leaving out what is the same leaves out no difference', () => {
  fc.assert(
    fc.property(sides, ([lastApplied, desired, observed]) => {
      const whole = keySides({ lastApplied, desired, observed }, keys)
      const narrowed = narrowSides({ lastApplied, desired, observed }, keys)
      const places = (keyed: typeof whole) => {
        const { target, foreign } = mergeKeyed(keyed)
        return [compareKeyed(keyed.observed, target), foreign.map((at) => at.join('/')).sort()] as const
      }
      const [operations, foreign] = places(whole)
      const [some, same] = narrowed === undefined ? [[], []] : places(keySides(narrowed, keys))
      const paths = (list: typeof operations) => list.map(({ op, path }) => `${op} ${path}`).sort()
      expect([paths([...some]), same]).toEqual([paths(operations), foreign])
    }),
    runs,
  )
})

/** The same value written in another order: keys of maps, and items of a `bag` that each have their own identity. */
function turned(value: unknown, name = '', merged = true): unknown {
  if (Array.isArray(value)) {
    const identities = value.map((item) => (typeof item?.name === 'string' ? canonicalText([item.name, item.port]) : ''))
    const keyed = merged && name === 'bag' && new Set(identities).size === value.length && !identities.includes('')
    const items = value.map((item) => turned(item, '', keyed))
    return keyed ? items.reverse() : items
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).reverse()
  return Object.fromEntries(entries.map(([field, inner]) => [field, turned(inner, field, merged)]))
}

const bagged = fc.record({
  bag: fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), port: fc.constantFrom(1, 2), b: plain }), {
    selector: ({ name, port }) => `${name}${port}`,
    maxLength: 5,
  }),
  a: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), leaf),
})

test('the order of map keys and of keyed lists changes nothing', () => {
  fc.assert(
    fc.property(bagged, bagged, bagged, (lastApplied, desired, observed) => {
      const told = diffThreeWay(lastApplied, desired, observed, keys)
      const again = diffThreeWay(turned(lastApplied), turned(desired), turned(observed), keys)
      expect(again.map((one) => [one.path, one.action, one.owner])).toEqual(told.map((one) => [one.path, one.action, one.owner]))
      expect(inSync(diffThreeWay(desired, desired, turned(desired), keys))).toBe(true)
    }),
    runs,
  )
})

const nonNull = plain.filter((value) => value !== null)
const distinct = fc.dictionary(fc.constantFrom('p', 'q', 'r'), nonNull, { noNullPrototype: false })

test('a field removed from Git since last applied is removed, whatever became of it', () => {
  fc.assert(
    fc.property(distinct, nonNull, nonNull, (rest, before, now) => {
      const told = diffThreeWay({ ...rest, gone: before }, rest, { ...rest, gone: now }, keys)
      expect(told).toMatchObject([{ path: 'gone', action: 'remove', owner: 'git' }])
      expect(mergeThreeWay({ ...rest, gone: before }, rest, { ...rest, gone: now }, keys)).not.toHaveProperty('gone')
    }),
    runs,
  )
})

test('a field that Git never had stays and is told as foreign', () => {
  fc.assert(
    fc.property(distinct, nonNull, (rest, value) => {
      const told = diffThreeWay(rest, rest, { ...rest, theirs: value }, keys)
      expect(told).toMatchObject([{ path: 'theirs', action: 'keep', owner: 'foreign' }])
      expect(mergeThreeWay(rest, rest, { ...rest, theirs: value }, keys)).toHaveProperty('theirs')
    }),
    runs,
  )
})

test('what Git did not change is drift, what it did is the commit', () => {
  fc.assert(
    fc.property(sides, ([lastApplied, desired, observed]) => {
      for (const one of pending(diffThreeWay(desired, desired, observed, keys))) expect(one.owner).toBe('drift')
      for (const one of pending(diffThreeWay(lastApplied, desired, lastApplied, keys))) expect(one.owner).toBe('git')
    }),
    runs,
  )
})

test('no value of any shape reaches the prototypes of others', () => {
  fc.assert(
    fc.property(sides, ([lastApplied, desired, observed]) => {
      mergeThreeWay(lastApplied, desired, observed, keys)
      diffThreeWay(lastApplied, desired, observed, keys)
      expect(Object.keys(Object.prototype)).toEqual([])
      expect(({} as Record<string, unknown>).a).toBeUndefined()
    }),
    runs,
  )
})
