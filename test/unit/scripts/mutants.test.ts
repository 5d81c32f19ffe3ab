import { expect, test } from 'vitest'
import { misplaced } from '../../../scripts/mutants/place.ts'
import { AREAS } from '../../mutants/all.ts'

test('every mutant has its place in the code, and breaks it without a mistake of syntax', () => {
  expect(misplaced(Object.values(AREAS).flat())).toEqual([])
})
