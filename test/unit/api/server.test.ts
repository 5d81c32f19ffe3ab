import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { ApiDeps } from '../../../src/api/server.ts'
import { rawRequest, startTestApi, type TestApi } from '../../support/api.ts'
import { busyCluster } from '../../support/status.ts'

let api: TestApi

async function start(change: Partial<ApiDeps> = {}, host?: string): Promise<TestApi> {
  api = await startTestApi(change, host)
  return api
}
afterEach(() => api.close())

const get = (path: string, headers: Record<string, string> = {}) => rawRequest(api, 'GET', path, { headers })
const post = (path: string, headers: Record<string, string> = {}, body = '') => rawRequest(api, 'POST', path, { headers, body })
const messageOf = (body: string) => (JSON.parse(body) as { message: string }).message

describe('health', () => {
  test('well', async () => {
    await start()
    expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
    expect((await get('/readyz?verbose')).body).toBe('[+]engine ok\n[+]git ok (never fetched)\nreadyz check passed\n')
  })

  test('not ready says why, asked or not', async () => {
    await start({ ready: () => [{ name: 'engine', level: 'fail', message: 'no answer', remedy: '' }] })
    expect(await get('/readyz')).toMatchObject({ status: 503, body: '[-]engine failed: no answer\nreadyz check failed\n' })
    expect((await get('/healthz')).status).toBe(200)
  })
})

describe('reading', () => {
  test('status is the whole status', async () => {
    await start()
    const { status, headers, body } = await get('/api/v1/status')
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    expect(JSON.parse(body)).toEqual(busyCluster())
  })

  test('metrics keep the content type of the registry', async () => {
    await start()
    expect(await get('/metrics')).toMatchObject({
      status: 200,
      body: 'up 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    })
  })

  test('who verifies tokens finds issuer and key, from anywhere and under any name, and no secret', async () => {
    await start()
    const anywhere = { host: 'trireme.example', origin: 'https://elsewhere.example' }
    const discovery = await get('/.well-known/openid-configuration', anywhere)
    expect(discovery).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } })
    expect(JSON.parse(discovery.body)).toEqual({
      issuer: 'https://trireme.example',
      jwks_uri: 'https://trireme.example/openid/v1/jwks',
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    })
    const keys = await get('/openid/v1/jwks', anywhere)
    expect([keys.status, keys.headers['content-type']]).toEqual([200, 'application/jwk-set+json; charset=utf-8'])
    const [only, ...others] = (JSON.parse(keys.body) as { keys: object[] }).keys
    expect(others).toEqual([])
    expect(Object.keys(only ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  })

  test('a key that cannot be read is told in the log alone', async () => {
    const rejected = new Error('EACCES: /data/token.key')
    await start({ openid: { discovery: () => ({}), keys: () => Promise.reject(rejected) } })
    const { status, body } = await get('/openid/v1/jwks')
    expect([status, body.includes('token.key')]).toEqual([500, false])
    expect(api.failures).toEqual([rejected])
  })

  test('events are limited', async () => {
    await start()
    expect(JSON.parse((await get('/api/v1/events')).body)).toMatchObject({ events: [{ reason: 'BackOff', count: 3 }] })
    expect(JSON.parse((await get('/api/v1/events?limit=0')).body)).toEqual({ events: [] })
    expect((await get('/api/v1/events?limit=-1')).status).toBe(400)
    expect((await get('/api/v1/events?limit=5001')).status).toBe(400)
  })

  test('the index lists every endpoint, and each exists', async () => {
    await start()
    const { body } = await get('/')
    const listed = [...body.matchAll(/^(GET|POST) +(\S+)/gm)].map(([, method = '', path = '']) => ({ method, path }))
    expect(listed).toHaveLength(11)
    for (const { method, path } of listed) expect((await rawRequest(api, method, path)).status, path).not.toBe(404)
  })
})

describe('logs', () => {
  test('by workload, pod and either', async () => {
    await start()
    expect((await get('/api/v1/logs?workload=cart')).body).toBe(
      '[cart-9-b1/app] hello\n[cart-9-b2/proxy] hello\n[cart-9-b2/app] hello\n',
    )
    expect((await get('/api/v1/logs?pod=cart-9-b2&allContainers')).body).toContain('[cart-9-b2/migrate] hello\n')
    expect((await get('/api/v1/logs?pod=cart-9-b2&container=migrate')).body).toBe('[cart-9-b2/migrate] hello\n')
    expect((await get('/api/v1/logs?pod=cart-9-b2&container=app')).body).toBe('[cart-9-b2/app] hello\n')
    expect((await get('/api/v1/logs?target=shop/web')).body).toBe('[web-7c9f-x2k1q/app] hello\n')
  })

  test('what is asked for reaches the reader', async () => {
    const asked: unknown[] = []
    await start({
      logs: async function* (query) {
        asked.push(query)
        yield 'line'
      },
    })
    await get('/api/v1/logs?workload=web&container=app&follow&tail=5&previous=true')
    await get('/api/v1/logs?selector=app%3Dweb,!old&allContainers&sinceSeconds=60&timestamps')
    const all = {
      container: '',
      allContainers: false,
      follow: false,
      tail: undefined,
      sinceSeconds: undefined,
      timestamps: false,
    }
    const web = { ...all, target: 'web', as: 'workload', container: 'app', follow: true, tail: 5, previous: true }
    const labels = [
      { key: 'app', operator: 'In', values: ['web'] },
      { key: 'old', operator: 'DoesNotExist', values: [] },
    ]
    const selector = { matchLabels: {}, matchExpressions: labels }
    const selected = {
      ...all,
      target: '',
      as: 'any',
      selector,
      allContainers: true,
      sinceSeconds: 60,
      timestamps: true,
      previous: false,
    }
    expect(asked).toEqual([web, selected])
  })

  for (const { path, status, message } of [
    { path: '?workload=nope', status: 404, message: 'there is no workload "nope"' },
    { path: '?workload=web&container=x', status: 404, message: '"web" has no container "x"; there are app' },
    { path: '', status: 400, message: 'say whose log with one of workload=, pod=, target= and selector=' },
    { path: '?selector=app=nope', status: 404, message: 'no pod has labels like these' },
    {
      path: '?selector=app%20near%20web',
      status: 400,
      message: expect.stringContaining('"app near web" is no requirement of a label selector'),
    },
    { path: '?workload=a&pod=b', status: 400, message: 'say whose log with one of workload=, pod=, target= and selector=' },
    { path: '?workload=web&tail=many', status: 400, message: 'tail must be a whole number from 0 to 1000000' },
    {
      path: '?workload=web&folow',
      status: 400,
      message:
        'unknown parameter "folow"; known are workload, pod, target, selector, container, allContainers, follow, tail, sinceSeconds, timestamps, previous',
    },
  ])
    test(`${path || 'nothing'} is ${status}`, async () => {
      await start()
      const answer = await get(`/api/v1/logs${path}`)
      expect([answer.status, messageOf(answer.body)]).toEqual([status, message])
    })

  test('lines arrive as they come, and the reader is told when the caller leaves', async () => {
    const left = Promise.withResolvers<void>()
    await start({
      logs: async function* (_query, signal) {
        signal.addEventListener('abort', () => left.resolve())
        yield 'first'
        await left.promise
      },
    })
    const stop = new AbortController()
    const response = await fetch(`${api.url}/api/v1/logs?workload=web&follow`, { signal: stop.signal })
    const { value } = await response.body!.getReader().read()
    expect(new TextDecoder().decode(value)).toBe('first\n')
    stop.abort()
    await left.promise
    expect(api.failures).toEqual([])
  })
})

describe('conditions of pods', () => {
  test('what is said reaches the daemon', async () => {
    const said: unknown[] = []
    await start({ condition: (condition) => said.push(condition) })
    const answer = await post('/api/v1/conditions?pod=shop/web-1&type=example.com/ready&status=False')
    expect(answer.status).toBe(200)
    expect(said).toEqual([{ pod: 'shop/web-1', type: 'example.com/ready', status: 'False' }])
    expect(JSON.parse(answer.body)).toEqual(said[0])
  })

  test.each([
    ['pod=shop/web-2&type=a&status=True', 404, 'there is no pod shop/web-2'],
    ['pod=web-1&type=a&status=True', 400, 'say of which pod with pod=namespace/name'],
    ['pod=shop/web-1&status=True', 400, 'say which condition with type='],
    ['pod=shop/web-1&type=a&status=true', 400, 'status must be one of True, False, Unknown'],
    ['pod=shop/web-1&typ=a&status=True', 400, 'unknown parameter "typ"; known are pod, type, status'],
  ])('%s is refused', async (query, status, message) => {
    await start()
    const answer = await post(`/api/v1/conditions?${query}`)
    expect([answer.status, messageOf(answer.body)]).toEqual([status, message])
  })
})

describe('what does not exist', () => {
  test('another path, another method', async () => {
    await start()
    const missing = await get('/api/v2/status')
    expect([missing.status, messageOf(missing.body)]).toEqual([404, 'there is no /api/v2/status; GET / lists what there is'])
    const wrong = await rawRequest(api, 'DELETE', '/api/v1/status')
    expect([wrong.status, wrong.headers.allow, messageOf(wrong.body)]).toEqual([405, 'GET', '/api/v1/status takes GET'])
    expect((await get('/api/v1/sync')).headers.allow).toBe('POST')
    expect((await rawRequest(api, 'HEAD', '/healthz')).status).toBe(200)
  })

  test('an error of ours shows nothing of its cause', async () => {
    const cause = new Error('secret path /etc/x')
    await start({
      status: () => {
        throw cause
      },
    })
    const { status, body } = await get('/api/v1/status')
    expect(JSON.parse(body)).toEqual({
      status: 500,
      reason: 'InternalError',
      message: 'internal error; the log of the daemon says more',
    })
    expect(status).toBe(500)
    expect(api.failures).toEqual([cause])
  })
})

describe('who asks', () => {
  test('sync polls', async () => {
    await start()
    expect((await post('/api/v1/sync')).status).toBe(202)
    expect(api.syncs()).toBe(1)
  })

  for (const host of ['evil.example', 'evil.example:9440', '127.0.0.1.evil.example', '10.0.0.1'])
    test(`a name rebound to loopback is refused: "${host}"`, async () => {
      await start()
      const answers = [
        await post('/api/v1/sync', { Host: host }),
        await get('/api/v1/status', { Host: host }),
        await get('/api/v1/logs?pod=x', { Host: host }),
        await post('/api/v1/conditions?pod=shop/web-1&type=a&status=True', { Host: host }),
      ]
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403])
      expect(api.syncs()).toBe(0)
    })

  for (const host of ['localhost:9440', '127.0.0.1', '[::1]:9440', '127.1.2.3:1'])
    test(`loopback under its own names is answered: ${host}`, async () => {
      await start()
      expect((await post('/api/v1/sync', { Host: host })).status).toBe(202)
    })

  test('a page of another origin is refused, one of our own is not', async () => {
    await start()
    const host = `127.0.0.1:${api.port}`
    expect((await post('/api/v1/sync', { Host: host, Origin: 'https://evil.example' })).status).toBe(403)
    expect((await post('/api/v1/sync', { Host: host, Origin: 'null' })).status).toBe(403)
    expect((await post('/api/v1/sync', { Host: host, Origin: `http://${host}` })).status).toBe(202)
  })

  test('a server that listens for others answers to any name', async () => {
    await start({}, '0.0.0.0')
    expect((await post('/api/v1/sync', { Host: 'trireme.example' })).status).toBe(202)
  })
})

describe('webhooks', () => {
  const body = '{"ref":"refs/heads/main"}'
  const sign = (text: string, secret = 'hook-secret') => createHmac('sha256', secret).update(text).digest('hex')

  for (const { name, headers } of [
    { name: 'GitHub', headers: { 'X-Hub-Signature-256': `sha256=${sign(body)}` } },
    { name: 'Gitea', headers: { 'X-Gitea-Signature': sign(body) } },
    { name: 'GitLab', headers: { 'X-Gitlab-Token': 'hook-secret' } },
    { name: 'any name of a proxy', headers: { Host: 'hooks.example', 'X-Hub-Signature-256': `sha256=${sign(body)}` } },
  ])
    test(`${name} polls`, async () => {
      await start()
      expect((await post('/api/v1/webhook', headers, body)).status).toBe(202)
      expect(api.syncs()).toBe(1)
    })

  for (const { name, headers } of [
    { name: 'no signature', headers: {} },
    { name: 'another secret', headers: { 'X-Hub-Signature-256': `sha256=${sign(body, 'guess')}` } },
    { name: 'another body', headers: { 'X-Hub-Signature-256': `sha256=${sign(`${body} `)}` } },
    { name: 'an empty signature', headers: { 'X-Hub-Signature-256': 'sha256=' } },
    { name: 'SHA-1 only', headers: { 'X-Hub-Signature': 'sha1=abc' } },
    { name: 'another token', headers: { 'X-Gitlab-Token': 'hook-secre' } },
    {
      name: 'a wrong signature beside a right token',
      headers: { 'X-Hub-Signature-256': 'sha256=00', 'X-Gitlab-Token': 'hook-secret' },
    },
  ])
    test(`${name} is refused`, async () => {
      await start()
      expect((await post('/api/v1/webhook', headers as Record<string, string>, body)).status).toBe(401)
      expect(api.syncs()).toBe(0)
    })

  test('none is taken without a secret, not even one signed with nothing', async () => {
    await start({ webhookSecret: '' })
    expect((await post('/api/v1/webhook', { 'X-Gitlab-Token': '' }, body)).status).toBe(403)
    expect(api.syncs()).toBe(0)
  })

  test('a body that says it is too large is refused before it is sent', async () => {
    await start()
    const socket = connect(api.port, '127.0.0.1')
    socket.write('POST /api/v1/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /)
    socket.destroy()
  })

  test('a body that turns out too large is refused while it is sent', async () => {
    await start()
    const socket = connect(api.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('POST /api/v1/webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    socket.write(`100001\r\n${'x'.repeat(1_048_577)}\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /)
    socket.destroy()
  })

  test('an encoded body is refused', async () => {
    await start()
    expect((await post('/api/v1/webhook', { 'Content-Encoding': 'gzip' }, body)).status).toBe(415)
  })
})
