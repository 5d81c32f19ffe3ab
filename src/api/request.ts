/** Reading requests with suspicion: bounded bodies, checked hosts and origins, typed query parameters. */
import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import { ApiError } from './error.ts'

/** The whole body. Errors: `ApiError` 413 above `maxBytes`, told before reading when the length is announced; 415 when encoded; 400 when it breaks off. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new ApiError(413, 'TooLarge', `the body is larger than ${maxBytes} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new ApiError(415, 'UnsupportedEncoding', 'send the body without Content-Encoding')
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > maxBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    // A caller that hangs up in the middle is no failure of ours, and must not fill the log.
    throw error instanceof ApiError ? error : new ApiError(400, 'BadRequest', 'the body broke off')
  }
  return Buffer.concat(chunks)
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'))
}

/**
 * Refuses requests that a web page makes a browser send. A server on loopback is reached by a loopback
 * name, or else by a name that was rebound to it; and a page of another origin says so in `Origin`.
 * Errors: `ApiError` 403.
 */
export function checkCaller(request: IncomingMessage, listensOnLoopback: boolean): void {
  const host = request.headers.host ?? ''
  const name = host.replace(/:\d+$/, '')
  if (listensOnLoopback && !isLoopback(name))
    throw new ApiError(403, 'HostRefused', 'this server listens on loopback and answers only to loopback names in Host')
  const origin = request.headers.origin
  if (origin !== undefined && URL.parse(origin)?.host !== host)
    throw new ApiError(403, 'OriginRefused', 'requests from web pages of another origin are refused')
}

/** A whole number in a range, or `fallback` when absent. Errors: `ApiError` 400. */
export function readCount<T>(query: URLSearchParams, name: string, max: number, fallback: T): number | T {
  const given = query.get(name)
  if (given === null) return fallback
  if (/^\d{1,9}$/.test(given) && Number(given) <= max) return Number(given)
  throw new ApiError(400, 'BadRequest', `${name} must be a whole number from 0 to ${max}`)
}

/** `?name`, `?name=true` and `?name=1` are true. Errors: `ApiError` 400. */
export function readFlag(query: URLSearchParams, name: string): boolean {
  const given = query.get(name)
  if (given === null || given === 'false' || given === '0') return false
  if (given === '' || given === 'true' || given === '1') return true
  throw new ApiError(400, 'BadRequest', `${name} must be true or false`)
}

/** Errors: `ApiError` 400 for a parameter that is not among `known`, so that a misspelled one is not ignored. */
export function checkParameters(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !known.includes(name))
  if (unknown === undefined) return
  const takes = known.length === 0 ? 'there are none here' : `known are ${known.join(', ')}`
  throw new ApiError(400, 'BadRequest', `unknown parameter "${unknown}"; ${takes}`)
}
