import { beforeEach, expect, test } from 'vitest'
import type { Probe } from '../../../src/model/types/pod.ts'
import type { ProbeKind } from '../../../src/reconcilers/observed.ts'
import type { ProbeTarget } from '../../../src/reconcilers/probetargets.ts'
import { createProber, type Prober } from '../../../src/runtime/prober.ts'
import type { ProbeAnswer } from '../../../src/runtime/probes/answer.ts'
import { FakeTimers, settled } from './faketimers.ts'

const OWNER = 'Deployment/shop/web'

const YES: ProbeAnswer = { ok: true, answer: 'HTTP 200' }
const NO: ProbeAnswer = { ok: false, answer: 'HTTP 503' }
const OWN: ProbeAnswer = { error: 'too many open files' }

const probe = (path: string, change: Partial<Probe> = {}): Probe => ({
  httpGet: { path, port: 80, scheme: 'HTTP', httpHeaders: [] },
  initialDelaySeconds: 0,
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
  ...change,
})

let timers: FakeTimers
let attempts: { path: string; container: string; atMs: number }[]
let changes: string[]
/** by path of the probe */
let answers: Record<string, ProbeAnswer | (() => Promise<ProbeAnswer>)>
let bornAt: number
/** of the wall clock against the timers, ms */
let skew: number

beforeEach(() => {
  timers = new FakeTimers()
  attempts = []
  changes = []
  answers = {}
  bornAt = timers.now
  skew = 0
})

function newProber(random = () => 0.5): Prober {
  bornAt = timers.now
  return createProber({
    timers,
    now: () => timers.now + skew,
    random,
    onChange: (containerId, kind) => changes.push(`${containerId} ${kind}`),
    runAction: async (target, { httpGet, storage }) => {
      const path = httpGet?.path ?? (storage === undefined ? 'exec' : 'storage')
      attempts.push({ path, container: target.containerId, atMs: timers.now - bornAt })
      const answer = answers[path] ?? YES
      return typeof answer === 'function' ? answer() : answer
    },
  })
}

const target = (probes: Partial<Record<ProbeKind, Probe>>, change: Partial<ProbeTarget> = {}): ProbeTarget => ({
  containerId: 'c1',
  node: 'n1',
  startedAt: timers.now,
  address: '10.0.0.2',
  namedPorts: {},
  probes,
  suspend: [],
  ...change,
})

const times = (path: string): number[] => attempts.filter((attempt) => attempt.path === path).map((attempt) => attempt.atMs)
const results = (prober: Prober, id = 'c1'): Record<string, string> =>
  Object.fromEntries(Object.entries(prober.states(id)).map(([kind, state]) => [kind, state?.result ?? '']))

test('before the first result everything is unknown; nothing is known of other containers', () => {
  const prober = newProber()
  prober.sync(OWNER, [target({ readiness: probe('r'), liveness: probe('l') })])
  expect(results(prober)).toEqual({ readiness: 'unknown', liveness: 'unknown' })
  expect(prober.states('other')).toEqual({})
})

test('the first attempt comes within 200 ms, then every period', async () => {
  const prober = newProber()
  prober.sync(OWNER, [target({ readiness: probe('r'), liveness: probe('l') })])
  await timers.advance(25_000)
  expect(times('r')).toEqual([100, 10_100, 20_100])
  expect(times('l')).toEqual([100, 10_100, 20_100])
  expect(results(prober)).toEqual({ readiness: 'success', liveness: 'success' })
  expect(changes).toEqual(['c1 readiness', 'c1 liveness'])
})

test('the initial delay counts from the start of the container', async () => {
  const prober = newProber(() => 0)
  timers.now += 4_000
  prober.sync(OWNER, [target({ readiness: probe('r', { initialDelaySeconds: 5 }) }, { startedAt: bornAt + 1_000 })])
  await timers.advance(10_000)
  expect(times('r')).toEqual([6_000])
})

test('an engine whose clock is ahead does not lengthen the initial delay', async () => {
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ readiness: probe('r', { initialDelaySeconds: 5 }) }, { startedAt: timers.now + 3_600_000 })])
  await timers.advance(5_000)
  expect(times('r')).toEqual([5_000])
})

test('readiness that has never succeeded is asked soon and often, for half a minute', async () => {
  answers = { r: NO }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ readiness: probe('r') })])
  await timers.advance(60_000)
  expect(times('r').filter((ms) => ms < 3_000)).toEqual(Array.from({ length: 15 }, (_, i) => i * 200))
  expect(times('r').filter((ms) => ms >= 3_000 && ms < 30_000)).toEqual(Array.from({ length: 27 }, (_, i) => (i + 3) * 1_000))
  expect(times('r').filter((ms) => ms >= 30_000)).toEqual([30_000, 40_000, 50_000, 60_000])
})

test('through exec it is asked once a second', async () => {
  answers = { exec: NO }
  const prober = newProber(() => 0)
  const { httpGet: _, ...bare } = probe('exec')
  prober.sync(OWNER, [target({ readiness: { ...bare, exec: { command: ['false'] } } })])
  await timers.advance(2_500)
  expect(times('exec')).toEqual([0, 1_000, 2_000])
})

test('the haste ends with the first success, also when more are needed', async () => {
  let count = 0
  answers = { r: async () => (++count > 3 ? YES : NO) }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ readiness: probe('r', { successThreshold: 2 }) })])
  await timers.advance(10_500)
  expect(times('r')).toEqual([0, 200, 400, 600])
  expect(results(prober)).toEqual({ readiness: 'failure' })
  await timers.advance(200)
  expect(results(prober)).toEqual({ readiness: 'success' })
})

test('liveness and startup are never hasty', async () => {
  answers = { s: NO }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [
    target({ startup: probe('s', { failureThreshold: 10 }) }),
    target({ liveness: probe('l') }, { containerId: 'c2' }),
  ])
  await timers.advance(15_000)
  expect(times('s')).toEqual([0, 10_000])
  expect(times('l')).toEqual([0, 10_000])
})

test('a result changes once its threshold is met, in a row', async () => {
  const script = [YES, NO, NO, YES, NO, NO, NO, YES]
  let at = 0
  answers = { r: async () => script[at++] ?? YES }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ readiness: probe('r') })])
  const seen: string[] = []
  for (const _ of script) {
    await timers.advance(1_000)
    seen.push(results(prober).readiness ?? '')
    await timers.advance(9_000)
  }
  expect(seen).toEqual(['success', 'success', 'success', 'success', 'success', 'success', 'failure', 'success'])
})

test('an attempt that could not be made is not counted, only shown', async () => {
  const script = [YES, NO, OWN, NO, OWN]
  let at = 0
  answers = { l: async () => script[at++] ?? NO }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ liveness: probe('l') })])
  await timers.advance(41_000)
  expect(prober.states('c1').liveness).toMatchObject({ result: 'success', lastAnswer: 'not probed: too many open files' })
  await timers.advance(10_000)
  expect(results(prober)).toEqual({ liveness: 'failure' })
})

test('an attempt that throws is not counted either', async () => {
  answers = { l: () => Promise.reject(new Error('oops')) }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ liveness: probe('l') })])
  await timers.advance(60_000)
  expect(prober.states('c1').liveness).toMatchObject({ result: 'unknown', lastAnswer: 'not probed: oops' })
  expect(times('l').length).toBeGreaterThan(3)
})

test('liveness and readiness wait for the startup probe, which then ends', async () => {
  let started = false
  answers = { s: async () => (started ? YES : NO) }
  const prober = newProber()
  prober.sync(OWNER, [
    target({ startup: probe('s', { periodSeconds: 5, failureThreshold: 30 }), readiness: probe('r'), liveness: probe('l') }),
  ])
  await timers.advance(12_000)
  expect([times('s').length, times('r').length, times('l').length]).toEqual([3, 0, 0])
  expect(results(prober)).toEqual({ startup: 'unknown', readiness: 'unknown', liveness: 'unknown' })
  started = true
  await timers.advance(4_000)
  expect(results(prober)).toEqual({ startup: 'success', readiness: 'success', liveness: 'success' })
  expect(times('r')[0]! - times('s').at(-1)!).toBe(100)
  await timers.advance(60_000)
  expect(times('s')).toHaveLength(4)
})

test('a failed startup or liveness probe is not asked again: that container is to be killed', async () => {
  answers = { s: NO, l: NO }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ startup: probe('s') }), target({ liveness: probe('l') }, { containerId: 'c2' })])
  await timers.advance(120_000)
  expect(times('s')).toEqual([0, 10_000, 20_000])
  expect(times('l')).toEqual([0, 10_000, 20_000])
  expect(results(prober, 'c1')).toEqual({ startup: 'failure' })
  expect(results(prober, 'c2')).toEqual({ liveness: 'failure' })
})

test('a container that started again, or another one, begins anew', async () => {
  const prober = newProber()
  const first = target({ readiness: probe('r') })
  prober.sync(OWNER, [first])
  await timers.advance(1_000)
  prober.sync(OWNER, [first])
  expect(results(prober)).toEqual({ readiness: 'success' })
  prober.sync(OWNER, [{ ...first, startedAt: timers.now }])
  expect(results(prober)).toEqual({ readiness: 'unknown' })
  prober.sync(OWNER, [{ ...first, containerId: 'c2' }])
  expect(prober.states('c1')).toEqual({})
  expect(results(prober, 'c2')).toEqual({ readiness: 'unknown' })
})

test('in termination liveness stops and readiness goes on', async () => {
  const prober = newProber(() => 0)
  const running = target({ readiness: probe('r'), liveness: probe('l') })
  prober.sync(OWNER, [running])
  await timers.advance(5_000)
  answers = { r: NO, l: NO }
  prober.sync(OWNER, [{ ...running, suspend: ['liveness', 'startup'] }])
  await timers.advance(30_000)
  expect(times('l')).toEqual([0])
  expect(results(prober)).toEqual({ readiness: 'failure', liveness: 'success' })
})

test('one attempt at a time, and the answer of a forgotten container changes nothing', async () => {
  const open: ((answer: ProbeAnswer) => void)[] = []
  answers = { r: () => new Promise((resolve) => open.push(resolve)) }
  const prober = newProber(() => 0)
  const slow = target({ readiness: probe('r', { periodSeconds: 1 }) })
  prober.sync(OWNER, [slow])
  await timers.advance(30_000)
  expect(open).toHaveLength(1)
  prober.sync(OWNER, [])
  prober.sync(OWNER, [slow])
  open[0]?.(NO)
  await settled()
  expect(results(prober)).toEqual({ readiness: 'unknown' })
  expect(changes).toEqual([])
})

test('attempts in flight are bounded, the rest follows in order', async () => {
  const open: (() => void)[] = []
  answers = { exec: () => new Promise((resolve) => open.push(() => resolve(YES))) }
  const prober = newProber(() => 0)
  const { httpGet: _, ...bare } = probe('exec')
  const exec: Probe = { ...bare, exec: { command: ['true'] } }
  prober.sync(
    OWNER,
    Array.from({ length: 40 }, (_, i) => target({ readiness: exec }, { containerId: `c${i}` })),
  )
  await timers.advance(10)
  expect(open).toHaveLength(16)
  for (const answer of open.splice(0)) answer()
  await settled()
  expect(open).toHaveLength(16)
  prober.stop()
  for (const answer of open.splice(0)) answer()
  await settled()
  expect(open).toHaveLength(0)
})

test('counting what is on a disk, which may take minutes, holds up no other probe, and is done by few at once', async () => {
  const never = new Promise<ProbeAnswer>(() => undefined)
  answers = { storage: () => never }
  const prober = newProber(() => 0)
  const { httpGet: _, ...bare } = probe('storage')
  const storage: Probe = { ...bare, storage: { limitBytes: 1 } }
  prober.sync(
    OWNER,
    Array.from({ length: 300 }, (_, index) => target({ storage }, { containerId: `c${index}` })),
  )
  prober.sync('Deployment/shop/api', [target({ readiness: probe('r') }, { containerId: 'api' })])
  await timers.advance(1_000)
  expect(results(prober, 'api')).toEqual({ readiness: 'success' })
  expect(times('storage')).toHaveLength(4)
})

test('after a restart of the daemon first attempts are spread over the period', async () => {
  const startedAt = timers.now - 3_600_000
  let chance = 0
  const prober = newProber(() => {
    chance += 0.25
    return chance
  })
  const containers = ['c1', 'c2', 'c3'].map((containerId) => target({ liveness: probe('l') }, { containerId, startedAt }))
  prober.sync(OWNER, containers)
  await timers.advance(9_999)
  expect(times('l')).toEqual([2_500, 5_000, 7_500])
})

test('a container seeded ready stays ready until its probe has really failed, and counts as started', async () => {
  answers = { r: NO, s: NO }
  const prober = newProber(() => 0)
  prober.seed('c1', true)
  prober.seed('c2', false)
  const probes = { readiness: probe('r'), startup: probe('s') }
  prober.sync(OWNER, [target(probes, { startedAt: 0 }), target(probes, { containerId: 'c2', startedAt: 0 })])
  expect(results(prober)).toEqual({ readiness: 'success', startup: 'success' })
  expect(results(prober, 'c2')).toEqual({ readiness: 'unknown', startup: 'unknown' })
  await timers.advance(19_000)
  expect(results(prober).readiness).toBe('success')
  await timers.advance(1_000)
  expect(results(prober).readiness).toBe('failure')
  expect(attempts.filter((attempt) => attempt.container === 'c1').map((attempt) => `${attempt.path} ${attempt.atMs}`)).toEqual([
    'r 0',
    'r 10000',
    'r 20000',
  ])
})

test('a seed may come after the sync; it does not outlive what was learnt', async () => {
  answers = { r: NO }
  const prober = newProber(() => 0)
  const ready = target({ readiness: probe('r', { initialDelaySeconds: 60 }) })
  prober.sync(OWNER, [ready])
  prober.seed('c1', true)
  expect(results(prober)).toEqual({ readiness: 'success' })
  prober.sync(OWNER, [])
  prober.sync(OWNER, [ready])
  expect(results(prober)).toEqual({ readiness: 'unknown' })
})

test('a failing probe that says something else is told, not more than every 5 s', async () => {
  let count = 0
  answers = { r: async () => ({ ok: ++count === 1, answer: `try ${count}` }) }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ readiness: probe('r', { periodSeconds: 1, failureThreshold: 1 }) })])
  await timers.advance(12_000)
  expect(count).toBe(13)
  expect(changes).toHaveLength(4)
  expect(prober.states('c1').readiness?.lastAnswer).toBe('try 13')
  answers = { r: { ok: false, answer: 'same' } }
  await timers.advance(60_000)
  expect(changes).toHaveLength(5)
})

test('since is when the result changed', async () => {
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ readiness: probe('r') })])
  await timers.advance(35_000)
  expect(prober.states('c1').readiness).toEqual({ result: 'success', since: bornAt, lastAnswer: 'HTTP 200' })
})

test('a clock that is set back does not stop the probes', async () => {
  const prober = newProber(() => 0)
  answers = {
    r: async () => {
      skew = -3_600_000
      return YES
    },
  }
  prober.sync(OWNER, [target({ readiness: probe('r') })])
  await timers.advance(0)
  answers = {}
  await timers.advance(10_000)
  expect(attempts).toHaveLength(2)
})

test('stop leaves no timer', async () => {
  const prober = newProber()
  prober.sync(OWNER, [target({ readiness: probe('r'), liveness: probe('l'), startup: probe('s') })])
  await timers.advance(1_000)
  prober.stop()
  expect(timers.pending).toBe(0)
  expect(prober.states('c1')).toEqual({})
})

test('a port is asked often until it listens, and never again; each for itself', async () => {
  let listens = false
  answers = { a: async () => (listens ? YES : NO) }
  const prober = newProber(() => 0)
  const own = { periodSeconds: 1, failureThreshold: 1 }
  prober.sync(OWNER, [target({ 'port 80': probe('a', own), 'port 81': probe('b', own) })])
  await timers.advance(500)
  expect(results(prober)).toEqual({ 'port 80': 'failure', 'port 81': 'success' })
  listens = true
  await timers.advance(60_000)
  expect([times('a'), times('b')]).toEqual([[0, 200, 400, 600], [0]])
  expect(results(prober)).toEqual({ 'port 80': 'success', 'port 81': 'success' })
  answers = { a: NO, b: NO }
  await timers.advance(60_000)
  expect(results(prober)).toEqual({ 'port 80': 'success', 'port 81': 'success' })
  expect(changes).toEqual(['c1 port 80', 'c1 port 81', 'c1 port 80'])
})

test('a port does not hold up the liveness probe beside it', async () => {
  answers = { p: NO }
  const prober = newProber(() => 0)
  prober.sync(OWNER, [target({ 'port 80': probe('p', { failureThreshold: 1 }), liveness: probe('l') })])
  await timers.advance(1_000)
  expect(results(prober)).toEqual({ 'port 80': 'failure', liveness: 'success' })
})

test('ports of a container that was ready before the daemon started are not asked again', async () => {
  const prober = newProber(() => 0)
  const ready = target({ 'port 80': probe('p') })
  prober.sync(OWNER, [ready])
  prober.seed('c1', true)
  await timers.advance(60_000)
  expect(results(prober)).toEqual({ 'port 80': 'success' })
  expect(attempts).toEqual([])
  prober.sync(OWNER, [{ ...ready, startedAt: timers.now }])
  await timers.advance(0)
  expect(attempts, 'it has started anew').toHaveLength(1)
})
