import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LoadedObject } from '../../../src/model/types/loaded.ts'
import type { WorkloadMemory } from '../../../src/reconcilers/memory.ts'
import type { EventRecord } from '../../../src/reconcilers/status.ts'
import { StoreError } from '../../../src/store/error.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import type { Store } from '../../../src/store/store.ts'

const STORE_FILE = fileURLToPath(new URL('../../../src/store/sqlite.ts', import.meta.url))
const NOON = Date.UTC(2024, 0, 2, 12)

let dir: string
let notices: string[]
const opened: Store[] = []
const children: ChildProcess[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trireme-store-'))
  notices = []
})

afterEach(() => {
  for (const store of opened.splice(0)) store.close()
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

function open(maxBytes?: number): Store {
  const store = openStore({
    dir,
    now: () => NOON,
    random: (bytes) => new Uint8Array(bytes).fill(7),
    onNotice: (message) => notices.push(message),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  })
  opened.push(store)
  return store
}

/** Runs `script` in another process, with `store` open on the same directory; resolves at its first output. */
async function elsewhere(script: string): Promise<ChildProcess> {
  const source = `
    const { openStore } = await import(${JSON.stringify(STORE_FILE)})
    const store = openStore({ dir: ${JSON.stringify(dir)}, now: () => ${NOON}, random: (n) => new Uint8Array(n), onNotice: () => {} })
    ${script}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  await once(child.stdout!, 'data')
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

const memory = (generation: number): WorkloadMemory => ({
  uid: 'u1',
  generation,
  createdAt: 1,
  scaledTo: 0,
  sets: [],
  pods: [],
  progress: null,
  rollout: null,
})

const configMap = (value: string): LoadedObject => ({
  object: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'shop', labels: {}, annotations: {} },
    data: { value },
    binaryData: {},
    immutable: false,
  },
  origin: { file: 'a.yaml', line: 1, revision: 'r1' },
  unenforced: [],
})

const event = (message: string, at = 1): EventRecord => ({
  type: 'Normal',
  reason: 'Started',
  object: 'Pod/shop/web',
  message,
  at,
  firstAt: at,
  count: 1,
})

const kindOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return error instanceof StoreError ? error.kind : String(error)
  }
  return 'no error'
}

test('everything is read back after a restart', () => {
  const before = open()
  before.setLastApplied('ConfigMap/shop/settings', configMap('a'))
  before.setWorkload('Deployment/shop/web', memory(3))
  before.setService('Service/shop/web', { uid: 's', createdAt: 2, clusterIP: '10.88.128.1', nodePorts: { http: 30080 } })
  before.setSource({ name: 'main', attempted: 'c', applied: 'b', healthy: 'a', lastFetch: 5 })
  before.addHistory({ at: 1, source: 'main', revision: 'a', result: 'healthy', message: '' })
  before.addEvent(event('hello'))
  before.close()

  const after = open()
  expect(after.lastApplied().get('ConfigMap/shop/settings')).toEqual(configMap('a'))
  expect(after.workloads().get('Deployment/shop/web')).toEqual(memory(3))
  expect(after.services().get('Service/shop/web')?.nodePorts).toEqual({ http: 30080 })
  expect(after.source('main')?.healthy).toBe('a')
  expect(after.source('other')).toBeUndefined()
  expect(after.history(10)).toHaveLength(1)
  expect(after.events(10)).toEqual([event('hello')])
  expect(notices).toEqual([])
})

test('the maps given out are live, and their values frozen', () => {
  const store = open()
  const workloads = store.workloads()
  store.setWorkload('Deployment/shop/web', memory(1))
  expect(workloads.size).toBe(1)
  expect(Object.isFrozen(workloads.get('Deployment/shop/web')?.sets)).toBe(true)
  store.deleteWorkload('Deployment/shop/web')
  store.deleteWorkload('Deployment/shop/web')
  expect(workloads.size).toBe(0)
})

test('a value that has not changed is not written', () => {
  const store = open()
  store.setWorkload('Deployment/shop/web', memory(1))
  const first = store.workloads().get('Deployment/shop/web')
  const size = () => statSync(join(dir, 'trireme.db-wal')).size
  const before = size()
  for (let i = 0; i < 50; i += 1) store.setWorkload('Deployment/shop/web', memory(1))
  expect(size()).toBe(before)
  expect(store.workloads().get('Deployment/shop/web')).toBe(first)
  store.setWorkload('Deployment/shop/web', memory(2))
  expect(size()).toBeGreaterThan(before)
})

test('an error rolls back the file and the maps', () => {
  const store = open()
  store.setWorkload('Deployment/shop/kept', memory(1))
  store.setWorkload('Deployment/shop/gone', memory(1))
  store.addEvent(event('counted'))
  store.addEvent(event('later', 2))
  const attempt = () =>
    store.transaction(() => {
      store.setWorkload('Deployment/shop/kept', memory(2))
      store.setWorkload('Deployment/shop/kept', memory(3))
      store.deleteWorkload('Deployment/shop/gone')
      store.setWorkload('Deployment/shop/new', memory(1))
      store.addEvent(event('counted', 9))
      store.addEvent(event('new', 9))
      store.addHistory({ at: 1, source: 'main', revision: 'a', result: 'failed', message: '' })
      throw new Error('no')
    })
  expect(attempt).toThrow('no')
  const check = (state: Store) => {
    expect(Object.fromEntries(state.workloads())).toEqual({
      'Deployment/shop/kept': memory(1),
      'Deployment/shop/gone': memory(1),
    })
    expect(state.events(10)).toEqual([event('later', 2), event('counted')])
    expect(state.history(10)).toEqual([])
  }
  check(store)
  store.close()
  check(open())
})

test('a nested failure that is caught undoes the nested part alone', () => {
  const store = open()
  const result = store.transaction(() => {
    store.setWorkload('Deployment/shop/a', memory(1))
    expect(() =>
      store.transaction(() => {
        store.setWorkload('Deployment/shop/a', memory(2))
        throw new Error('inner')
      }),
    ).toThrow('inner')
    store.setWorkload('Deployment/shop/b', memory(1))
    return 'done'
  })
  expect(result).toBe('done')
  store.close()
  expect(Object.fromEntries(open().workloads())).toEqual({ 'Deployment/shop/a': memory(1), 'Deployment/shop/b': memory(1) })
})

test('an asynchronous transaction is refused', () => {
  const store = open()
  const attempt = () =>
    store.transaction(async () => {
      store.setWorkload('Deployment/shop/a', memory(1))
    })
  expect(attempt).toThrow('synchronous')
  expect(store.workloads().size).toBe(0)
})

test('a full disk undoes the whole transaction, says so, and the store goes on', () => {
  const store = open(200_000)
  store.setWorkload('Deployment/shop/kept', memory(1))
  const flood = () =>
    store.transaction(() => {
      store.setWorkload('Deployment/shop/kept', memory(2))
      for (let i = 0; i < 1_000; i += 1) store.setLastApplied(`ConfigMap/shop/c${i}`, configMap('x'.repeat(1_000)))
    })
  expect(kindOf(flood)).toBe('full')
  expect(store.lastApplied().size).toBe(0)
  expect(store.workloads().get('Deployment/shop/kept')).toEqual(memory(1))
  store.setWorkload('Deployment/shop/kept', memory(3))
  store.close()
  const after = open()
  expect(after.lastApplied().size).toBe(0)
  expect(after.workloads().get('Deployment/shop/kept')).toEqual(memory(3))
})

test('a full disk inside a caught step never keeps half of the work', () => {
  const store = open(200_000)
  const attempt = () =>
    store.transaction(() => {
      store.setWorkload('Deployment/shop/early', memory(1))
      for (let i = 0; i < 1_000; i += 1) {
        try {
          store.setLastApplied(`ConfigMap/shop/c${i}`, configMap('x'.repeat(1_000)))
        } catch {
          break
        }
      }
      throw new Error('given up')
    })
  expect(attempt).toThrow()
  store.close()
  const after = open()
  expect(after.workloads().size).toBe(0)
  expect(after.lastApplied().size).toBe(0)
})

test('the same event counts up and becomes the newest', () => {
  const store = open()
  store.addEvent(event('a', 1))
  store.addEvent(event('b', 2))
  store.addEvent(event('a', 3))
  const want = [{ ...event('a', 3), firstAt: 1, count: 2 }, event('b', 2)]
  expect(store.events(10)).toEqual(want)
  expect(store.events(1)).toEqual(want.slice(0, 1))
  expect(store.events(0)).toEqual([])
  store.close()
  expect(open().events(10)).toEqual(want)
})

test('events and history are bounded, newest kept', () => {
  const store = open()
  store.transaction(() => {
    for (let i = 0; i < 5_010; i += 1) store.addEvent(event(`m${i}`, i))
    for (let i = 0; i < 1_010; i += 1) {
      store.addHistory({ at: i, source: 'main', revision: `r${i}`, result: 'applied', message: '' })
    }
  })
  store.close()
  const after = open()
  expect(after.events(9_999)).toHaveLength(5_000)
  expect(after.events(9_999).at(-1)?.message).toBe('m10')
  expect(after.history(9_999)).toHaveLength(1_000)
  expect(after.history(1)[0]?.revision).toBe('r1009')
})

test('the digest key is made once, 0600, in a 0700 directory', () => {
  const key = open().digestKey()
  expect(key).toEqual(new Uint8Array(32).fill(7))
  opened.pop()?.close()
  writeFileSync(join(dir, 'digest.key'), new Uint8Array(32).fill(9))
  expect(open().digestKey()).toEqual(new Uint8Array(32).fill(9))
  expect(statSync(join(dir, 'digest.key')).mode & 0o777).toBe(0o600)
  expect(statSync(dir).mode & 0o777).toBe(0o700)
  expect(notices).toEqual([])
})

test('a damaged digest key is moved aside and told', () => {
  writeFileSync(join(dir, 'digest.key'), 'short')
  expect(open().digestKey()).toHaveLength(32)
  expect(notices.join()).toContain('digest.key holds 5 bytes')
  expect(readFileSync(join(dir, 'digest.key.corrupt-20240102T120000.000Z'), 'utf8')).toBe('short')
})

const filled = () => {
  const store = open()
  store.transaction(() => {
    for (let i = 0; i < 200; i += 1) store.setLastApplied(`ConfigMap/shop/c${i}`, configMap('x'.repeat(500)))
  })
  store.close()
}
const database = () => join(dir, 'trireme.db')
const edited = (sql: string) => {
  const raw = new DatabaseSync(database())
  raw.exec(sql)
  raw.close()
}

for (const { name, damage } of [
  { name: 'a bad header', damage: () => writeFileSync(database(), 'this is no database at all, far from it'.repeat(50)) },
  {
    name: 'broken pages',
    damage: () => {
      const bytes = readFileSync(database())
      bytes.fill(0xee, 4096 * 3, 4096 * 12)
      writeFileSync(database(), bytes)
    },
  },
  { name: 'a cut file', damage: () => truncateSync(database(), 4096 * 5) },
  { name: 'a malformed row', damage: () => edited(`UPDATE last_applied SET body = '{"half' WHERE key = 'ConfigMap/shop/c3'`) },
  { name: 'a row that is no object', damage: () => edited("UPDATE last_applied SET body = '7'") },
  { name: 'a missing table', damage: () => edited('DROP TABLE workloads') },
  { name: 'tables of something else', damage: () => edited('PRAGMA user_version = 0') },
]) {
  test(`${name}: the file is moved aside, told, and begun anew`, () => {
    filled()
    damage()
    const store = open()
    expect(store.lastApplied().size).toBe(0)
    expect(notices).toHaveLength(1)
    expect(notices[0]).toContain('trireme.db.corrupt-20240102T120000.000Z')
    expect(readdirSync(dir)).toContain('trireme.db.corrupt-20240102T120000.000Z')
    store.setWorkload('Deployment/shop/web', memory(1))
    store.close()
    expect(open().workloads().size).toBe(1)
    expect(notices).toHaveLength(1)
  })
}

test('a file of a newer version is left alone', () => {
  filled()
  edited('PRAGMA user_version = 99')
  expect(() => open()).toThrow('newer Trireme (schema 99')
  edited('PRAGMA user_version = 1')
  expect(open().lastApplied().size).toBe(200)
  expect(notices).toEqual([])
})

test('a data directory that cannot be one is named', () => {
  const file = join(dir, 'file')
  writeFileSync(file, '')
  const attempt = () => openStore({ dir: file, now: () => NOON, random: (n) => new Uint8Array(n), onNotice: () => {} })
  expect(kindOf(attempt)).toBe('failed')
  expect(attempt).toThrow(file)
})

test('one process opens a data directory once', () => {
  open()
  expect(kindOf(() => open())).toBe('locked')
})

test('two daemons exclude each other, and a killed one leaves no lock', async () => {
  const holder = await elsewhere("console.log('open'); setInterval(() => {}, 1000)")
  expect(kindOf(() => open())).toBe('locked')
  expect(() => open()).toThrow(new RegExp(`process ${holder.pid} on .* since 2024-01-02T12:00:00`))
  await killed(holder)
  expect(open().workloads().size).toBe(0)
})

test('a lock outlives the last reference to its store', async () => {
  const holder = await elsewhere(`
    const { setFlagsFromString } = await import('node:v8')
    const { runInNewContext } = await import('node:vm')
    setFlagsFromString('--expose-gc')
    setInterval(() => {}, 1000)
    // In a turn of its own nothing of this module is on the stack any more.
    setTimeout(() => {
      runInNewContext('gc')()
      setTimeout(() => process.stdout.write('.'), 10)
    }, 10)`)
  expect(kindOf(() => open())).toBe('locked')
  await killed(holder)
})

test('killed while writing, what was committed is there and nothing is half done', async () => {
  const writer = await elsewhere(`
    const memory = (generation) => ({ uid: 'u', generation, createdAt: 1, sets: [], pods: [], progress: null, rollout: null })
    for (let i = 1; ; i += 1) {
      store.transaction(() => {
        store.setWorkload('Deployment/shop/a', memory(i))
        store.setWorkload('Deployment/shop/b', memory(i))
      })
      if (i === 20) process.stdout.write('.')
    }`)
  await killed(writer)
  const workloads = open().workloads()
  expect(workloads.get('Deployment/shop/a')?.generation).toBeGreaterThanOrEqual(20)
  expect(workloads.get('Deployment/shop/b')).toEqual(workloads.get('Deployment/shop/a'))
  expect(notices).toEqual([])
})
