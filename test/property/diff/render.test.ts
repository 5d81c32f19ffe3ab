import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffCluster } from '../../../src/diff/objects.ts'
import { diffsJson, renderDiffs } from '../../../src/diff/render.ts'
import { deepFreeze } from '../../../src/model/canonical.ts'
import type { LoadedObject } from '../../../src/model/types/loaded.ts'
import type { ObjectKey } from '../../../src/model/types/meta.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'

const key = fc.constantFrom<ObjectKey>('Secret/a/s', 'ConfigMap/a/c', 'Deployment/a/d', 'Namespace//a', 'Gizmo/a/g')
const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>
const text = fc.string({ unit: 'binary', maxLength: 12 })
const body = fc.record({ data: fc.oneof(value, fc.dictionary(text, text)), spec: value, metadata: value })
const live = fc
  .array(fc.tuple(key, body), { maxLength: 4 })
  .map((entries) => deepFreeze(entries) as unknown as [ObjectKey, ModelObject][])

function loaded(entries: readonly [ObjectKey, ModelObject][]): [ObjectKey, LoadedObject][] {
  return entries.map(([name, object]) => [name, { object, origin: { file: 'a.yaml', line: 1, revision: 'r' }, unenforced: [] }])
}

const runs = { numRuns: 200 }

test('text and JSON are the same whatever order objects come in, and no input breaks them', () => {
  fc.assert(
    fc.property(live, live, live, (lastApplied, desired, observed) => {
      const unique = <T>(entries: [ObjectKey, T][]) => [...new Map(entries)]
      const diff = (turn: <T>(list: T[]) => T[]) =>
        diffCluster(
          new Map(turn(unique(loaded(lastApplied)))),
          new Map(turn(unique(loaded(desired)))),
          new Map(turn(unique(observed))),
        )
      const [one, other] = [diff((list) => list), diff((list) => list.reverse())]
      expect(renderDiffs(one, { foreign: true })).toBe(renderDiffs(other, { foreign: true }))
      expect(JSON.stringify(diffsJson(one))).toBe(JSON.stringify(diffsJson(other)))
    }),
    runs,
  )
})

test('text is printed exactly for the objects that change', () => {
  fc.assert(
    fc.property(live, live, live, (lastApplied, desired, observed) => {
      const diffs = diffCluster(new Map(loaded(lastApplied)), new Map(loaded(desired)), new Map(observed))
      const heads = renderDiffs(diffs)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith(' '))
      expect(heads.map((line) => line.split(' (')[0])).toEqual(
        diffs.filter(({ change }) => change !== 'none').map((one) => `${one.change} ${one.key}`),
      )
    }),
    runs,
  )
})

test('no line of text can control a terminal', () => {
  fc.assert(
    fc.property(live, live, (lastApplied, desired) => {
      const shown = renderDiffs(diffCluster(new Map(loaded(lastApplied)), new Map(loaded(desired)), new Map(lastApplied)))
      expect(shown.replaceAll('\n', '').replaceAll('\t', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
    }),
    runs,
  )
})
