/** Values and texts that break programs, and ways to put them into what was valid. */
import fc from 'fast-check'

/** Names that every object inherits, or that libraries treat as special. */
export const inherited = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']

export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\n',
    '\r\n',
    '\t',
    '\0',
    '\ufeff',
    '\u2028',
    '\u202e',
    '\ud800',
    '\u001b[31m',
    'é\u0301',
    '..',
    '../../etc/passwd',
    '/',
    './/',
    '-rf',
    '--upload-pack=x',
    '$(x)',
    '$(V)$(V)',
    '$\u007bx}',
    '`id`',
    '; drop',
    '%00',
    '%s%n',
    '*',
    '&a',
    '!!js/function x',
    '{{.}}',
    '<script>',
    'javascript:alert(1)',
    'NaN',
    'Infinity',
    '-0',
    '1e999',
    '0x10',
    '07',
    'null',
    'true',
    'None',
    'a'.repeat(64),
    'a'.repeat(300),
    '1'.repeat(500),
    'x'.repeat(20_000),
    ...inherited,
  ),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
)

const oddNumber = fc.constantFrom(
  0,
  -0,
  -1,
  1,
  0.5,
  -1.5,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  2 ** 63,
  1e21,
  1e300,
  -1e300,
  5e-324,
)

/** `[[[…]]]` and `{a: {a: …}}`. */
const deep = fc
  .tuple(fc.integer({ min: 1, max: 300 }), fc.boolean())
  .map(([depth, list]) => Array.from({ length: depth }).reduce<unknown>((inner) => (list ? [inner] : { a: inner }), 'x'))

export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: oddText },
  { weight: 4, arbitrary: oddNumber },
  { weight: 3, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [null], [[]], [{}], { '': '' }) },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 2, max: 500 }).map((length) => Array.from({ length }, (_, at) => ({ name: `n${at}` }))),
  },
)

type Container = Record<string | number, unknown>

interface Place {
  readonly parent: Container
  readonly key: string | number
}

function placesIn(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    found.push({ parent: value as Container, key })
    placesIn((value as Container)[key], found)
  }
  return found
}

/** Own property whatever the key is called, as a YAML parser makes it. */
function put(parent: Container, key: string | number, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true })
}

const keyText = fc.oneof(fc.constantFrom(...inherited), oddText)

/** One change somewhere in a tree of JSON. */
const change: fc.Arbitrary<(root: unknown) => void> = fc
  .record({
    at: fc.nat(),
    how: fc.constantFrom('replace', 'replace', 'replace', 'drop', 'add', 'rename', 'twice', 'swap', 'wrap'),
    value: oddValue,
    key: keyText,
    other: fc.nat(),
  })
  .map(({ at, how, value: shared, key, other }) => (root) => {
    const value = structuredClone(shared)
    const places = placesIn(root)
    const place = places[at % Math.max(1, places.length)]
    if (place === undefined) return
    const { parent } = place
    const now = parent[place.key]
    const list = Array.isArray(parent) ? parent : undefined
    if (how === 'replace') put(parent, place.key, value)
    else if (how === 'drop') list === undefined ? delete parent[place.key] : list.splice(Number(place.key), 1)
    else if (how === 'add') list === undefined ? put(parent, key, value) : list.push(value)
    else if (how === 'rename' && list === undefined) {
      delete parent[place.key]
      put(parent, key, now)
    } else if (how === 'twice') list === undefined ? put(parent, key, structuredClone(now)) : list.push(structuredClone(now))
    else if (how === 'swap') put(parent, place.key, structuredClone(places[other % places.length]!.parent))
    else if (how === 'wrap') put(parent, place.key, other % 2 === 0 ? [now] : { [String(place.key)]: now })
  })

/** A deep copy of one of `originals` with up to `most` changes. */
export function mutated<T>(originals: readonly T[], most = 4): fc.Arbitrary<unknown> {
  return fc.tuple(fc.nat(), fc.array(change, { maxLength: most })).map(([which, changes]) => {
    const copy: { root: unknown } = { root: structuredClone(originals[which % originals.length]) }
    for (const apply of changes) apply(copy.root)
    return copy.root
  })
}

const scrap = fc.oneof(
  oddText,
  fc.constantFrom(
    '\n---\n',
    '\n...\n',
    '%YAML 1.2\n---\n',
    '%TAG ! x\n',
    '<<: *a\n',
    'a: &a [*a]\n',
    '? ',
    ': ',
    '- ',
    '|+\n ',
    '>-\n',
    '!!binary ',
    '!<x> ',
    '# ',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ',',
    '\\',
    '\u0085',
    '&x ',
    '*x ',
  ),
)

/** The text with pieces cut out, doubled, moved or replaced by scraps of syntax. */
export function torn(text: fc.Arbitrary<string>, most = 5): fc.Arbitrary<string> {
  const cut = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(40),
    how: fc.constantFrom('drop', 'insert', 'insert', 'twice', 'replace', 'end'),
    piece: scrap,
  })
  return fc.tuple(text, fc.array(cut, { maxLength: most })).map(([whole, cuts]) =>
    cuts.reduce((now, { at, length, how, piece }) => {
      const from = Math.floor(at * now.length)
      const to = Math.min(now.length, from + length)
      if (how === 'drop') return now.slice(0, from) + now.slice(to)
      if (how === 'insert') return now.slice(0, from) + piece + now.slice(from)
      if (how === 'twice') return now.slice(0, to) + now.slice(from)
      if (how === 'replace') return now.slice(0, from) + piece + now.slice(to)
      return now.slice(0, from)
    }, whole),
  )
}

/** Bytes without meaning, some of them nearly text. */
export const noise: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  torn(fc.constant('a: {b: [1, "x"]}\n---\nc: |\n  d\n')).map((text) => Buffer.from(text)),
  fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(text)),
)
