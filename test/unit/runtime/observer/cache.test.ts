import { describe, expect, test } from 'vitest'
import type { ContainerView, VolumeView } from '../../../../src/runtime/engine.ts'
import { type Change, labelsOf, ObjectCache } from '../../../../src/runtime/observer/cache.ts'

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

const containers = (): ObjectCache<ContainerView> => new ObjectCache(({ id }) => id)
const told = (changes: readonly Change<ContainerView | VolumeView>[]) => expect(labelsOf(changes))

describe('containers', () => {
  test('an answer never replaces one that was asked for later', () => {
    const cache = containers()
    const [early, late] = [cache.ticket(), cache.ticket()]
    told(cache.put('a', view('a', 'new'), late)).toEqual([{ of: 'a' }])
    told(cache.put('a', view('a', 'old'), early)).toEqual([])
    expect(cache.views().get('a')!.name).toBe('new')
  })

  test('a list does not undo what was seen after it began', () => {
    const cache = containers()
    cache.putList([view('changed'), view('removed'), view('stale')], cache.ticket())
    const list = cache.ticket()
    cache.put('changed', view('changed', 'new'), cache.ticket())
    cache.put('removed', undefined, cache.ticket())
    cache.put('born', view('born'), cache.ticket())
    told(cache.putList([view('changed'), view('removed'), view('found')], list)).toEqual([{ of: 'found' }, { of: 'stale' }])
    expect([...cache.views().values()].map(({ name }) => name).sort()).toEqual(['born', 'found', 'new'])
  })

  test('a repetition changes nothing, but counts as seen', () => {
    const cache = containers()
    cache.put('a', view('a'), cache.ticket())
    const before = cache.get('a')
    const list = cache.ticket()
    told(cache.put('a', view('a'), cache.ticket())).toEqual([])
    told(cache.putList([], list)).toEqual([])
    expect(cache.get('a')).toBe(before)
  })

  test('what is gone is told once', () => {
    const cache = containers()
    cache.put('a', view('a'), cache.ticket())
    told(cache.put('a', undefined, cache.ticket())).toEqual([{ of: 'a' }])
    told(cache.put('a', undefined, cache.ticket())).toEqual([])
    told(cache.put('b', undefined, cache.ticket())).toEqual([])
  })
})

test('volumes: what appeared, changed and went; the rest keeps its identity', () => {
  const cache = new ObjectCache<VolumeView>(({ name }) => name)
  told(cache.putList([volume('b'), volume('a')], cache.ticket())).toEqual([{ of: 'b' }, { of: 'a' }])
  const before = cache.get('a')
  told(cache.putList([volume('a'), volume('b')], cache.ticket())).toEqual([])
  told(cache.putList([volume('a'), volume('c', 'x')], cache.ticket())).toEqual([{ of: 'x' }, { of: 'b' }])
  expect(cache.get('a')).toBe(before)
  expect([...cache.views().keys()]).toEqual(['a', 'c'])
})

test('a list of a part says nothing of the rest, and of the part not more than it was asked for after', () => {
  const cache = new ObjectCache<VolumeView>(({ name }) => name)
  cache.putList([volume('a'), volume('b'), volume('other')], cache.ticket())
  const part = cache.ticket()
  cache.put('b', volume('b', 'later'), cache.ticket())
  told(cache.putPart([volume('c')], ['a', 'b'], part)).toEqual([{ of: 'c' }, { of: 'a' }])
  expect([...cache.views().keys()].sort()).toEqual(['b', 'c', 'other'])
})

test('a volume that was removed and made again under its name is there', () => {
  const cache = new ObjectCache<VolumeView>(({ name }) => name)
  cache.putPart([volume('a')], [], cache.ticket())
  cache.putPart([], ['a'], cache.ticket())
  told(cache.putPart([volume('a')], [], cache.ticket())).toEqual([{ of: 'a' }])
})
