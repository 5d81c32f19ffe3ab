/** The HTTP side of the daemon: health, metrics, status, events, logs, and hints to poll. */
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import createRouter from 'find-my-way'
import { http } from '../http.ts'
import { parseSelector } from '../model/selector.ts'
import type { LabelSelector } from '../model/types/meta.ts'
import type { ClusterStatus, EventRecord } from '../reconcilers/status.ts'
import { type Check, renderChecks } from './check.ts'
import { type PodCondition, readCondition } from './conditions.ts'
import { ApiError } from './error.ts'
import type { LogQuery } from './logs.ts'
import { checkCaller, checkParameters, isLoopback, readBody, readCount, readFlag } from './request.ts'
import { checkWebhook, maxWebhookBytes } from './webhook.ts'

export interface ApiDeps {
  readonly registry: { readonly contentType: string; metrics(): AsyncIterable<string> }
  /** holds no secret */
  status(): ClusterStatus
  /** newest first */
  events(limit: number): readonly EventRecord[]
  /** Lines without their newline; ends when the log does or `signal` aborts. Errors: `ApiError`, before the first line. */
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<string>
  /** Takes down a condition that the readiness of a pod waits for. Errors: `ApiError`. */
  condition(condition: PodCondition): void
  /** a hint to poll now */
  sync(): void
  health(): readonly Check[]
  ready(): readonly Check[]
  /** what others verify tokens of ServiceAccounts by; rejects when there is no key */
  readonly openid: { discovery(): object; keys(): Promise<object> }
  /** of `POST /api/v1/webhook`; `''` refuses all webhooks */
  readonly webhookSecret: string
  /** told of errors that are not the caller's */
  failed(error: unknown): void
}

export interface Api {
  /** such as `http://127.0.0.1:9440` */
  readonly url: string
  readonly port: number
  /** ends streams and refuses new requests */
  close(): Promise<void>
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
}
type Endpoint = (exchange: Exchange) => Promise<void> | void

const maxEvents = 5_000
const methods = ['GET', 'POST'] as const

const index = `Trireme

GET  /healthz           alive and not stuck (?verbose)
GET  /readyz            engines reachable and the first pass done (?verbose)
GET  /metrics           Prometheus metrics
GET  /api/v1/status     sources, workloads, services, nodes, unenforced objects, as JSON
GET  /api/v1/events     newest first, as JSON (?limit=100)
GET  /api/v1/logs       log lines (?workload= or ?pod= or ?target= or ?selector=, &container= &allContainers &tail= &sinceSeconds= &timestamps &follow &previous)
GET  /.well-known/openid-configuration  who signs tokens of ServiceAccounts, as OpenID discovery
GET  /openid/v1/jwks    the public key of those tokens
POST /api/v1/conditions a readiness gate of a pod (?pod=namespace/name&type=&status=True)
POST /api/v1/sync       poll the sources now
POST /api/v1/webhook    the same, for GitHub, Gitea and GitLab, with the configured secret
`

/** Listens on `address` (port 0 for any). Errors: as `net.Server.listen`, such as `EADDRINUSE`. */
export async function startApi(deps: ApiDeps, address: { readonly host: string; readonly port: number }): Promise<Api> {
  const server = http.createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 },
    answerer(deps, isLoopback(address.host)),
  )
  server.maxConnections = 512
  server.listen(address.port, address.host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return { url: `http://${host}:${port}`, port, close: () => closeServer(server) }
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/** The request listener; never throws. */
function answerer(deps: ApiDeps, listensOnLoopback: boolean): (request: IncomingMessage, response: ServerResponse) => void {
  const router = createRouter<createRouter.HTTPVersion.V1>({ ignoreTrailingSlash: true })
  const endpoints = new Map<unknown, Endpoint>()
  const route = (method: (typeof methods)[number], path: string, endpoint: Endpoint) => {
    const marker = () => undefined
    endpoints.set(marker, endpoint)
    router.on(method, path, marker)
  }
  const guarded =
    (endpoint: Endpoint): Endpoint =>
    (exchange) => {
      checkCaller(exchange.request, listensOnLoopback)
      return endpoint(exchange)
    }

  route('GET', '/', ({ response }) => send(response, 200, 'text/plain', index))
  route('GET', '/healthz', (exchange) => answerChecks(exchange, 'healthz', deps.health()))
  route('GET', '/readyz', (exchange) => answerChecks(exchange, 'readyz', deps.ready()))
  route('GET', '/metrics', ({ response }) => sendPieces(response, deps.registry.contentType, deps.registry.metrics()))
  // Public by their nature: verifiers on other machines ask, under any name, and there is nothing to keep from anybody.
  route('GET', '/.well-known/openid-configuration', ({ response }) => sendJson(response, 200, deps.openid.discovery()))
  route('GET', '/openid/v1/jwks', async ({ response }) => {
    send(response, 200, 'application/jwk-set+json', `${JSON.stringify(await deps.openid.keys())}\n`)
  })
  route(
    'GET',
    '/api/v1/status',
    guarded(({ response }) => sendJson(response, 200, deps.status())),
  )
  route(
    'GET',
    '/api/v1/events',
    guarded((exchange) => answerEvents(exchange, deps)),
  )
  route(
    'GET',
    '/api/v1/logs',
    guarded((exchange) => answerLogs(exchange, deps)),
  )
  route(
    'POST',
    '/api/v1/sync',
    guarded(({ response }) => answerSync(response, deps)),
  )
  route(
    'POST',
    '/api/v1/conditions',
    guarded((exchange) => answerCondition(exchange, deps)),
  )
  // Webhooks come through proxies under any name, and prove who they are by the secret.
  route('POST', '/api/v1/webhook', async ({ request, response }) => {
    if (deps.webhookSecret === '') checkWebhook(request.headers, new Uint8Array(), '')
    checkWebhook(request.headers, await readBody(request, maxWebhookBytes), deps.webhookSecret)
    answerSync(response, deps)
  })

  const find = (method: string, path: string) => {
    const found = router.find(method === 'HEAD' ? 'GET' : (method as createRouter.HTTPMethod), path)
    return found ? endpoints.get(found.handler) : undefined
  }

  return (request, response) => {
    answer(request, response, find).catch((error: unknown) => answerError(request, response, error, deps))
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  find: (method: string, path: string) => Endpoint | undefined,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://localhost')
  if (!url) throw new ApiError(400, 'BadRequest', 'the request target is not a path')
  const endpoint = find(request.method ?? '', url.pathname)
  if (endpoint) return endpoint({ request, response, query: url.searchParams })
  const allowed = methods.filter((method) => find(method, url.pathname))
  if (allowed.length === 0) throw new ApiError(404, 'NotFound', `there is no ${url.pathname}; GET / lists what there is`)
  response.setHeader('Allow', allowed.join(', '))
  throw new ApiError(405, 'MethodNotAllowed', `${url.pathname} takes ${allowed.join(', ')}`)
}

function answerChecks({ response, query }: Exchange, name: string, checks: readonly Check[]): void {
  checkParameters(query, ['verbose'])
  const failing = checks.some(({ level }) => level === 'fail')
  const text = failing || readFlag(query, 'verbose') ? renderChecks(name, checks) : 'ok\n'
  send(response, failing ? 503 : 200, 'text/plain', text)
}

function answerEvents({ response, query }: Exchange, deps: ApiDeps): void {
  checkParameters(query, ['limit'])
  sendJson(response, 200, { events: deps.events(readCount(query, 'limit', maxEvents, 100)) })
}

function answerCondition({ response, query }: Exchange, deps: ApiDeps): void {
  const condition = readCondition(query)
  deps.condition(condition)
  sendJson(response, 200, condition)
}

function answerSync(response: ServerResponse, deps: ApiDeps): void {
  deps.sync()
  sendJson(response, 202, { accepted: true })
}

async function answerLogs({ response, query }: Exchange, deps: ApiDeps): Promise<void> {
  const stop = new AbortController()
  response.once('close', () => stop.abort())
  const lines = deps.logs(readLogQuery(query), stop.signal)[Symbol.asyncIterator]()
  try {
    // Errors come before the first line, while the answer's status can still say so.
    let line = await lines.next()
    response.writeHead(200, headersOf('text/plain'))
    for (; !line.done && !stop.signal.aborted; line = await lines.next()) {
      if (!response.write(`${line.value}\n`)) await once(response, 'drain', { signal: stop.signal })
    }
    response.end()
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    await lines.return?.()
  }
}

function readLogQuery(query: URLSearchParams): LogQuery {
  const known = ['workload', 'pod', 'target', 'selector', 'container', 'allContainers', 'follow', 'tail', 'sinceSeconds']
  checkParameters(query, [...known, 'timestamps', 'previous'])
  const workload = query.get('workload')
  const pod = query.get('pod')
  const target = query.get('target')
  const selector = query.get('selector')
  if ([workload, pod, target, selector].filter((given) => given !== null && given !== '').length !== 1)
    throw new ApiError(400, 'BadRequest', 'say whose log with one of workload=, pod=, target= and selector=')
  return {
    target: workload || pod || target || '',
    as: workload ? 'workload' : pod ? 'pod' : 'any',
    ...(selector ? { selector: readSelector(selector) } : {}),
    container: query.get('container') ?? '',
    allContainers: readFlag(query, 'allContainers'),
    follow: readFlag(query, 'follow'),
    tail: readCount(query, 'tail', 1_000_000, undefined),
    sinceSeconds: readCount(query, 'sinceSeconds', 999_999_999, undefined),
    timestamps: readFlag(query, 'timestamps'),
    previous: readFlag(query, 'previous'),
  }
}

function readSelector(text: string): LabelSelector {
  try {
    return parseSelector(text)
  } catch (error) {
    throw new ApiError(400, 'BadRequest', (error as Error).message)
  }
}

function answerError(request: IncomingMessage, response: ServerResponse, error: unknown, deps: ApiDeps): void {
  const known =
    error instanceof ApiError ? error : new ApiError(500, 'InternalError', 'internal error; the log of the daemon says more')
  if (known !== error) deps.failed(error)
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  // What is left of the body is not read: the connection ends with the answer.
  if (!request.complete) response.setHeader('Connection', 'close')
  sendJson(response, known.status, { status: known.status, reason: known.reason, message: known.message })
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`)
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { ...headersOf(contentType), 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}

async function sendPieces(response: ServerResponse, contentType: string, pieces: AsyncIterable<string>): Promise<void> {
  const stop = new AbortController()
  response.once('close', () => stop.abort())
  let begun = false
  try {
    for await (const piece of pieces) {
      // What goes wrong before the first piece has a status of its own.
      if (!begun) response.writeHead(200, headersOf(contentType))
      begun = true
      if (stop.signal.aborted) return
      if (!response.write(piece)) await once(response, 'drain', { signal: stop.signal })
    }
    response.end()
  } catch (error) {
    if (!stop.signal.aborted) throw error
  }
}

function headersOf(contentType: string): Record<string, string> {
  const type = contentType.includes('charset') ? contentType : `${contentType}; charset=utf-8`
  return { 'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }
}
