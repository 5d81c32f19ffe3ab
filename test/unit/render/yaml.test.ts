import { describe, expect, test } from 'vitest'
import { defaultLimits } from '../../../src/render/types.ts'
import { parseYaml } from '../../../src/render/yaml.ts'

const bodies = (text: string) => parseYaml(text, defaultLimits).documents.map(({ body }) => body)
const problems = (text: string, limits = {}) =>
  parseYaml(text, { ...defaultLimits, ...limits }).problems.map(({ line, code, message }) => `${line} ${code}: ${message}`)

describe('scalars read as a cluster reads them', () => {
  test.each([
    ['0444', 292],
    ['0o17', 15],
    ['-0x1F', -31],
    ['0b101', 5],
    ['1_000', 1000],
    ['089', 89],
    ['0', 0],
    ['1e3', 1000],
    ['yes', true],
    ['Off', false],
    ['y', true],
    ['"yes"', 'yes'],
    ['1:30', '1:30'],
    ['.', '.'],
    ['2001-01-01', '2001-01-01'],
    ['~', null],
    ['1.10', 1.1],
    ['0x', '0x'],
    ['12e', '12e'],
  ])('%s', (text, want) => expect(bodies(`a: ${text}`)).toEqual([{ a: want }]))
})

test('merge keys', () =>
  expect(bodies('a: &a {x: 1, z: 3}\nb: {<<: *a, x: 2}')).toEqual([{ a: { x: 1, z: 3 }, b: { x: 2, z: 3 } }]))

test('JSON with tabs and escaped slashes', () => expect(bodies('{\n\t"a": "x\\/y"\n}')).toEqual([{ a: 'x/y' }]))

describe('documents', () => {
  test.each([
    ['', []],
    ['\n  \n', []],
    ['---\n---\n', []],
    ['# only a comment\n---\n# and another\n', []],
    ['null\n---\n~\n', []],
    ['a: 1\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ['--- {a: 1}\n--- # text\nb: 2\n...\n', [{ a: 1 }, { b: 2 }]],
    ['%YAML 1.2\n---\na: 1\n', [{ a: 1 }]],
    ['\uFEFFa: 1', [{ a: 1 }]],
    ['a: |\n  ---\n  x\n', [{ a: '---\nx\n' }]],
    ['a: 1\r\n---\r\nb: 2\r\n', [{ a: 1 }, { b: 2 }]],
  ])('%j', (text, want) => expect(bodies(text)).toEqual(want))

  test('a broken one stops no other', () => {
    const text = 'a: 1\n---\nb: [\n---\nc: 3\n'
    expect(bodies(text)).toEqual([{ a: 1 }, { c: 3 }])
    expect(problems(text)).toHaveLength(1)
  })

  test('anchors do not reach from one to the next', () =>
    expect(problems('a: &x 1\n---\nb: *x\n')[0]).toMatch(/^3 BadYaml: .*alias/))
})

describe('refused, each with its limit', () => {
  test('duplicate keys', () => expect(problems('a: 1\nb: 2\na: 3')).toEqual(['3 DuplicateKey: duplicate key "a"']))
  test('depth', () => expect(problems('['.repeat(200))).toEqual(['1 TooLarge: nested more than 100 levels deep']))
  test('depth beyond every stack', () =>
    expect(problems('['.repeat(200_000))).toEqual(['1 TooLarge: nested more than 100 levels deep']))
  test('aliases', () =>
    expect(problems(`a: &a 1\nb: [${'*a,'.repeat(21)}]`)).toEqual(
      ['1 TooLarge: more than 20 aliases in one document'].map((text) => expect.stringMatching(text.slice(2))),
    ))
  test('aliases of aliases', () =>
    expect(problems('a: &a [x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]', { nodes: 20 })).toEqual([
      '1 TooLarge: aliases make it more than 20 values',
    ]))
  test('documents', () =>
    expect(problems('a: 1\n---\nb: 1\n---\nc: 1', { documents: 2 })).toEqual(['4 TooLarge: the file has more than 2 documents']))
  test('an unknown tag', () => expect(problems('a: !vault x')[0]).toMatch(/^1 BadYaml/))
})

test('an error never shows the text around it', () => {
  expect(problems('password: hunter2\n  token: x: y\n').join()).not.toContain('hunter2')
})

describe('lines', () => {
  const [first, second] = parseYaml(
    '# c\na:\n  - x: 1\n    "y": [1,\n      {z: 3}]\n---\n\nb: &b\n  c: 1\nd: *b\n',
    defaultLimits,
  ).documents

  test.each([
    [[], 2],
    [['a'], 2],
    [['a', 0], 3],
    [['a', 0, 'x'], 3],
    [['a', 0, 'y', 1, 'z'], 5],
    [['a', 0, 'missing'], 3],
    [['a', 7], 2],
    [['missing', 'deeper'], 2],
  ])('%j is on line %i', (path, want) => expect(first?.lineOf(path)).toBe(want))

  test('of a later document, and of an alias', () => {
    expect(second?.line).toBe(8)
    expect(second?.lineOf(['b', 'c'])).toBe(9)
    expect(second?.lineOf(['d', 'c'])).toBe(10)
  })
})
