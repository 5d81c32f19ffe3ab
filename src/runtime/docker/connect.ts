import type { Agent, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { inspect } from 'node:util'
import Docker from 'dockerode'
import { http, https } from '../../http.ts'
import { EngineError } from '../engine.ts'
import { answeredError, connectionError, type Subject, timeoutError } from './errors.ts'
import { isRecord, text } from './json.ts'

/** Newest API this adapter was written against, and the oldest engine it can drive (20.10). */
const newestApi = '1.47'
const oldestApi = '1.41'

/** Free connections kept open; a busy pass wants about one per parallel step. */
const maxFreeSockets = 16

/** Largest answer read into memory, in bytes; far above any inspect or list. */
const maxAnswerBytes = 64 * 1024 * 1024

interface TlsFiles {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
}

/** `unix:///path`, `tcp://host:port` (TLS when `tls` is given) or `https://host:port`. */
export interface ConnectOptions {
  readonly host: string
  readonly tls?: TlsFiles
  /** answer deadline of ordinary calls, ms */
  readonly timeoutMs: number
  /** told once per engine call: its duration until the answer began, and whether it succeeded */
  readonly onCall?: (op: string, ms: number, ok: boolean) => void
}

export interface EngineRequest {
  readonly op: string
  /** what the call is about, for messages */
  readonly subject: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'
  readonly path: string
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: object
  readonly file?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  /** status codes that are success, in addition to 200, 201 and 204 */
  readonly alsoOk?: readonly number[]
  /** the result in place of a 404 that is success */
  readonly missing?: symbol
  /** ms until the answer begins; `0` means no deadline; default that of the connection */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** One engine's API: negotiates its version, sends requests, maps failures to `EngineError`s. */
export interface Connection {
  readonly host: string
  /** The API version spoken, such as `1.41`. */
  version(): Promise<string>
  /**
   * The parsed JSON of the answer, `undefined` when it is empty, `missing` in place of a 404 that counts as
   * success. An answer that is not JSON is `failed`, so that it is never taken for "there is nothing".
   */
  json(request: EngineRequest): Promise<unknown>
  /** The answer, unread. Errors of reading it are the caller's to map with `lost`. */
  stream(request: EngineRequest): Promise<IncomingMessage>
  /** The body of an answer that has an end, as it comes; a `timeout` when the engine stops in the middle for as long as an answer may take. */
  body(answer: IncomingMessage): AsyncIterable<Uint8Array>
  /** The raw connection after an upgrade. */
  hijack(request: EngineRequest): Promise<Duplex>
  /** The `EngineError` of a connection that broke while an answer was read. */
  lost(request: { readonly op: string; readonly subject: string }, cause: unknown): EngineError
}

const success: readonly number[] = [200, 201, 204]
/** docker-modem turns statuses it was not told about into errors; all are ours to judge. */
const everyStatus = Object.fromEntries(Array.from({ length: 1000 }, (_, status) => [status, true]))

/**
 * A connection to one engine, opened at the first call.
 *
 * Requests go through dockerode's modem in one shape, so that deadline, abort, status and error text are
 * the same for every operation. The API version is negotiated at the first call and again after an
 * outage, since the engine may have been upgraded meanwhile.
 */
export function connect(options: ConnectOptions): Connection {
  let line = openLine(options)
  let negotiated: Promise<string> | undefined

  const version = (): Promise<string> => {
    negotiated ??= negotiate().catch((error: unknown) => {
      negotiated = undefined
      throw error
    })
    return negotiated
  }

  const negotiate = async (): Promise<string> => {
    const answer = await send({ op: 'version', subject: options.host, method: 'GET', path: '/version' }, false)
    const said = await withDeadline(answer, options.timeoutMs, () => readJson(answer as IncomingMessage)).catch(
      (error: unknown) => {
        if (error instanceof SyntaxError) return undefined
        throw lost({ op: 'version', subject: options.host }, error)
      },
    )
    return chooseVersion(isRecord(said) ? text(said.ApiVersion) : '', isRecord(said) ? text(said.MinAPIVersion) : '')
  }

  /** Sends one request and judges its status; the body stays unread on success. */
  const send = async (request: EngineRequest, hijack: boolean, prefix = ''): Promise<IncomingMessage | Duplex> => {
    const subject: Subject = { op: request.op, name: request.subject }
    const deadline = request.timeoutMs ?? options.timeoutMs
    const timeout = new AbortController()
    const timer = deadline > 0 ? setTimeout(() => timeout.abort(), deadline) : undefined
    const signal = request.signal ? AbortSignal.any([request.signal, timeout.signal]) : timeout.signal
    const began = performance.now()
    let ok = false
    try {
      const answer = await dial(line.docker, request, prefix, hijack, signal)
      if (!(answer instanceof http.IncomingMessage)) {
        ok = true
        return answer
      }
      const status = answer.statusCode ?? 0
      if (!success.includes(status) && !request.alsoOk?.includes(status)) {
        const said = await readMessage(answer)
        throw answeredError(subject, status, said)
      }
      ok = true
      return answer
    } catch (cause) {
      if (cause instanceof EngineError) throw cause
      if (timeout.signal.aborted) throw timeoutError(subject, options.host, deadline)
      if (request.signal?.aborted) throw new EngineError('failed', `${request.op} ${request.subject}: cancelled`, { cause })
      throw connectionError(subject, options.host, cause)
    } finally {
      clearTimeout(timer)
      options.onCall?.(request.op, performance.now() - began, ok)
    }
  }

  /**
   * An engine that shuts down takes no new connections, and answers on those that it has to the end. What would still
   * be done on them is lost with it, so none is used again.
   */
  const hangUp = (): void => {
    negotiated = undefined
    line.hangUp()
    line = openLine(options)
  }

  const versioned = async (request: EngineRequest, hijack: boolean): Promise<IncomingMessage | Duplex> => {
    const mine = line
    try {
      return await send(request, hijack, `/v${await version()}`)
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'unreachable' && mine === line) hangUp()
      throw error
    }
  }

  const lost: Connection['lost'] = (request, cause) =>
    connectionError({ op: request.op, name: request.subject }, options.host, cause)

  return {
    host: options.host,
    version,
    lost,
    async json(request) {
      const answer = (await versioned(request, false)) as IncomingMessage
      try {
        return await withDeadline(answer, request.timeoutMs ?? options.timeoutMs, () => readBody(answer, request))
      } catch (cause) {
        throw lost(request, cause)
      }
    },
    async stream(request) {
      return (await versioned(request, false)) as IncomingMessage
    },
    body: (answer) => steadily(answer, options.timeoutMs),
    async hijack(request) {
      const answer = await versioned(request, true)
      if (answer instanceof http.IncomingMessage) {
        answer.destroy()
        throw new EngineError('failed', `${request.op} ${request.subject}: the engine did not hand over the connection`)
      }
      return answer
    },
  }
}

/** dockerode, with connections of its own. */
interface Line {
  readonly docker: Docker
  /** Closes the connections that nothing goes over now; the others close at the end of their answer. */
  hangUp(): void
}

function openLine(options: ConnectOptions): Line {
  const { agent, to } = target(options)
  return {
    docker: new Docker({ ...to, agent } as Docker.DockerOptions),
    hangUp() {
      agent.maxFreeSockets = 0
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
    },
  }
}

/** Where dockerode connects to. Every field is given, since its modem falls back to `DOCKER_HOST`. */
function target(options: ConnectOptions): { readonly agent: Agent; readonly to: Docker.DockerOptions } {
  const { host, tls } = options
  const agentOptions = { keepAlive: true, maxFreeSockets }
  const none = { host: undefined, port: undefined, socketPath: undefined, ca: undefined, cert: undefined, key: undefined }
  const base = { ...none, version: undefined, timeout: undefined, pathPrefix: '/', headers: {} }
  if (host.startsWith('unix://')) {
    const agent = opaque(new http.Agent(agentOptions))
    return { agent, to: { ...base, protocol: 'http', socketPath: host.slice('unix://'.length) } as Docker.DockerOptions }
  }
  const url = parseUrl(host)
  const secure = tls !== undefined || url.protocol === 'https:'
  const agent = opaque(secure ? new https.Agent({ ...agentOptions, ...tls }) : new http.Agent(agentOptions))
  const port = url.port === '' ? (secure ? 2376 : 2375) : Number(url.port)
  const to = { ...base, ...tls, protocol: secure ? 'https' : 'http', host: url.hostname, port } as Docker.DockerOptions
  return { agent, to }
}

/**
 * The modem prints its request options for a debug line on every call, wanted or not, and with them every
 * socket of the agent: ten times the cost of the call itself. An opaque agent prints as its name.
 */
function opaque(agent: Agent): Agent {
  return Object.assign(agent, { [inspect.custom]: () => 'Agent' })
}

function parseUrl(host: string): URL {
  const url = URL.canParse(host) ? new URL(host) : undefined
  if (!url || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new EngineError('invalid', `engine address ${host}: give unix:///path/to/docker.sock or tcp://host:port`)
  }
  return url
}

/** The newest version both sides speak. An engine older than the oldest known one is refused by name. */
function chooseVersion(newest: string, oldest: string): string {
  if (!/^\d+\.\d+$/.test(newest)) throw new EngineError('failed', 'version: this does not answer like a Docker Engine')
  if (compareVersions(newest, oldestApi) < 0) {
    throw new EngineError('failed', `version: the engine speaks API ${newest}, ${oldestApi} (Docker 20.10) or later is needed`)
  }
  const chosen = compareVersions(newest, newestApi) < 0 ? newest : newestApi
  return /^\d+\.\d+$/.test(oldest) && compareVersions(oldest, chosen) > 0 ? oldest : chosen
}

function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number)
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number)
  return aMajor - bMajor || aMinor - bMinor
}

function dial(
  docker: Docker,
  request: EngineRequest,
  prefix: string,
  hijack: boolean,
  signal: AbortSignal,
): Promise<IncomingMessage | Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | Duplex>()
  const query = defined(request.query ?? {})
  // The modem says nothing more of a request whose connection was taken over unasked (a 101), not even that it was given up.
  const giveUp = () => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  docker.modem.dial(
    {
      // The modem adds the query to a path that ends in a question mark.
      path: `${prefix}${request.path}${Object.keys(query).length > 0 ? '?' : ''}`,
      method: request.method,
      options: { _query: query, _body: request.body ?? {} },
      ...(request.file ? { file: Buffer.from(request.file.buffer, request.file.byteOffset, request.file.byteLength) } : {}),
      ...(request.headers ? { headers: { ...request.headers } } : {}),
      ...(hijack ? { hijack: true } : {}),
      isStream: true,
      abortSignal: signal,
      statusCodes: everyStatus,
    },
    (error, answer) => {
      signal.removeEventListener('abort', giveUp)
      if (error) return reject(error)
      // A connection that breaks later must not become an uncaught error before its reader is there.
      const stream = answer as IncomingMessage | Duplex
      stream.on('error', () => {})
      resolve(stream)
    },
  )
  return promise
}

function defined(query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}

/** What comes, as long as no wait for it is longer than `ms`; how long the reader takes does not count. */
async function* steadily(answer: IncomingMessage, ms: number): AsyncGenerator<Uint8Array> {
  const chunks = (answer as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await withDeadline(answer, ms, () => chunks.next())
      if (done) return
      yield value
    }
  } finally {
    answer.destroy()
  }
}

/** Runs `read`, breaking the connection when it takes longer than `ms`; `0` means no deadline. */
async function withDeadline<T>(answer: IncomingMessage | Duplex, ms: number, read: () => Promise<T>): Promise<T> {
  const error = new EngineError('timeout', `the engine began an answer and did not end it within ${ms} ms`)
  const timer = ms > 0 ? setTimeout(() => answer.destroy(error), ms) : undefined
  try {
    return await read()
  } finally {
    clearTimeout(timer)
  }
}

/** A 404 counts as "there is none" only in the engine's own words: a proxy's would pass for a removal. */
async function readBody(answer: IncomingMessage, request: EngineRequest): Promise<unknown> {
  if (answer.statusCode !== 404) return readJson(answer)
  const said = await readMessage(answer)
  if (/no such|not found/i.test(said) && !/page not found/i.test(said)) return request.missing
  throw new EngineError(
    'failed',
    `${request.op} ${request.subject}: HTTP 404 that is not the engine's own: ${said.slice(0, 200)}`,
  )
}

async function readJson(answer: IncomingMessage): Promise<unknown> {
  const bytes = await readAll(answer, maxAnswerBytes)
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch (cause) {
    throw new SyntaxError('the answer is not JSON', { cause })
  }
}

/** The engine's own words in an error answer: `{"message": …}`, or the plain text. */
async function readMessage(answer: IncomingMessage): Promise<string> {
  const plain = (await readAll(answer, 1024 * 1024)).toString('utf8')
  try {
    const said = JSON.parse(plain) as unknown
    return isRecord(said) && typeof said.message === 'string' ? said.message : plain
  } catch {
    return plain
  }
}

/** The whole body; `failed` when it is over `maxBytes`. */
export async function readAll(answer: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer) {
    size += chunk.length
    if (size > maxBytes) throw new EngineError('failed', `the answer is over ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
