import { expect, test } from 'vitest'
import { createClaims } from '../../../src/controller/claims.ts'
import type { LoadedObject } from '../../../src/model/types/loaded.ts'
import { keyOf } from '../../../src/model/types/meta.ts'
import type { ModelObject } from '../../../src/model/types/object.ts'
import { LABEL } from '../../../src/reconcilers/names.ts'
import type { VolumeView } from '../../../src/runtime/engine.ts'
import { claim, persistentVolume } from '../../support/world.ts'

const objects = (...all: readonly ModelObject[]) =>
  new Map(all.map((object) => [keyOf(object), { object } as unknown as LoadedObject]))
const effective = objects(claim({}, 'a'), claim({}, 'b'), persistentVolume('pv'))

/** Volumes of claims: each claim, and the PersistentVolume that its own was made from. */
const volumes = (made: Readonly<Record<string, string>>) => [
  new Map(Object.entries(made).map(([id, pv]) => [id, { labels: { [LABEL.persistentVolume]: pv } } as unknown as VolumeView])),
]
const what = (claims: ReturnType<ReturnType<typeof createClaims>['of']>) =>
  [...claims].map(([id, { provision }]) => `${id} ${provision?.persistentVolume}`)

test('a volume that is made as it was to be has no claim looked at again', () => {
  const claims = createClaims()
  const first = claims.of(effective, volumes({}))
  expect(what(first)).toEqual(['shop/a pv', 'shop/b '])
  expect(claims.of(effective, volumes({ 'shop/a': 'pv' }))).toBe(first)
  expect(claims.of(effective, volumes({ 'shop/a': 'pv', 'shop/b': '' }))).toBe(first)
})

test.each([
  ['another claim has the PersistentVolume', effective, { 'shop/b': 'pv' }, ['shop/a ', 'shop/b pv']],
  ['a claim that is declared no more has it', effective, { 'shop/left': 'pv' }, ['shop/a ', 'shop/b ']],
  ['other objects are wanted', objects(claim({}, 'b'), persistentVolume('pv')), {}, ['shop/b pv']],
])('%s: all are looked at again', (_, wanted, made, want) => {
  const claims = createClaims()
  claims.of(effective, volumes({}))
  expect(what(claims.of(wanted, volumes(made)))).toEqual(want)
})

test('a volume that is removed leaves its PersistentVolume to others', () => {
  const claims = createClaims()
  claims.of(effective, volumes({ 'shop/b': 'pv' }))
  expect(what(claims.of(effective, volumes({})))).toEqual(['shop/a pv', 'shop/b '])
})
