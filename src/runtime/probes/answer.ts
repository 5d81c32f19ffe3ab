/** What one attempt of a probe or hook comes to. */
import type { Engine } from '../engine.ts'

/**
 * `ok` and an answer, or `error` when the attempt itself could not be made; the latter says
 * nothing about the container.
 */
export type ProbeAnswer = { readonly ok: boolean; readonly answer: string } | { readonly error: string }

/** Where an attempt goes. */
export interface ProbeSite {
  readonly engine: Engine
  readonly containerId: string
  /** the pod's address, `''` while it has none */
  readonly address: string
  /** container ports by name */
  readonly namedPorts: Readonly<Record<string, number>>
}

/** How long an attempt may take, and what ends it early. */
export interface ProbeBounds {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Most of an answer's body that is read, as the kubelet does: bytes. */
export const BODY_LIMIT_BYTES = 10 * 1024

const ANSWER_LIMIT_CHARACTERS = 300

export const success = (answer: string): ProbeAnswer => ({ ok: true, answer })
export const failure = (answer: string): ProbeAnswer => ({ ok: false, answer })
export const ownError = (error: string): ProbeAnswer => ({ error })

/** Fit for a status: secrets taken out first, for half a secret is a secret, then one line of bounded length. */
export function fitAnswer(answer: ProbeAnswer, redact: (text: string) => string): ProbeAnswer {
  if ('error' in answer) return ownError(oneLine(redact(answer.error)))
  return { ok: answer.ok, answer: oneLine(redact(answer.answer)) }
}

export const timedOut = (timeoutMs: number): ProbeAnswer => failure(`no answer within ${timeoutMs / 1000} s`)

/** Printable, on one line, of bounded length. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
  const line = text.replaceAll(/[\s\x00-\x1f\x7f]+/g, ' ').trim()
  return line.length > ANSWER_LIMIT_CHARACTERS ? `${line.slice(0, ANSWER_LIMIT_CHARACTERS)}…` : line
}

/** The number of a port given by number or name, or the failed answer that says why there is none. */
export function resolvePort(port: number | string, namedPorts: ProbeSite['namedPorts']): number | ProbeAnswer {
  const named = typeof port === 'string' && Object.hasOwn(namedPorts, port) ? namedPorts[port] : undefined
  // Kubernetes takes a string of digits for a number when no port has that name.
  const number = named ?? (/^\d+$/.test(String(port)) ? Number(port) : undefined)
  if (number === undefined) return failure(`no container port is named ${JSON.stringify(port)}`)
  if (number < 1 || number > 65_535) return failure(`port ${number} is not between 1 and 65535`)
  return number
}

/** The host to connect to: the one written, or the pod's address. */
export function resolveHost(host: string | undefined, site: ProbeSite): string | ProbeAnswer {
  const chosen = host === undefined || host === '' ? site.address : host
  return chosen === '' ? ownError('the pod has no address yet') : chosen
}

/** Shortages on this side; they say nothing about the container. */
const OWN_SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL', 'EAGAIN'])

const SPOKEN: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'host name cannot be resolved',
}

/** The answer of `work`, or the failure that its deadline or its error is. */
export async function within(bounds: ProbeBounds, work: (signal: AbortSignal) => Promise<ProbeAnswer>): Promise<ProbeAnswer> {
  const deadline = AbortSignal.timeout(bounds.timeoutMs)
  try {
    return await work(AbortSignal.any([bounds.signal, deadline]))
  } catch (error) {
    if (bounds.signal.aborted) return ownError('cancelled')
    return deadline.aborted ? timedOut(bounds.timeoutMs) : networkAnswer(error)
  }
}

/** The answer that a network error is. */
function networkAnswer(error: unknown): ProbeAnswer {
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  const message = error instanceof Error ? error.message : String(error)
  if (OWN_SHORTAGES.has(code)) return ownError(message)
  return failure(SPOKEN[code] ?? message)
}
