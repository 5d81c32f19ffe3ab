import { afterAll, afterEach, expect, test } from 'vitest'
import type { Probe } from '../../src/model/types.ts'
import type { ProbeKind } from '../../src/reconcilers/observed.ts'
import type { ProbeTarget } from '../../src/reconcilers/probetargets.ts'
import type { ContainerView } from '../../src/runtime/engine.ts'
import { createProber, type Prober } from '../../src/runtime/prober.ts'
import { createProbeRunner, runHook } from '../../src/runtime/probes/action.ts'
import { realTimers, StubLab } from '../support/stubs.ts'

const OWNER = 'Deployment/shop/web'

const lab = new StubLab('prober')
const probers: Prober[] = []
const waiters: (() => void)[] = []

afterEach(() => {
  for (const prober of probers.splice(0)) prober.stop()
})
afterAll(() => lab.remove())

function newProber(): Prober {
  const prober = createProber({
    timers: realTimers,
    now: () => Date.now(),
    random: () => Math.random(),
    runAction: createProbeRunner({
      engineOf: () => lab.engine,
      redact: (text) => text.replaceAll('hunter2', '[redacted]'),
      timers: realTimers,
    }),
    onChange: () => {
      for (const wake of waiters.splice(0)) wake()
    },
  })
  probers.push(prober)
  return prober
}

/** Resolves once the probe has `result`; looked at whenever the prober says that something has changed. */
async function until(prober: Prober, id: string, kind: ProbeKind, result: string): Promise<void> {
  while (prober.states(id)[kind]?.result !== result) await new Promise<void>((resolve) => waiters.push(resolve))
}

const probe = (action: Partial<Probe>): Probe => ({
  initialDelaySeconds: 0,
  timeoutSeconds: 2,
  periodSeconds: 1,
  successThreshold: 1,
  failureThreshold: 1,
  ...action,
})
const http = (path: string, port: number | string = 'http'): Partial<Probe> => ({
  httpGet: { path, port, scheme: 'HTTP', httpHeaders: [] },
})
const target = (view: ContainerView, probes: ProbeTarget['probes']): ProbeTarget => ({
  containerId: view.id,
  node: 'local',
  startedAt: view.startedAt,
  address: view.networks.bridge?.ip ?? '',
  namedPorts: { http: 8080 },
  probes,
  suspend: [],
})
const stub = (name: string, env: string[] = []) => lab.run(name, { env: ['PORTS=8080', 'PATHS=/ok', ...env] })

test('a server becomes ready soon after its start, whatever the period', async () => {
  const view = await stub('soon')
  const prober = newProber()
  const begun = performance.now()
  prober.sync(OWNER, [target(view, { readiness: probe({ ...http('/ok'), periodSeconds: 60 }) })])
  await until(prober, view.id, 'readiness', 'success')
  expect(performance.now() - begun).toBeLessThan(5_000)
  expect(prober.states(view.id).readiness?.lastAnswer).toBe('HTTP 200')
})

test('readiness follows a file through exec, startup goes before it', async () => {
  const view = await stub('exec')
  const prober = newProber()
  const startup = probe({ exec: { command: ['test', '-f', '/tmp/started'] }, failureThreshold: 60 })
  const readiness = probe({ exec: { command: ['sh', '-c', 'test -f /tmp/ready || { echo no hunter2; exit 7; }'] } })
  prober.sync(OWNER, [target(view, { startup, readiness })])
  await lab.shell(view.id, 'touch /tmp/started')
  await until(prober, view.id, 'startup', 'success')
  await until(prober, view.id, 'readiness', 'failure')
  expect(prober.states(view.id).readiness?.lastAnswer).toBe('exit code 7: no [redacted]')
  await lab.shell(view.id, 'touch /tmp/ready')
  await until(prober, view.id, 'readiness', 'success')
  await lab.shell(view.id, 'rm /tmp/ready')
  await until(prober, view.id, 'readiness', 'failure')
})

test('a path that is not there, a port that is closed, a command that is not there or never ends', async () => {
  const view = await stub('bad')
  const said = async (action: Partial<Probe>) => {
    const run = createProbeRunner({ engineOf: () => lab.engine, redact: (text) => text, timers: realTimers })
    return run(target(view, {}), probe({ timeoutSeconds: 1, ...action }), new AbortController().signal)
  }
  expect(await said({ tcpSocket: { port: 8081 } })).toEqual({ ok: false, answer: 'connection refused' })
  expect(await said({ exec: { command: ['/no/such'] } })).toMatchObject({
    ok: false,
    answer: expect.stringContaining('/no/such'),
  })
  expect(await said({ exec: { command: ['sleep', '5'] } })).toEqual({ ok: false, answer: 'no answer within 1 s' })
  const prober = newProber()
  prober.sync(OWNER, [target(view, { readiness: probe(http('/ok')) })])
  await until(prober, view.id, 'readiness', 'success')
  expect(await said(http('/missing'))).toEqual({ ok: false, answer: 'HTTP 404' })
  expect(await said({ tcpSocket: { port: 'http' } })).toEqual({ ok: true, answer: 'connected' })
})

test('a container that dies fails over the network; over exec there is no answer to count', async () => {
  const view = await stub('dies')
  const prober = newProber()
  prober.sync(OWNER, [target(view, { readiness: probe(http('/ok')), liveness: probe({ exec: { command: ['true'] } }) })])
  await until(prober, view.id, 'readiness', 'success')
  await until(prober, view.id, 'liveness', 'success')
  await lab.engine.killContainer(view.id, 'SIGKILL')
  await until(prober, view.id, 'readiness', 'failure')
  expect(prober.states(view.id).liveness?.result).toBe('success')
  await lab.engine.startContainer(view.id)
  prober.sync(OWNER, [target(await lab.view(view.id), { readiness: probe(http('/ok')) })])
  expect(prober.states(view.id).readiness?.result).toBe('unknown')
  await until(prober, view.id, 'readiness', 'success')
})

test('hooks run in the container', async () => {
  const view = await stub('hooks')
  const site = { engine: lab.engine, containerId: view.id, address: view.networks.bridge?.ip ?? '', namedPorts: {} }
  const bounds = { timeoutMs: 10_000, signal: new AbortController().signal }
  const tools = { timers: realTimers, redact: (text: string) => text }
  expect(await runHook({ exec: { command: ['sh', '-c', 'echo bye > /tmp/hook'] } }, site, bounds, tools)).toMatchObject({
    ok: true,
  })
  expect(await lab.shell(view.id, 'cat /tmp/hook')).toBe('bye\n')
})
