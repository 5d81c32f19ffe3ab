import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { HttpGet, ProbeAction } from '../../../src/model/types.ts'
import { type Engine, EngineError, type ExecResult } from '../../../src/runtime/engine.ts'
import { createProbeRunner, runHook, runProbe } from '../../../src/runtime/probes/action.ts'
import { realTimers } from '../../support/stubs.ts'
import { FakeTimers, settled } from './faketimers.ts'

const servers: Server[] = []
const bounds = { timeoutMs: 2_000, signal: new AbortController().signal }
const tools = { redact: (text: string) => text.replaceAll('hunter2', '[redacted]'), timers: new FakeTimers() }

afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections()
    server.close()
  }
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const serving = (listener: RequestListener): Promise<number> => listening(createServer(listener))

const engineWith = (exec: () => Promise<ExecResult>): Engine => ({ node: 'n1', exec }) as unknown as Engine
const noEngine = engineWith(() => Promise.reject(new Error('not asked')))

function site(namedPorts: Record<string, number> = {}, engine = noEngine, address = '127.0.0.1') {
  return { engine, containerId: 'c1', address, namedPorts }
}
const get = (port: number | string, change: Partial<HttpGet> = {}): ProbeAction => ({
  httpGet: { path: '/', port, scheme: 'HTTP', httpHeaders: [], ...change },
})
const probed = (action: ProbeAction, where = site(), within = bounds) => runProbe(action, where, within, tools)

for (const { status, ok } of [
  { status: 200, ok: true },
  { status: 204, ok: true },
  { status: 304, ok: true },
  { status: 399, ok: true },
  { status: 400, ok: false },
  { status: 404, ok: false },
  { status: 503, ok: false },
]) {
  test(`httpGet: ${status} is a ${ok ? 'success' : 'failure'}`, async () => {
    const port = await serving((_, response) => response.writeHead(status).end())
    expect(await probed(get(port))).toEqual({ ok, answer: `HTTP ${status}` })
  })
}

test('httpGet: path, query and headers as written', async () => {
  let seen: { url: string | undefined; headers: IncomingHttpHeaders } | undefined
  const port = await serving((request, response) => {
    seen = { url: request.url, headers: request.headers }
    response.end('ok')
  })
  const httpHeaders = [
    { name: 'Host', value: 'shop.example.com' },
    { name: 'X-Two', value: 'a' },
    { name: 'x-two', value: 'b' },
    { name: 'Accept', value: '' },
  ]
  expect(await probed(get('http', { path: '//up?deep=1&q=a b#x', httpHeaders }), site({ http: port }))).toMatchObject({
    ok: true,
  })
  expect(seen?.url).toBe('//up?deep=1&q=a%20b')
  expect(seen?.headers).toMatchObject({
    host: 'shop.example.com',
    'x-two': 'a, b',
    'user-agent': 'kube-probe/trireme',
    connection: 'close',
  })
  expect(seen?.headers.accept).toBeUndefined()
})

test('httpGet: redirects on the same host are followed, others are the answer', async () => {
  const port = await serving((request, response) => {
    const to = { '/same': '/down', '/other': 'http://other.invalid/', '/odd': 'ftp://127.0.0.1/' }[request.url ?? '']
    response.writeHead(to === undefined ? 500 : 302, to === undefined ? {} : { location: to }).end()
  })
  expect(await probed(get(port, { path: '/same' }))).toEqual({ ok: false, answer: 'HTTP 500' })
  expect(await probed(get(port, { path: '/other' }))).toEqual({ ok: true, answer: 'HTTP 302' })
  expect(await probed(get(port, { path: '/odd' }))).toEqual({ ok: true, answer: 'HTTP 302' })
})

test('httpGet: redirects that do not end are a failure', async () => {
  let requests = 0
  const port = await serving((_, response) => {
    requests += 1
    response.writeHead(302, { location: '/again' }).end()
  })
  expect(await probed(get(port))).toEqual({ ok: false, answer: 'stopped after 10 redirects' })
  expect(requests).toBe(10)
})

test('httpGet: a body that does not end is not read to its end', async () => {
  const port = await serving((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(4096)));
    }
    response.on('drain', more)
    more()
  })
  expect(await probed(get(port))).toEqual({ ok: true, answer: 'HTTP 200' })
})

test('httpGet: a body that breaks off is a failure', async () => {
  const port = await serving((_, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half', () => response.destroy())
  })
  expect(await probed(get(port))).toMatchObject({ ok: false })
})

test('httpGet: no answer in time, no connection, no HTTP', async () => {
  const silent = await serving(() => {})
  expect(await probed(get(silent), site(), { ...bounds, timeoutMs: 100 })).toEqual({
    ok: false,
    answer: 'no answer within 0.1 s',
  })
  const closed = await listening(createTcpServer())
  servers.pop()?.close()
  await settled()
  expect(await probed(get(closed))).toEqual({ ok: false, answer: 'connection refused' })
  const other = await listening(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')))
  expect(await probed(get(other))).toMatchObject({ ok: false })
  const reset = await listening(createTcpServer((socket) => socket.resetAndDestroy()))
  expect(await probed(get(reset))).toEqual({ ok: false, answer: 'connection reset' })
})

test('an attempt that is called off says nothing about the container', async () => {
  const silent = await serving(() => {})
  const off = new AbortController()
  const answer = probed(get(silent), site(), { ...bounds, signal: off.signal })
  off.abort()
  expect(await answer).toEqual({ error: 'cancelled' })
})

for (const { name, port, want } of [
  { name: 'an unknown name', port: 'metrics', want: { ok: false, answer: 'no container port is named "metrics"' } },
  {
    name: 'a name every object has',
    port: 'constructor',
    want: { ok: false, answer: 'no container port is named "constructor"' },
  },
  { name: 'zero', port: 0, want: { ok: false, answer: 'port 0 is not between 1 and 65535' } },
  { name: 'too large', port: '70000', want: { ok: false, answer: 'port 70000 is not between 1 and 65535' } },
]) {
  test(`a port that is ${name}`, async () => {
    expect(await probed(get(port))).toEqual(want)
    expect(await probed({ tcpSocket: { port } })).toEqual(want)
  })
}

test('a pod without an address is not probed', async () => {
  expect(await probed(get(80), site({}, noEngine, ''))).toEqual({ error: 'the pod has no address yet' })
})

test('tcpSocket: a connection is enough, by number, digits and name', async () => {
  const port = await listening(createTcpServer())
  for (const way of [port, String(port), 'db']) {
    expect(await probed({ tcpSocket: { port: way } }, site({ db: port }))).toEqual({ ok: true, answer: 'connected' })
  }
  servers.pop()?.close()
  await settled()
  expect(await probed({ tcpSocket: { port } })).toEqual({ ok: false, answer: 'connection refused' })
})

for (const { name, exec, want } of [
  { name: 'exit code 0', exec: async () => ({ exitCode: 0, output: '' }), want: { ok: true, answer: 'exit code 0' } },
  {
    name: 'another exit code, on one line, without secrets',
    exec: async () => ({ exitCode: 2, output: 'auth\n\tfailed for hunter2\u001b\n' }),
    want: { ok: false, answer: 'exit code 2: auth failed for [redacted]' },
  },
  {
    name: 'a secret at the cut',
    exec: async () => ({ exitCode: 1, output: `${'x'.repeat(281)}hunter2` }),
    want: { ok: false, answer: `exit code 1: ${'x'.repeat(281)}[redac…` },
  },
  {
    name: 'out of time',
    exec: () => Promise.reject(new EngineError('timeout', 't')),
    want: { ok: false, answer: 'no answer within 2 s' },
  },
  {
    name: 'a command that is not there',
    exec: () =>
      Promise.reject(
        new EngineError('failed', 'exec c1: OCI runtime exec failed: exec: "nope": executable file not found in $PATH'),
      ),
    want: { ok: false, answer: 'exec c1: OCI runtime exec failed: exec: "nope": executable file not found in $PATH' },
  },
  {
    name: 'an engine out of reach',
    exec: () => Promise.reject(new EngineError('unreachable', 'no answer')),
    want: { error: 'no answer' },
  },
  { name: 'a container that is gone', exec: () => Promise.reject(new EngineError('notFound', 'gone')), want: { error: 'gone' } },
]) {
  test(`exec: ${name}`, async () => expect(await probed({ exec: { command: ['x'] } }, site({}, engineWith(exec)))).toEqual(want))
}

/** A health server that answers with `status`, or with `code` alone. */
async function health(status: number, code = 0): Promise<{ port: number; asked: () => string }> {
  let asked = ''
  const server = createHttp2Server()
  server.on('stream', (stream) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      asked = Buffer.concat(chunks).toString('latin1')
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(code) }))
      stream.end(code === 0 ? Buffer.from([0, 0, 0, 0, 2, 8, status]) : undefined)
    })
  })
  return { port: await listening(server as unknown as Server), asked: () => asked }
}

test('grpc: SERVING is a success, anything else a failure', async () => {
  const good = await health(1)
  expect(await probed({ grpc: { port: good.port, service: 'db' } })).toEqual({ ok: true, answer: 'gRPC SERVING' })
  expect(good.asked()).toBe('\0\0\0\0\x04\n\x02db')
  const bad = await health(2)
  expect(await probed({ grpc: { port: bad.port, service: '' } })).toEqual({ ok: false, answer: 'gRPC NOT_SERVING' })
  expect(bad.asked()).toBe('\0\0\0\0\0')
  const none = await health(0, 12)
  expect(await probed({ grpc: { port: none.port, service: '' } })).toMatchObject({
    ok: false,
    answer: expect.stringContaining('not implement'),
  })
})

test('grpc: no server, another protocol, no answer', async () => {
  const other = await serving((_, response) => response.end())
  expect(await probed({ grpc: { port: other, service: '' } })).toMatchObject({ ok: false })
  const silent = await listening(createTcpServer())
  expect(await probed({ grpc: { port: silent, service: '' } }, site(), { ...bounds, timeoutMs: 100 })).toEqual({
    ok: false,
    answer: 'no answer within 0.1 s',
  })
})

test('the prober asks at the timeout of the probe, on the node of the target', async () => {
  const silent = await serving(() => {})
  const run = createProbeRunner({
    engineOf: (node) => (node === 'n1' ? noEngine : undefined),
    redact: (text) => text,
    timers: realTimers,
  })
  const probe = {
    ...get(silent),
    timeoutSeconds: 0.1,
    initialDelaySeconds: 0,
    periodSeconds: 1,
    successThreshold: 1,
    failureThreshold: 1,
  }
  const target = { containerId: 'c1', address: '127.0.0.1', namedPorts: {} }
  expect(await run({ ...target, node: 'n1' }, probe, bounds.signal)).toEqual({ ok: false, answer: 'no answer within 0.1 s' })
  expect(await run({ ...target, node: 'n2' }, probe, bounds.signal)).toEqual({ error: 'node n2 is not known' })
})

test('hooks: exec and httpGet as probes do, tcpSocket not at all', async () => {
  const port = await serving((_, response) => response.writeHead(404).end())
  const engine = engineWith(async () => ({ exitCode: 3, output: 'hunter2' }))
  expect(await runHook(get(port), site(), bounds, tools)).toEqual({ ok: false, answer: 'HTTP 404' })
  expect(await runHook({ exec: { command: ['x'] } }, site({}, engine), bounds, tools)).toEqual({
    ok: false,
    answer: 'exit code 3: [redacted]',
  })
  expect(await runHook({ tcpSocket: { port } }, site(), bounds, tools)).toMatchObject({ ok: false })
})

test('hooks: sleep ends with its time, its timeout or its signal', async () => {
  const timers = new FakeTimers()
  const ended: string[] = []
  const run = (name: string, timeoutMs: number, signal: AbortSignal) =>
    runHook({ sleep: { seconds: 5 } }, site(), { timeoutMs, signal }, { ...tools, timers }).then((answer) => {
      ended.push(`${name} ${JSON.stringify(answer)}`)
    })
  const off = new AbortController()
  void run('whole', 60_000, bounds.signal)
  void run('cut', 2_000, bounds.signal)
  void run('aborted', 60_000, off.signal)
  await timers.advance(1_000)
  expect(ended).toEqual([])
  off.abort()
  await timers.advance(1_000)
  expect(ended.map((line) => line.split(' ')[0])).toEqual(['aborted', 'cut'])
  await timers.advance(3_000)
  expect(ended.at(-1)).toBe('whole {"ok":true,"answer":"slept 5 s"}')
  expect(timers.pending).toBe(0)
})
