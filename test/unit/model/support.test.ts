import { describe, expect, test } from 'vitest'
import { partsOf } from '../../../src/model/assess.ts'
import { builtinKind, type FieldType, objectType } from '../../../src/model/schema.ts'
import { dataKinds, kindSupport } from '../../../src/model/support.ts'
import { deployment, loadText } from '../../support/manifests.ts'

/** Every field of a kind, as deep as the table goes: a row covers all that has no row of its own below it. */
function uncovered(type: FieldType, path: string, rows: ReadonlySet<string>, branches: ReadonlySet<string>): readonly string[] {
  if (rows.has(path) && !branches.has(path)) return []
  if (type.shape === 'list') return branches.has(`${path}[]`) ? uncovered(type.items, `${path}[]`, rows, branches) : [path]
  if (type.shape === 'map') return branches.has(path) ? [] : [path]
  if (type.shape === 'scalar') return rows.has(path) || path.endsWith('[]') ? [] : [path]
  if (!branches.has(path)) return [path]
  const covered = rows.has(path) || rows.has(`${path}.*`)
  return [...type.type.fields].flatMap(([name, field]) => {
    const child = path === '' ? name : `${path}.${name}`
    return !rows.has(child) && !branches.has(child) && covered ? [] : uncovered(field, child, rows, branches)
  })
}

describe('every field of a kind that is acted on has a row', () => {
  test.each(Object.keys(kindSupport))('%s', (key) => {
    const rows = new Set(kindSupport[key]?.map(({ field }) => field))
    const branches = new Set(['', ...[...rows].flatMap(parents)])
    const slash = key.lastIndexOf('/')
    const kind = builtinKind(key.slice(0, slash), key.slice(slash + 1))
    expect(uncovered({ shape: 'object', type: objectType(kind?.typeName ?? '') }, '', rows, branches)).toEqual([])
  })
})

/** `a.b[].c` gives `a`, `a.b`, `a.b[]`. */
function parents(field: string): readonly string[] {
  const found: string[] = []
  for (const match of field.matchAll(/\.|\[\]/g)) {
    found.push(field.slice(0, match.index))
    if (match[0] === '[]') found.push(field.slice(0, match.index + 2))
  }
  return found
}

describe('every row is about a field that exists', () => {
  test.each(Object.keys(kindSupport))('%s', (key) => {
    const slash = key.lastIndexOf('/')
    const kind = builtinKind(key.slice(0, slash), key.slice(slash + 1))
    const root: FieldType = { shape: 'object', type: objectType(kind?.typeName ?? '') }
    const missing = kindSupport[key]?.filter(({ field }) => !exists(root, partsOf(field)))
    expect(missing?.map(({ field }) => field)).toEqual([])
  })
})

function exists(type: FieldType, parts: readonly string[]): boolean {
  const [part, ...rest] = parts
  if (part === undefined || part === '*') return true
  if (type.shape === 'list') return part === '[]' && exists(type.items, rest)
  if (type.shape === 'map') return exists(type.values, rest)
  if (type.shape === 'scalar') return type.name === 'any'
  const field = type.type.fields.get(part)
  return field !== undefined && exists(field, rest)
}

test.each([...Object.keys(dataKinds), ...Object.keys(kindSupport)])('%s is a kind of Kubernetes', (key) => {
  const slash = key.lastIndexOf('/')
  expect(builtinKind(key.slice(0, slash), key.slice(slash + 1))).toBeDefined()
})

test('no kind has two fates', () => {
  const all = [...Object.keys(dataKinds), ...Object.keys(kindSupport)]
  expect(new Set(all).size).toBe(all.length)
})

describe('every action that the prober runs is honoured', () => {
  test.each(['httpGet: {port: 80}', 'tcpSocket: {port: 80}', 'exec: {command: [a]}', 'grpc: {port: 80, service: s}'])(
    '%s',
    (action) =>
      expect(loadText(deployment({ container: `readinessProbe: {${action}}` })).verdicts[0]).toMatchObject({
        verdict: 'honoured',
        reasons: [],
      }),
  )
})
