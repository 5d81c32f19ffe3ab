/** httpGet: one request, as the kubelet makes it. */
import { http, https } from '../../http.ts'
import type { HttpGet } from '../../model/types/pod.ts'
import {
  BODY_LIMIT_BYTES,
  failure,
  type ProbeAnswer,
  type ProbeBounds,
  type ProbeSite,
  resolveHost,
  resolvePort,
  success,
  within,
} from './answer.ts'

const MAX_REDIRECTS = 10

/**
 * Succeeds on a status from 200 to 399. Redirects are followed on the same host only; one to another host
 * is an answer like any other. Certificates are not verified.
 *
 * @see Kubernetes pkg/probe/http/http.go
 */
export async function probeHttp(get: HttpGet, site: ProbeSite, bounds: ProbeBounds): Promise<ProbeAnswer> {
  const host = resolveHost(get.host, site)
  if (typeof host !== 'string') return host
  const port = resolvePort(get.port, site.namedPorts)
  if (typeof port !== 'number') return port
  return within(bounds, (signal) => follow(urlOf(get, host, port), headersOf(get), signal))
}

async function follow(first: URL, headers: Record<string, string | string[]>, signal: AbortSignal): Promise<ProbeAnswer> {
  let url = first
  for (let hops = 0; hops < MAX_REDIRECTS; hops += 1) {
    const { status, location } = await request(url, headers, signal)
    const next = status >= 300 && status < 400 ? redirectOf(url, location) : undefined
    if (next === undefined || next.hostname !== first.hostname) {
      return status >= 200 && status < 400 ? success(`HTTP ${status}`) : failure(`HTTP ${status}`)
    }
    url = next
  }
  return failure(`stopped after ${MAX_REDIRECTS} redirects`)
}

function redirectOf(from: URL, location: string | undefined): URL | undefined {
  const to = location === undefined ? null : URL.parse(location, from.href)
  return to !== null && (to.protocol === 'http:' || to.protocol === 'https:') ? to : undefined
}

/** One request on a connection of its own, ended once the head and the first part of the body are there. */
function request(
  url: URL,
  headers: Record<string, string | string[]>,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, headers, signal, insecureHTTPParser: true }
    const sent =
      url.protocol === 'https:' ? https.request(url, { ...options, rejectUnauthorized: false }) : http.request(url, options)
    sent.on('error', reject)
    sent.once('response', (response) => {
      const result = { status: response.statusCode ?? 0, location: response.headers.location }
      const done = (): void => {
        resolve(result)
        sent.destroy()
      }
      let read = 0
      response.on('data', (chunk: Buffer) => {
        read += chunk.length
        if (read > BODY_LIMIT_BYTES) done()
      })
      response.once('end', done)
      response.on('error', reject)
    })
    sent.end()
  })
}

/** Path and query are taken as written; the parser escapes what may not stand in a request line. */
function urlOf(get: HttpGet, host: string, port: number): URL {
  const url = new URL(`${get.scheme.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}`)
  const [path = '', ...query] = get.path.replace(/#.*$/, '').split('?')
  url.pathname = path
  url.search = query.join('?')
  return url
}

/** A written header replaces the usual one; an empty `Accept` or `User-Agent` is left out. */
function headersOf(get: HttpGet): Record<string, string | string[]> {
  const headers = new Map<string, { name: string; values: string[] }>([
    ['user-agent', { name: 'User-Agent', values: ['kube-probe/trireme'] }],
    ['accept', { name: 'Accept', values: ['*/*'] }],
    ['connection', { name: 'Connection', values: ['close'] }],
  ])
  const written = Map.groupBy(get.httpHeaders, (header) => header.name.toLowerCase())
  for (const [key, same] of written) headers.set(key, { name: same[0]?.name ?? key, values: same.map((header) => header.value) })
  const entries = [...headers.values()]
    .filter(({ values }) => values.some((value) => value !== ''))
    .map(({ name, values }) => [name, values.length === 1 ? (values[0] ?? '') : values] as const)
  return Object.fromEntries(entries)
}
