/** grpc: the standard health check, `grpc.health.v1.Health/Check`, in clear text. */
import { connect } from 'node:http2'
import {
  failure,
  type ProbeAnswer,
  type ProbeBounds,
  type ProbeSite,
  resolveHost,
  resolvePort,
  success,
  within,
} from './answer.ts'

const SERVING = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const UNIMPLEMENTED = 12
const NOT_FOUND = 5

interface GrpcReply {
  readonly httpStatus: number
  /** `grpc-status`, -1 when the answer has none */
  readonly code: number
  readonly message: string
  readonly body: Buffer
}

/** @see Kubernetes pkg/probe/grpc/grpc.go */
export async function probeGrpc(
  action: { readonly port: number; readonly service: string },
  site: ProbeSite,
  bounds: ProbeBounds,
): Promise<ProbeAnswer> {
  const host = resolveHost(undefined, site)
  if (typeof host !== 'string') return host
  const port = resolvePort(action.port, {})
  if (typeof port !== 'number') return port
  const authority = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return within(bounds, async (signal) => judge(await check(authority, action.service, signal)))
}

function judge(reply: GrpcReply): ProbeAnswer {
  if (reply.httpStatus !== 200) return failure(`HTTP ${reply.httpStatus}`)
  if (reply.code === UNIMPLEMENTED) return failure('gRPC: the server does not implement the health protocol')
  if (reply.code === NOT_FOUND) return failure('gRPC: the service is not known to the health server')
  if (reply.code !== 0) return failure(`gRPC status ${reply.code} ${reply.message}`)
  // Five bytes of framing, then field 1 as a varint; an absent field is 0.
  const status = reply.body.length >= 7 && reply.body[5] === 0x08 ? (reply.body[6] ?? 0) : 0
  const name = SERVING[status] ?? String(status)
  return name === 'SERVING' ? success('gRPC SERVING') : failure(`gRPC ${name}`)
}

function check(authority: string, service: string, signal: AbortSignal): Promise<GrpcReply> {
  const session = connect(authority)
  const reply = new Promise<GrpcReply>((resolve, reject) => {
    const abort = (): void => reject(new Error('cancelled'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    session.on('error', reject)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'user-agent': 'kube-probe/trireme',
      te: 'trailers',
    })
    let head: Record<string, unknown> = {}
    const chunks: Buffer[] = []
    stream.once('response', (headers) => {
      head = { ...headers }
    })
    stream.once('trailers', (trailers) => {
      head = { ...head, ...trailers }
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', reject)
    stream.once('end', () => resolve(replyOf(head, Buffer.concat(chunks))))
    stream.end(requestOf(service))
  })
  return reply.finally(() => session.destroy())
}

function replyOf(head: Record<string, unknown>, body: Buffer): GrpcReply {
  return {
    httpStatus: Number(head[':status'] ?? 0),
    code: Number(head['grpc-status'] ?? -1),
    message: String(head['grpc-message'] ?? ''),
    body,
  }
}

/** HealthCheckRequest{service} with its length-prefixed frame. */
function requestOf(service: string): Buffer {
  const name = Buffer.from(service, 'utf8')
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name])
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(message.length, 1)
  return Buffer.concat([frame, message])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) return Buffer.from(bytes)
  }
}
