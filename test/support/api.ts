/** An API server on loopback whose dependencies are plain values, and a raw HTTP client that sends exactly what it is told. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { ApiError } from '../../src/api/error.ts'
import { selectLogs } from '../../src/api/logs.ts'
import { type Api, type ApiDeps, startApi } from '../../src/api/server.ts'
import type { EventRecord } from '../../src/reconcilers/status.ts'
import { busyCluster, epochMs } from './status.ts'
import { testSigner } from './tokens.ts'

export const event: EventRecord = {
  type: 'Warning',
  reason: 'BackOff',
  object: 'Pod/shop/cart-9-b1',
  message: 'restarting in 40s',
  at: epochMs,
  firstAt: epochMs - 60_000,
  count: 3,
}

async function* upMetrics(): AsyncGenerator<string> {
  yield 'up 1\n'
}

export interface TestApi extends Api {
  readonly syncs: () => number
  readonly failures: readonly unknown[]
}

export async function startTestApi(change: Partial<ApiDeps> = {}, host = '127.0.0.1'): Promise<TestApi> {
  let syncs = 0
  const failures: unknown[] = []
  const api = await startApi(
    {
      registry: { contentType: 'text/plain; version=0.0.4; charset=utf-8', metrics: upMetrics },
      status: busyCluster,
      events: (limit) => [event].slice(0, limit),
      logs: async function* (query) {
        for (const { pod, container } of selectLogs(busyCluster(), query)) yield `[${pod}/${container}] hello`
      },
      condition: ({ pod }) => {
        if (pod !== 'shop/web-1') throw new ApiError(404, 'NotFound', `there is no pod ${pod}`)
      },
      sync: () => {
        syncs += 1
      },
      health: () => [{ name: 'loop', level: 'ok', message: '', remedy: '' }],
      ready: () => [
        { name: 'engine', level: 'ok', message: '', remedy: '' },
        { name: 'git', level: 'warn', message: 'never fetched', remedy: '' },
      ],
      openid: testSigner(),
      webhookSecret: 'hook-secret',
      failed: (error) => failures.push(error),
      ...change,
    },
    { host, port: 0 },
  )
  return { ...api, syncs: () => syncs, failures }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** `Host` and other headers as given, which `fetch` would not send. */
export function rawRequest(
  api: Pick<Api, 'port'>,
  method: string,
  path: string,
  options: { readonly headers?: Record<string, string>; readonly body?: string | Uint8Array } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: api.port, method, path, headers: options.headers ?? {} },
      async (response) => {
        const chunks: Uint8Array[] = []
        for await (const chunk of response as AsyncIterable<Uint8Array>) chunks.push(chunk)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() })
      },
    )
    request.on('error', reject)
    request.end(options.body)
  })
}
