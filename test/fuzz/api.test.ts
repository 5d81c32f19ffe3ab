import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiError } from '../../src/api/error.ts'
import { selectLogs } from '../../src/api/logs.ts'
import { maxWebhookBytes } from '../../src/api/webhook.ts'
import { startTestApi, type TestApi } from '../support/api.ts'
import { busyCluster } from '../support/status.ts'
import { patienceMs, tryAll } from './fuzz.ts'
import { inherited, noise, oddText } from './nasty.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api.close())

/** Sends bytes as they are, in pieces, and reads what comes until the server ends it. */
function exchange(bytes: Uint8Array, piece = bytes.length || 1, half = true): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(api.port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  for (let at = 0; at < bytes.length; at += piece) socket.write(bytes.subarray(at, at + piece))
  if (half) socket.end()
  return promise
}

/** Of the answer itself: an asked for `100 Continue` comes before it, and is no answer. */
const statusOf = (answer: string) => Number(/^(?:HTTP\/1\.1 100 .*\r\n\r\n)?HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)

/** What a server says of requests that are wrong, and of those that are right. */
const expected = new Set([200, 202, 400, 401, 403, 404, 405, 408, 413, 415, 417, 431, 503])

const path = fc.oneof(
  fc.constantFrom(
    '/',
    '/healthz',
    '/readyz?verbose',
    '/metrics',
    '/api/v1/status',
    '/api/v1/events',
    '/api/v1/logs',
    '/api/v1/sync',
    '/api/v1/conditions',
    '/api/v1/webhook',
    '*',
    '//',
    '/api/v1/../../etc/passwd',
    '/%2e%2e/',
    '/%',
    '/api/v1/status/',
    'http://evil/healthz',
    'evil:443',
  ),
  oddText.map((text) => `/${encodeURIComponent(text.toWellFormed()).slice(0, 3000)}`),
)
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'limit',
        'tail',
        'target',
        'type',
        'status',
        'pod',
        'workload',
        'follow',
        'verbose',
        'container',
        ...inherited,
      ),
      oddText,
    ),
    { maxLength: 3 },
  )
  .map((pairs) => pairs.map(([key, value]) => `${key}=${encodeURIComponent(value.toWellFormed()).slice(0, 2000)}`).join('&'))
const header = fc.oneof(
  fc.constantFrom(
    'Host: evil.example',
    'Host: localhost',
    'Host: [::1]:1',
    'Origin: null',
    'Origin: http://localhost',
    'Origin: ://',
    'Content-Length: 99999999999',
    'Content-Length: -1',
    'Content-Length: 3\r\nContent-Length: 4',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Content-Encoding: gzip',
    'Expect: 100-continue',
    'Expect: nothing',
    'Connection: Upgrade\r\nUpgrade: h2c',
    'X-Hub-Signature-256: sha256=00',
    'X-Hub-Signature-256:',
    'X-Gitea-Signature: é',
    'X-Gitlab-Token: hook-secret',
    'X-Gitlab-Token: a\r\nX-Gitlab-Token: hook-secret',
    `X-Long: ${'x'.repeat(20_000)}`,
    'Bad Header: x',
    ': x',
  ),
  fc
    .tuple(fc.constantFrom('Host', 'Origin', 'X-Hub-Signature-256', 'X-Gitlab-Token', ...inherited), oddText)
    .map(([name, value]) => `${name}: ${value.slice(0, 500)}`),
)
const method = fc.constantFrom(
  'GET',
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'PATCH',
  'get',
  'PROPFIND',
  '',
)

const request = fc
  .record({
    method,
    path,
    query,
    headers: fc.array(header, { maxLength: 4 }),
    body: noise,
    host: fc.boolean(),
    old: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ method, path, query, headers, body, host, old }) => {
    const target = query === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`
    const lines = [
      `${method} ${target} HTTP/1.${old === 1 ? 0 : 1}`,
      ...(host ? ['Host: localhost'] : []),
      'Connection: close',
      ...headers,
    ]
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body])
  })

describe('requests', () => {
  test(
    'of any shape are answered with a fitting status, and the server goes on',
    () =>
      tryAll(fc.tuple(request, fc.integer({ min: 20, max: 5000 })), 1500, async ([bytes, piece]) => {
        const answer = await exchange(bytes, piece)
        if (answer !== '') expect(expected).toContain(statusOf(answer))
        expect(answer).not.toContain('hook-secret')
        expect(api.failures).toEqual([])
      }),
    patienceMs,
  )

  test(
    'that are no HTTP are turned away',
    () =>
      tryAll(fc.tuple(noise, fc.integer({ min: 1, max: 50 })), 300, async ([bytes, piece]) => {
        const answer = await exchange(bytes, piece)
        if (answer !== '') expect(expected).toContain(statusOf(answer))
      }),
    patienceMs,
  )
})

describe('webhooks', () => {
  const send = (headers: string, body: Uint8Array) =>
    exchange(
      Buffer.concat([Buffer.from(`POST /api/v1/webhook HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${headers}\r\n\r\n`), body]),
    )
  const signed = (body: Uint8Array, secret: string) => createHmac('sha256', secret).update(body).digest('hex')

  test(
    'are taken by their signature alone, whatever their body',
    () =>
      tryAll(
        fc.tuple(noise, fc.constantFrom('hook-secret', 'hook-secret ', 'Hook-secret', '', 'x')),
        500,
        async ([body, secret]) => {
          const before = api.syncs()
          const answer = await send(`Content-Length: ${body.length}\r\nX-Hub-Signature-256: sha256=${signed(body, secret)}`, body)
          expect(statusOf(answer)).toBe(secret === 'hook-secret' ? 202 : 401)
          expect(api.syncs() - before).toBe(secret === 'hook-secret' ? 1 : 0)
        },
      ),
    patienceMs,
  )

  test('that never end are cut off at a mebibyte, announced or not', async () => {
    expect(statusOf(await send(`Content-Length: ${maxWebhookBytes + 1}`, new Uint8Array()))).toBe(413)
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 97), Buffer.from('\r\n')])
    const endless = Buffer.concat(Array.from({ length: 17 }, () => chunk))
    expect(statusOf(await send('Transfer-Encoding: chunked', endless))).toBe(413)
  })
})

test('log queries find by name or say what there is', () => {
  const status = busyCluster()
  const word = fc.oneof(
    oddText,
    fc.constantFrom('cart', 'shop', 'web', 'deploy', 'Deployment', 'Pod', 'po', 'cart-9-b1', ...inherited),
  )
  const asked = fc.record({
    target: fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    as: fc.constantFrom('workload', 'pod', 'any'),
    container: word,
    allContainers: fc.boolean(),
  })
  return tryAll(asked, 3000, (one) => {
    try {
      expect(selectLogs(status, one).length).toBeGreaterThan(0)
    } catch (error) {
      expect(error).toBeInstanceOf(ApiError)
    }
  })
})
