import { describe, expect, test } from 'vitest'
import { type PollerOptions, pollSource } from '../../../src/git/poller.ts'
import { type Poll, type Source, SourceError } from '../../../src/git/source.ts'

/** A source whose polls end when the test says so, under a clock that only the test moves. */
function bench(options: Partial<PollerOptions> = {}) {
  const waiting: { resolve: (poll: Poll) => void; reject: (error: unknown) => void; signal: AbortSignal }[] = []
  const told: string[] = []
  const delays: number[] = []
  let changed = () => {}
  let watching = false
  let timer: { callback: () => void; ms: number } | undefined
  let now = 0
  const source: Source = {
    name: 'x',
    poll: (signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject, signal })
        signal.addEventListener('abort', () => reject(new SourceError('failed', 'stopped')))
      }),
    tree: () => Promise.reject(new Error('unused')),
    watch(callback) {
      changed = callback
      watching = true
      return () => {
        watching = false
      }
    },
    close: async () => {},
  }
  const stop = new AbortController()
  const poller = pollSource(source, {
    intervalMs: 10_000,
    jitter: 0,
    random: () => 0.5,
    now: () => now,
    timers: {
      setTimeout(callback, ms) {
        timer = { callback, ms }
        delays.push(ms)
        return timer
      },
      clearTimeout(cleared) {
        if (cleared === timer) timer = undefined
      },
    },
    onRevision: ({ revision, forced }) => told.push(`${revision.sha}${forced ? ' forced' : ''}`),
    onFailure: (error, consecutive, ms) => told.push(`${error.kind} ${consecutive} ${ms}`),
    onPolled: ({ result, durationMs }) => told.push(`${result} in ${durationMs}`),
    signal: stop.signal,
    ...options,
  })
  const settle = () => new Promise<void>((done) => setImmediate(done))
  return {
    poller,
    told,
    delays,
    stop,
    waiting,
    settle,
    changed: () => changed(),
    watching: () => watching,
    pending: () => timer !== undefined,
    async answer(sha: string, forced = false) {
      now += 5
      waiting.shift()!.resolve({ revision: { sha, author: '', message: '', committedAt: 0 }, forced })
      await settle()
    },
    async fail(error: unknown = new SourceError('unreachable', 'gone')) {
      waiting.shift()!.reject(error)
      await settle()
    },
    async tick() {
      timer!.callback()
      await settle()
    },
  }
}

describe('pollSource', () => {
  test('polls at once, then by interval, and tells a revision once', async () => {
    const b = bench()
    await b.answer('one')
    await b.tick()
    await b.answer('one')
    await b.tick()
    await b.answer('two', true)
    expect(b.told).toEqual(['changed in 5', 'one', 'unchanged in 5', 'changed in 5', 'two forced'])
    expect(b.delays).toEqual([10_000, 10_000, 10_000])
  })

  test('a revision that could not be made use of is told again by the next poll', async () => {
    const b = bench()
    await b.answer('one')
    b.poller.forget()
    await b.tick()
    await b.answer('one')
    expect(b.told).toEqual(['changed in 5', 'one', 'changed in 5', 'one'])
  })

  for (const { random, want } of [
    { random: 0, want: 10_000 },
    { random: 0.5, want: 11_000 },
    { random: 0.999, want: 11_998 },
  ]) {
    test(`jitter of 0.2 with chance ${random} waits ${want} ms`, async () => {
      const b = bench({ jitter: 0.2, random: () => random })
      await b.answer('one')
      expect(b.delays).toEqual([want])
    })
  }

  test('failures double the delay up to five minutes, and a success starts over', async () => {
    const b = bench()
    for (let n = 0; n < 7; n++) {
      await b.fail()
      await b.tick()
    }
    await b.answer('one')
    expect(b.delays).toEqual([20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000, 10_000])
    expect(b.told.slice(0, 4)).toEqual(['failed in 0', 'unreachable 1 20000', 'failed in 0', 'unreachable 2 40000'])
  })

  test('an interval beyond five minutes is never shortened by a failure', async () => {
    const b = bench({ intervalMs: 600_000 })
    await b.fail()
    expect(b.delays).toEqual([600_000])
  })

  test('a failure between equal revisions does not tell the revision again', async () => {
    const b = bench({ onPolled: () => {} })
    await b.answer('one')
    await b.tick()
    await b.fail()
    await b.tick()
    await b.answer('one')
    expect(b.told).toEqual(['one', 'unreachable 1 20000'])
  })

  test('an error that is no SourceError counts as failed', async () => {
    const b = bench({ onPolled: () => {} })
    await b.fail(new TypeError('bug'))
    expect(b.told).toEqual(['failed 1 20000'])
  })

  test('syncNow polls at once instead of waiting for the timer', async () => {
    const b = bench()
    await b.answer('one')
    const synced = b.poller.syncNow()
    expect(b.waiting).toHaveLength(1)
    expect(b.pending()).toBe(false)
    await b.answer('two')
    await synced
    expect(b.told).toContain('two')
    expect(b.pending()).toBe(true)
  })

  test('syncs and changes while a poll runs share one that follows; polls never overlap', async () => {
    const b = bench()
    const ended: string[] = []
    void b.poller.syncNow().then(() => ended.push('first'))
    void b.poller.syncNow().then(() => ended.push('second'))
    b.changed()
    expect(b.waiting).toHaveLength(1)
    await b.answer('one')
    expect(ended).toEqual([])
    expect(b.waiting).toHaveLength(1)
    await b.answer('two')
    expect(ended).toEqual(['first', 'second'])
    expect(b.waiting).toHaveLength(0)
    expect(b.pending()).toBe(true)
  })

  test('a change that the source tells polls at once', async () => {
    const b = bench()
    await b.answer('one')
    b.changed()
    expect(b.waiting).toHaveLength(1)
  })

  for (const how of ['stop', 'signal'] as const) {
    test(`${how} ends the running poll, the watch and the timer, and nothing is told afterwards`, async () => {
      const b = bench()
      await b.answer('one')
      await b.tick()
      const { signal } = b.waiting[0]!
      const told = [...b.told]
      if (how === 'signal') b.stop.abort()
      await b.poller.stop()
      await b.poller.syncNow()
      expect(signal.aborted).toBe(true)
      expect(b.waiting).toHaveLength(1)
      expect([b.told, b.pending(), b.watching()]).toEqual([told, false, false])
    })
  }

  test('a poller whose signal is already aborted does nothing', async () => {
    const b = bench({ signal: AbortSignal.abort() })
    await b.settle()
    expect([b.waiting.length, b.pending(), b.watching()]).toEqual([0, false, false])
  })
})
