import { describe, expect, test } from 'vitest'
import type { ContainerView, VolumeView } from '../../../../src/runtime/engine.ts'
import { ContainerCache, ListCache } from '../../../../src/runtime/observer/cache.ts'

const view = (id: string, name = id): ContainerView => ({
  id,
  name,
  image: 'web:1',
  imageId: '',
  labels: { of: id },
  state: 'running',
  exitCode: 0,
  oomKilled: false,
  error: '',
  createdAt: 1,
  startedAt: 1,
  finishedAt: 0,
  restartCount: 0,
  restartPolicy: 'no',
  resources: {},
  networkMode: 'none',
  networks: {},
  mounts: [],
  pid: 1,
})
const volume = (name: string, of = name): VolumeView => ({ name, driver: 'local', labels: { of }, mountpoint: '/' })

describe('containers', () => {
  test('an answer never replaces one that was asked for later', () => {
    const cache = new ContainerCache()
    const [early, late] = [cache.ticket(), cache.ticket()]
    expect(cache.put('a', view('a', 'new'), late)).toEqual([{ of: 'a' }])
    expect(cache.put('a', view('a', 'old'), early)).toEqual([])
    expect(cache.views().get('a')!.name).toBe('new')
  })

  test('a list does not undo what was seen after it began', () => {
    const cache = new ContainerCache()
    cache.putList([view('changed'), view('removed'), view('stale')], cache.ticket())
    const list = cache.ticket()
    cache.put('changed', view('changed', 'new'), cache.ticket())
    cache.put('removed', undefined, cache.ticket())
    cache.put('born', view('born'), cache.ticket())
    expect(cache.putList([view('changed'), view('removed'), view('found')], list)).toEqual([{ of: 'found' }, { of: 'stale' }])
    expect([...cache.views().values()].map(({ name }) => name).sort()).toEqual(['born', 'found', 'new'])
  })

  test('a repetition changes nothing, but counts as seen', () => {
    const cache = new ContainerCache()
    cache.put('a', view('a'), cache.ticket())
    const views = cache.views()
    const list = cache.ticket()
    expect(cache.put('a', view('a'), cache.ticket())).toEqual([])
    expect(cache.putList([], list)).toEqual([])
    expect(cache.views()).toBe(views)
  })

  test('what is gone is told once', () => {
    const cache = new ContainerCache()
    cache.put('a', view('a'), cache.ticket())
    expect(cache.put('a', undefined, cache.ticket())).toEqual([{ of: 'a' }])
    expect(cache.put('a', undefined, cache.ticket())).toEqual([])
    expect(cache.put('b', undefined, cache.ticket())).toEqual([])
  })
})

test('volumes: what appeared, changed and went; the rest keeps its identity', () => {
  const cache = new ListCache<VolumeView>()
  expect(cache.putList([volume('b'), volume('a')])).toEqual([{ of: 'a' }, { of: 'b' }])
  const before = cache.views()
  expect([...before.keys()]).toEqual(['a', 'b'])
  expect(cache.putList([volume('a'), volume('b')])).toEqual([])
  expect(cache.views()).toBe(before)
  expect(cache.putList([volume('a'), volume('c', 'x')])).toEqual([{ of: 'x' }, { of: 'b' }])
  expect(cache.views().get('a')).toBe(before.get('a'))
  expect([...before.keys()]).toEqual(['a', 'b'])
})
