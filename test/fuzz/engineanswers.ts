/** What an engine answers, and what it never should. */
import fc from 'fast-check'
import { mutated, noise, oddText, torn } from './nasty.ts'
import type { RawAnswer } from './rawengine.ts'

const id = 'c'.repeat(64)
const container = {
  Id: id,
  Name: '/k8s_app',
  Created: '2026-01-01T00:00:00.5Z',
  RestartCount: 1,
  Image: 'sha256:aa',
  State: {
    Status: 'running',
    ExitCode: 0,
    OOMKilled: false,
    Error: '',
    Pid: 9,
    StartedAt: '2026-01-01T00:00:01Z',
    FinishedAt: '',
  },
  Config: { Image: 'web:1', Labels: { 'trireme.cluster': 'x' }, Tty: false },
  HostConfig: { RestartPolicy: { Name: 'no' }, NetworkMode: 'x', Memory: 1, CpuQuota: 2, CpuShares: 3 },
  NetworkSettings: { Networks: { x: { NetworkID: 'n', IPAddress: '10.0.0.2', IPAMConfig: { IPv4Address: '10.0.0.2' } } } },
  Mounts: [{ Type: 'volume', Name: 'v', Source: '/v', Destination: '/d', RW: true }],
}
const network = { Id: 'n1', Name: 'x', Driver: 'bridge', Labels: { a: 'b' }, IPAM: { Config: [{ Subnet: '10.0.0.0/24' }] } }
const volume = { Name: 'v', Driver: 'local', Mountpoint: '/v', Labels: { a: 'b' } }
const stats = {
  read: '2026-01-01T00:00:01Z',
  cpu_stats: { cpu_usage: { total_usage: 5 } },
  memory_stats: { usage: 9, stats: { inactive_file: 1, anon: 2 } },
}
const info = { ID: 'i', Name: 'n', NCPU: 2, MemTotal: 9, OperatingSystem: 'x', Warnings: null, Plugins: { Log: ['local'] } }

/** What a real engine answers, by the end of a path. */
const sound: readonly (readonly [RegExp, unknown])[] = [
  [/^\/version$/, { ApiVersion: '1.41', MinAPIVersion: '1.12' }],
  [/^\/info$/, info],
  [/^\/containers\/json$/, [{ Id: id, Names: ['/x'], Labels: {}, State: 'running', Created: 1 }]],
  [/^\/containers\/create$/, { Id: id, Warnings: [] }],
  [/^\/containers\/[^/]+\/stats$/, stats],
  [/^\/containers\/[^/]+\/exec$/, { Id: 'ab12' }],
  [/^\/exec\/[^/]+\/json$/, { Running: false, ExitCode: 0 }],
  [/^\/containers\/[^/]+\/json$/, container],
  [/^\/images\/[^/]+\/json$/, { Id: 'sha256:aa', Config: { User: '1000', Healthcheck: null } }],
  [/^\/networks$/, [network]],
  [/^\/networks\/create$/, { Id: 'n1' }],
  [/^\/volumes$/, { Volumes: [volume], Warnings: null }],
  [/^\/volumes\/create$/, volume],
]

export function soundAnswer(path: string): unknown {
  return sound.find(([of]) => of.test(path))?.[1] ?? {}
}

const statuses = fc.constantFrom(
  100,
  101,
  199,
  200,
  200,
  200,
  200,
  201,
  204,
  206,
  301,
  304,
  400,
  403,
  404,
  409,
  418,
  500,
  503,
  599,
  999,
)

/** Each connection serves one request, so the answer says that it closes, unless it says something else about it. */
const head = (status: number, headers: string) =>
  `HTTP/1.1 ${status} Odd\r\n${headers.includes('Connection') ? headers : `${headers}Connection: close\r\n`}\r\n`

/** How the body is framed: right, longer than it comes, in chunks, to the end of the connection, or in two ways at once. */
const framings: readonly ((body: Uint8Array) => { readonly headers: string; readonly body: Uint8Array })[] = [
  (body) => ({ headers: `Content-Length: ${body.length}\r\n`, body }),
  (body) => ({ headers: `Content-Length: ${body.length + 50}\r\n`, body }),
  (body) => ({ headers: `Content-Length: ${Math.max(0, body.length - 3)}\r\n`, body }),
  (body) => ({ headers: 'Content-Length: -1\r\n', body }),
  (body) => ({ headers: '', body }),
  (body) => ({ headers: 'Transfer-Encoding: chunked\r\n', body: chunked(body, '0\r\n\r\n') }),
  (body) => ({ headers: 'Transfer-Encoding: chunked\r\n', body: chunked(body, 'zz\r\n') }),
  (body) => ({ headers: 'Transfer-Encoding: chunked\r\n', body: chunked(body, '') }),
  (body) => ({ headers: `Content-Length: 3\r\nTransfer-Encoding: chunked\r\n`, body }),
  (body) => ({ headers: 'Connection: Upgrade\r\nUpgrade: tcp\r\n', body }),
]

function chunked(body: Uint8Array, last: string): Uint8Array {
  const parts: Uint8Array[] = []
  for (let at = 0; at < body.length; at += 13) {
    const piece = body.subarray(at, at + 13)
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from(last)])
}

/** Frames of Docker's multiplexed streams, sound and not. */
const frames = fc
  .array(
    fc.record({
      kind: fc.constantFrom(0, 1, 1, 1, 2, 2, 3, 255),
      odd: fc.constantFrom(0, 0, 0, 0, 1),
      more: fc.constantFrom(0, 0, 0, 1, -1, 2 ** 24, 2 ** 32 - 1),
      text: fc.oneof(fc.constant('2026-01-01T00:00:00.1Z hello\n'), oddText),
    }),
    { maxLength: 6 },
  )
  .map((list) =>
    Buffer.concat(
      list.map(({ kind, odd, more, text }) => {
        const body = Buffer.from(text)
        const header = Buffer.from([kind, odd, 0, 0, 0, 0, 0, 0])
        header.writeUInt32BE(Math.max(0, body.length + more) % 2 ** 32, 4)
        return Buffer.concat([header, body])
      }),
    ),
  )

const lines = fc
  .array(
    fc.oneof(
      mutated([
        { status: 'Downloading', progressDetail: { current: 1 } },
        { errorDetail: { message: 'no' }, error: 'no' },
      ]),
      mutated([{ Type: 'container', Action: 'die', Actor: { ID: id, Attributes: { a: 'b' } }, time: 1, timeNano: 1e18 }]),
    ),
    { maxLength: 5 },
  )
  .map((list) => list.map((one) => `${JSON.stringify(one)}\n`).join(''))

/** The body of an answer to a request for `path`, by what is asked. */
function bodyFor(
  path: string,
  change: (sound: unknown) => unknown,
  mangle: 'json' | 'torn' | 'other',
  other: Uint8Array,
): Uint8Array {
  if (mangle === 'other') return other
  const text = JSON.stringify(change(soundAnswer(path))) ?? ''
  return Buffer.from(mangle === 'torn' ? text.slice(0, Math.floor(text.length / 2)) : text)
}

/** A way to answer every request. */
export const behaviour: fc.Arbitrary<(path: string) => RawAnswer> = fc
  .record({
    status: statuses,
    framing: fc.nat(framings.length - 1),
    mangle: fc.constantFrom<'json' | 'torn' | 'other'>('json', 'json', 'json', 'torn', 'other', 'other'),
    swapped: mutated(sound.map(([, answer]) => answer)),
    keeps: fc.boolean(),
    other: fc.oneof(
      frames,
      lines.map(Buffer.from),
      noise,
      torn(lines).map((text) => Buffer.from(text)),
    ),
    pieces: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }).map((list) => [...list, 4000]),
    after: fc.constantFrom<RawAnswer['after']>('end', 'end', 'end', 'destroy'),
    wire: fc.option(noise, { freq: 12 }),
    soundVersion: fc.constantFrom(true, true, true, true, true, false),
  })
  .map(({ status, framing, mangle, swapped, keeps, other, pieces, after, wire, soundVersion }) => (path) => {
    if (soundVersion && path === '/version') return { bytes: whole(200, soundAnswer(path)), pieces: [4000], after: 'end' }
    if (wire !== null) return { bytes: wire, pieces, after }
    // Of an unasked 101 the modem tells nothing, so only the deadline ends it: a test of its own, for it takes that long.
    const said = status === 101 && !path.startsWith('/exec/') ? 200 : status
    const framed = framings[framing]!(bodyFor(path, (answer) => (keeps ? answer : swapped), mangle, other))
    return { bytes: Buffer.concat([Buffer.from(head(said, framed.headers)), framed.body]), pieces, after }
  })

export function whole(status: number, body: unknown): Uint8Array {
  const text = JSON.stringify(body)
  return Buffer.from(`${head(status, `Content-Length: ${Buffer.byteLength(text)}\r\n`)}${text}`)
}
