import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startLoad } from '../../../../scripts/demo/load.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function listen(answer: Parameters<typeof createServer>[1]): Promise<string> {
  server = createServer({}, answer!)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test('half of the clients keep their connections, the others make one for each request', async () => {
  const ports = new Map<number, number>()
  const url = await listen((request, response) => {
    const port = request.socket.remotePort ?? 0
    ports.set(port, (ports.get(port) ?? 0) + 1)
    response.end('ok')
  })
  const load = startLoad([{ name: 'Service', url }], new AbortController().signal)
  await load.more(16)
  await load.stop()
  expect(load.outcomes.every(({ error }) => error === '')).toBe(true)
  const kept = load.outcomes.filter((outcome) => outcome.kept).length
  expect([...ports.values()].filter((count) => count > 1)).toHaveLength(2)
  expect([...ports.values()].filter((count) => count === 1)).toHaveLength(load.outcomes.length - kept)
})

for (const { name, answer, error } of [
  {
    name: 'an answer that is no success',
    answer: (_: unknown, response: { writeHead(code: number): { end(text: string): void } }) =>
      response.writeHead(502).end('<h1>Shop</h1>\n<p>api: connect ECONNREFUSED</p>\n'),
    error: /^HTTP 502: api: connect ECONNREFUSED$/,
  },
  {
    name: 'a connection that ends without an answer',
    answer: (request: { socket: { destroy(): void } }) => request.socket.destroy(),
    error: /socket hang up|ECONNRESET/,
  },
  {
    name: 'an answer that is cut off',
    answer: (
      _: unknown,
      response: { writeHead(code: number, headers: object): void; write(text: string, done: () => void): void; destroy(): void },
    ) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    },
    error: /^cut off: aborted$/,
  },
])
  test(`lost: ${name}`, async () => {
    const url = await listen(answer as Parameters<typeof createServer>[1])
    const load = startLoad([{ name: 'Service', url }], new AbortController().signal)
    await load.more(4)
    await load.stop()
    expect(load.outcomes.length).toBeGreaterThanOrEqual(4)
    for (const outcome of load.outcomes) expect(outcome.error).toMatch(error)
  })

test('settled waits for what is under way, and waiting for more ends with the load', async () => {
  const url = await listen((_, response) => void setImmediate(() => response.end('ok')))
  const stopping = new AbortController()
  const load = startLoad([{ name: 'Service', url }], stopping.signal)
  await load.settled()
  expect(load.outcomes).toHaveLength(4)
  const more = load.more(1_000_000)
  stopping.abort(new Error('told to stop'))
  await expect(more).rejects.toThrow('told to stop')
  await load.stop()
})
