import { describe, expect, test } from 'vitest'
import { generate } from '../../../scripts/docs.ts'
import { readText } from './pages.ts'

describe('what follows from the code is as the code has it; if not, run scripts/docs.ts', () => {
  test.each(Object.entries(generate()))('%s', (path, text) => {
    expect(readText(path)).toBe(text)
  })
})
