import { expect, test } from 'vitest'
import { schemaKeys } from '../../../src/diff/keys.ts'
import { diffThreeWay, inSync, mergeThreeWay } from '../../../src/diff/threeway.ts'

const keys = schemaKeys('Deployment')

/** One line a difference: who, what, where, and the three values as JSON. */
function told(lastApplied: unknown, desired: unknown, observed: unknown): string[] {
  return diffThreeWay(lastApplied, desired, observed, keys).map((one) => {
    const values = [one.lastApplied, one.desired, one.observed].map((value) => JSON.stringify(value) ?? '-')
    return `${one.owner} ${one.action} ${one.path || '(all)'}: ${values.join(' ')}`
  })
}

const spec = (podSpec: unknown, more = {}) => ({ spec: { ...more, template: { spec: podSpec } } })
const containers = (...list: unknown[]) => spec({ containers: list })

for (const { name, sides, want } of [
  { name: 'nothing anywhere', sides: [undefined, undefined, undefined], want: [] },
  { name: 'a new object', sides: [undefined, { a: 1 }, undefined], want: ['git set (all): - {"a":1} -'] },
  { name: 'an object removed by somebody', sides: [{ a: 1 }, { a: 1 }, undefined], want: ['drift set (all): {"a":1} {"a":1} -'] },
  { name: 'an object that left Git', sides: [{ a: 1 }, undefined, { a: 1 }], want: ['git remove (all): {"a":1} - {"a":1}'] },
  { name: 'an object that is not ours', sides: [undefined, undefined, { a: 1 }], want: ['foreign keep (all): - - {"a":1}'] },
  { name: 'an object that left Git and is gone', sides: [{ a: 1 }, undefined, undefined], want: [] },
  { name: 'the commit changed it', sides: [{ a: 1 }, { a: 2 }, { a: 1 }], want: ['git set a: 1 2 1'] },
  { name: 'somebody changed it', sides: [{ a: 1 }, { a: 1 }, { a: 3 }], want: ['drift set a: 1 1 3'] },
  { name: 'both changed it', sides: [{ a: 1 }, { a: 2 }, { a: 3 }], want: ['git set a: 1 2 3'] },
  { name: 'the commit made it what somebody had', sides: [{ a: 1 }, { a: 2 }, { a: 2 }], want: [] },
  { name: 'removed from Git', sides: [{ a: 1, b: 1 }, { b: 1 }, { a: 9, b: 1 }], want: ['git remove a: 1 - 9'] },
  { name: 'never in Git', sides: [{ b: 1 }, { b: 1 }, { a: 9, b: 1 }], want: ['foreign keep a: - - 9'] },
  { name: 'cleared by null', sides: [{ a: 1 }, { a: null }, { a: 1 }], want: ['git remove a: 1 null 1'] },
  { name: 'cleared by null and set again', sides: [{ a: null }, { a: null }, { a: 1 }], want: ['drift remove a: null null 1'] },
  { name: 'cleared by null where Git never had it', sides: [undefined, { a: null }, { a: 1 }], want: ['git remove a: - null 1'] },
  { name: 'null is absence on the observed side', sides: [{}, {}, { a: null }], want: [] },
  {
    name: 'a list without keys is replaced whole',
    sides: [{ a: [1] }, { a: [1, 2] }, { a: [3] }],
    want: ['git set a: [1] [1,2] [3]'],
  },
  {
    name: 'a map becomes a text',
    sides: [{ a: { b: 1 } }, { a: 'x' }, { a: { b: 1 } }],
    want: ['git set a: {"b":1} "x" {"b":1}'],
  },
  {
    name: 'a map in the place of a text',
    sides: [{ a: 'x' }, { a: { b: 1 } }, { a: 'x' }],
    want: ['git set a: "x" {"b":1} "x"'],
  },
  {
    name: 'awkward keys are quoted',
    sides: [{ labels: { 'a.b/c': '1' } }, { labels: { 'a.b/c': '2' } }, { labels: { 'a.b/c': '1' } }],
    want: ['git set labels["a.b/c"]: "1" "2" "1"'],
  },
  {
    name: 'items are compared by their key wherever they stand',
    sides: [
      containers({ name: 'app', image: 'a:1' }),
      containers({ name: 'app', image: 'a:2' }),
      containers({ name: 'injected', image: 'x' }, { name: 'app', image: 'a:1' }),
    ],
    want: [
      'git set spec.template.spec.containers[name=app].image: "a:1" "a:2" "a:1"',
      'foreign keep spec.template.spec.containers[name=injected]: - - {"name":"injected","image":"x"}',
    ],
  },
  {
    name: 'an item that left Git is removed, one that came is set',
    sides: [
      containers({ name: 'a' }, { name: 'b' }),
      containers({ name: 'b' }, { name: 'c' }),
      containers({ name: 'a' }, { name: 'b' }),
    ],
    want: [
      'git remove spec.template.spec.containers[name=a]: {"name":"a"} - {"name":"a"}',
      'git set spec.template.spec.containers[name=c]: - {"name":"c"} -',
    ],
  },
  {
    name: 'swapped init containers are a change of order',
    sides: [
      spec({ initContainers: [{ name: 'a' }, { name: 'b' }] }),
      spec({ initContainers: [{ name: 'b' }, { name: 'a' }] }),
      spec({ initContainers: [{ name: 'a' }, { name: 'b' }] }),
    ],
    want: [
      'git set spec.template.spec.initContainers[order]: ["[name=a]","[name=b]"] ["[name=b]","[name=a]"] ["[name=a]","[name=b]"]',
    ],
  },
  {
    name: 'swapped volumes are none',
    sides: [
      spec({ volumes: [{ name: 'a' }, { name: 'b' }] }),
      spec({ volumes: [{ name: 'b' }, { name: 'a' }] }),
      spec({ volumes: [{ name: 'b' }, { name: 'a' }] }),
    ],
    want: [],
  },
  {
    name: 'ports are known by number and protocol',
    sides: [
      containers({ name: 'a', ports: [{ containerPort: 53, protocol: 'TCP' }] }),
      containers({
        name: 'a',
        ports: [
          { containerPort: 53, protocol: 'TCP' },
          { containerPort: 53, protocol: 'UDP' },
        ],
      }),
      containers({ name: 'a', ports: [{ containerPort: 53, protocol: 'TCP' }] }),
    ],
    want: [
      'git set spec.template.spec.containers[name=a].ports[containerPort=53,protocol=UDP]: - {"containerPort":53,"protocol":"UDP"} -',
    ],
  },
  {
    name: 'items that share a key are compared as a whole list',
    sides: [containers({ name: 'a' }, { name: 'a' }), containers({ name: 'a' }), containers({ name: 'a' }, { name: 'a' })],
    want: ['git set spec.template.spec.containers: [{"name":"a"},{"name":"a"}] [{"name":"a"}] [{"name":"a"},{"name":"a"}]'],
  },
  {
    name: 'an emptied list is not an empty map',
    sides: [containers(), spec({ containers: {} }), containers()],
    want: ['git set spec.template.spec.containers: [] {} []'],
  },
] as { name: string; sides: [unknown, unknown, unknown]; want: string[] }[]) {
  test(`diffThreeWay: ${name}`, () => expect(told(...sides)).toEqual(want))
}

test('what is only kept is in sync; anything else is not', () => {
  expect(inSync(diffThreeWay({ b: 1 }, { b: 1 }, { a: 9, b: 1 }, keys))).toBe(true)
  expect(inSync(diffThreeWay({ b: 1 }, { b: 1 }, { a: 9, b: 2 }, keys))).toBe(false)
})

test('the merge keeps what is foreign, drops what left Git, and leaves foreign items where they stand', () => {
  const merged = mergeThreeWay(
    { ...containers({ name: 'old' }, { name: 'app', image: 'a:1', tty: true }), gone: 1, kept: { x: 1 } },
    { ...containers({ name: 'app', image: 'a:2' }, { name: 'new' }), kept: { x: 2, y: null } },
    {
      ...containers({ name: 'side' }, { name: 'old' }, { name: 'app', image: 'a:1', tty: true, stdin: true }),
      gone: 1,
      kept: { x: 1, y: 3, z: 4 },
    },
    keys,
  )
  expect(merged).toEqual({
    ...containers({ name: 'side' }, { name: 'app', image: 'a:2', stdin: true }, { name: 'new' }),
    kept: { x: 2, z: 4 },
  })
})

test('hostile keys are keys like any other', () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}')
  expect(told(undefined, { a: 1 }, hostile).length).toBeGreaterThan(0)
  expect(told({}, hostile, {})).toEqual([
    'git set __proto__: - {"polluted":true} -',
    'git set constructor: - {"prototype":{"polluted":true}} -',
  ])
  expect(Object.getOwnPropertyNames(mergeThreeWay({}, hostile, {}, keys))).toEqual(['__proto__', 'constructor'])
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

test('objects kept as data are keyed as their kind is, below their body', () => {
  const body = (replicas: number) => ({ body: { spec: { template: { spec: { containers: [{ name: 'app', replicas }] } } } } })
  const [difference] = diffThreeWay(body(1), body(2), body(1), schemaKeys('StatefulSet'))
  expect(difference?.path).toBe('body.spec.template.spec.containers[name=app].replicas')
})

test('a kind that the schema does not know has no keyed lists', () => {
  expect(schemaKeys('Gizmo')('spec.containers')).toBeUndefined()
  expect(schemaKeys('Deployment')('spec.template.spec.tolerations')).toBeUndefined()
})

test('an item of others stays behind the one that it was found behind', () => {
  const [a, b, injected] = [{ name: 'a' }, { name: 'b' }, { name: 'injected' }]
  const merged = mergeThreeWay(containers(a, b), containers(a, b), containers(a, injected, b), keys)
  expect(merged).toEqual(containers(a, injected, b))
})

test('a number that JSON does not know clears, as null does', () => {
  expect(mergeThreeWay({ a: 1, b: 1 }, { a: Number.NaN, b: 1 }, { a: 1, b: 1 }, keys)).toEqual({ b: 1 })
})
