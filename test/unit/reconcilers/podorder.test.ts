import { describe, expect, test } from 'vitest'
import { isInitialized, mayStart, mayStop, type Ordered } from '../../../src/reconcilers/podorder.ts'

type Named = Ordered & { readonly name: string }

/** `i` init, `s` sidecar, `m` main; a `+` means that it has passed, a `!` that it runs. */
const containers = (text: string): Named[] =>
  text.split(' ').map((name) => ({
    name,
    role: name.startsWith('i') ? 'init' : name.startsWith('s') ? 'sidecar' : 'main',
    passed: name.includes('+'),
    stage: name.includes('!') ? 'running' : 'none',
  }))
const names = (some: ReadonlySet<Named>): string => [...some].map(({ name }) => name).join(' ')

describe('may start', () => {
  test.each([
    ['m1 m2', 'm1 m2'],
    ['i1 i2 m', 'i1'],
    ['i1+ i2 m', 'i2'],
    ['i1+ i2+ m', 'm'],
    ['s1 i2 m', 's1'],
    ['s1+ i2 m', 's1+ i2'],
    ['i1+ s2+ s3 m', 's2+ s3'],
    ['i1+ s2+ s3+ m', 's2+ s3+ m'],
    ['i1+ s2 i3 s4 m', 's2'],
  ])('of %s: %s', (all, want) => {
    expect(names(mayStart(containers(all)))).toBe(want)
    expect(isInitialized(containers(all))).toBe(want.includes('m'))
  })
})

describe('may stop', () => {
  test.each([
    ['m1! m2!', 'm1! m2!'],
    ['i1! m', 'i1!'],
    ['s1! s2! m1! m2', 'm1!'],
    ['s1! s2! m1 m2', 's2!'],
    ['s1! s2 m', 's1!'],
    ['s1! i2! m', 'i2!'],
    ['s1 i2 m', ''],
  ])('of %s: %s', (all, want) => expect(names(mayStop(containers(all)))).toBe(want))
})
