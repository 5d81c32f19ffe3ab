import { globSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readText, root, tableCodes } from './pages.ts'

const page = readText('docs/errors.md')

/** The first word in capitals among the arguments of calls that report a problem, and every literal code. */
function problemCodes(): readonly string[] {
  const files = ['src/model/**/*.ts', 'src/render/*.ts'].flatMap((pattern) => globSync(pattern, { cwd: root }))
  const found = files.flatMap((file) => {
    const source = readText(file)
    const calls = [...source.matchAll(/\b(?:report|failed|unknown)\(/g)].map(({ index }) => source.slice(index, index + 260))
    const reported = calls.flatMap((call) => /'([A-Z][a-z]+[A-Za-z]*)'/.exec(call)?.[1] ?? [])
    const literal = [...source.matchAll(/\bcode: ((?:'[A-Z]\w+'(?: \| )?)+)/g)].flatMap(
      ([, codes]) => (codes ?? '').match(/[A-Z]\w+/g) ?? [],
    )
    return [...reported, ...literal]
  })
  return [...new Set(found)].sort()
}

/** The members of a union of texts, such as `type StoreErrorKind`. */
function unionOf(file: string, type: string): readonly string[] {
  const body = new RegExp(`export type ${type} =([\\s\\S]*?)\\n\\n`).exec(readText(file))?.[1] ?? ''
  return (body.replace(/\/\*[\s\S]*?\*\//g, '').match(/'(\w+)'/g) ?? []).map((word) => word.slice(1, -1)).sort()
}

/** The words given as `reason`, as the second argument of an `ApiError`. */
function apiReasons(): readonly string[] {
  const files = ['src/api/*.ts', 'src/controller/*.ts'].flatMap((pattern) => globSync(pattern, { cwd: root }))
  const words = files.flatMap((file) =>
    [...readText(file).matchAll(/new ApiError\(\s*\d+,\s*'(\w+)'/g)].map(([, word]) => word ?? ''),
  )
  return [...new Set(words)].sort()
}

test('problems of manifests', () => {
  const documented = [...tableCodes(page, 'Problems of manifests'), ...tableCodes(page, 'Notices')].sort()
  expect(documented).toEqual(problemCodes())
})

test.each([
  ['Sources', 'src/git/source.ts', 'SourceErrorKind'],
  ['The engine', 'src/runtime/engine.ts', 'EngineErrorKind'],
  ['The router', 'src/runtime/router/error.ts', 'RouterErrorKind'],
  ['Durable memory', 'src/store/error.ts', 'StoreErrorKind'],
])('%s: %s', (heading, file, type) => {
  const kinds = unionOf(file, type)
  expect(kinds.length).toBeGreaterThan(2)
  expect(tableCodes(page, heading)).toEqual(kinds)
})

test('reasons of the API', () => {
  expect(tableCodes(page, 'The API')).toEqual(apiReasons())
})

test('reasons of events and words of the status are spelled as in the code', () => {
  const source = ['src/reconcilers/*.ts', 'src/controller/*.ts', 'src/api/*.ts']
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .map(readText)
    .join('\n')
  const section = page.split(/^## /m).find((part) => part.startsWith('Words of the status')) ?? ''
  const words = [...section.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, word]) => word ?? '')
  expect(words.length).toBeGreaterThan(20)
  // A failed step's word is made of the operation.
  const made = new Set(['FailedCreate', 'Failed'])
  expect(words.filter((word) => !made.has(word) && !source.includes(`'${word}'`))).toEqual([])
})
