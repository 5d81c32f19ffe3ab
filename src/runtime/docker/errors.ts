import { EngineError, type EngineErrorKind } from '../engine.ts'

/** Longest engine message kept in an error, in characters: a status line, not a dump. */
const messageLimit = 600

/** Socket errors that mean that nobody answered. */
const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOENT',
  'EACCES',
  'EPERM',
  'EPIPE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPROTO',
  'HPE_INVALID_CONSTANT',
  'HPE_INVALID_HEADER_TOKEN',
])

/** What the operation was and on what, for messages: `start container 3f2a…`. */
export interface Subject {
  readonly op: string
  readonly name: string
}

/**
 * The error of a request that was answered with `status`.
 *
 * The engine's own wording decides where the status code is not enough: 20.10 answers 500 for a port
 * that is taken, 403 for an address in use, 404 for both a missing container and a missing image.
 *
 * @param status HTTP status of the answer, 400 or above.
 * @param said the engine's own message.
 */
export function answeredError(subject: Subject, status: number, said: string): EngineError {
  return new EngineError(classifyAnswer(subject.op, status, said), describe(subject, said || `HTTP ${status}`))
}

/** The first rule that matches decides; text rules come before the plain meaning of a status. */
const answerRules: readonly { readonly says: RegExp; readonly kind: EngineErrorKind }[] = [
  { says: /no space left on device|disk quota exceeded/i, kind: 'noSpace' },
  { says: /removal of container \S+ is already in progress|is marked for removal/i, kind: 'inProgress' },
  {
    says: /port is already allocated|bind: address already in use|failed to bind host port|ports are not available|all ports are allocated/i,
    kind: 'portTaken',
  },
  { says: /address already in use|no available IPv4 addresses on this network's address pools/i, kind: 'addressTaken' },
  {
    says: /pool overlaps with other one on this address space|networks have overlapping|network with name \S+ already exists/i,
    kind: 'conflict',
  },
  {
    says: /cannot join network of a non running container|container \S+ is not running|is (not )?paused|is restarting/i,
    kind: 'conflict',
  },
  { says: /has active endpoints|volume is in use|is already connected|endpoint with name \S+ already exists/i, kind: 'conflict' },
  {
    says: /^invalid address |does not belong to any of this network's subnets|user specified IP address is supported/i,
    kind: 'invalid',
  },
  { says: /is not connected to (the )?network|no such (container|network|volume|exec)|network \S+ not found/i, kind: 'notFound' },
]

function classifyAnswer(op: string, status: number, said: string): EngineErrorKind {
  if (op === 'pull') return classifyPull(said)
  const rule = answerRules.find(({ says }) => says.test(said))
  if (rule) return rule.kind
  if (/no such image/i.test(said)) return 'imageNotFound'
  if (status === 404) return op === 'inspectImage' ? 'imageNotFound' : 'notFound'
  if (status === 409) return 'conflict'
  if (status === 400) return 'invalid'
  return 'failed'
}

/**
 * The kind of a failed pull, from the registry's or the engine's wording.
 *
 * A registry that hides whether a repository exists says "pull access denied … or may require 'docker
 * login'": without credentials that is indistinguishable from a missing image.
 */
function classifyPull(said: string): EngineErrorKind {
  if (/no space left on device|disk quota exceeded/i.test(said)) return 'noSpace'
  if (/repository does not exist|not found|manifest unknown|name unknown|no such image/i.test(said)) return 'imageNotFound'
  if (/unauthorized|denied|authentication required|no basic auth credentials|incorrect username or password/i.test(said)) {
    return 'imageDenied'
  }
  if (/invalid reference format|invalid tag/i.test(said)) return 'invalid'
  return 'failed'
}

/** The error of a pull whose failure came inside the stream of a successful answer. */
export function pullError(subject: Subject, said: string): EngineError {
  return new EngineError(classifyPull(said), describe(subject, said))
}

/** The error of a request that got no answer at all, or lost its connection half way. */
export function connectionError(subject: Subject, host: string, cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause
  const { code, message } =
    cause instanceof Error ? (cause as NodeJS.ErrnoException) : { code: undefined, message: String(cause) }
  const lost = (code !== undefined && unreachableCodes.has(code)) || /socket hang up|aborted|certificate|tls|ssl/i.test(message)
  if (!lost) return new EngineError('failed', describe(subject, message), { cause })
  const said = `no answer from the engine at ${host}: ${remedy(code, message)}`
  // What is asked of the engine as a whole needs no name beside its address.
  return new EngineError('unreachable', subject.name === host ? said : describe(subject, said), { cause })
}

/** The error of a request whose answer did not come within `ms`. */
export function timeoutError(subject: Subject, host: string, ms: number): EngineError {
  return new EngineError('timeout', describe(subject, `the engine at ${host} did not answer within ${ms} ms`))
}

function remedy(code: string | undefined, message: string): string {
  if (code === 'ENOENT') return 'there is no such socket; is dockerd running?'
  if (code === 'ECONNREFUSED') return 'connection refused; is dockerd running?'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied; run as root or as a member of the group docker'
  return message
}

function describe(subject: Subject, said: string): string {
  const text = said.replaceAll(/\s+/g, ' ').trim()
  const cut = text.length > messageLimit ? `${text.slice(0, messageLimit)}…` : text
  return `${subject.op} ${subject.name}: ${cut}`
}
