/** An engine that answers what it is told to: for answers that no real one can be made to give. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Answer = (response: ServerResponse, request: IncomingMessage) => void

export const json =
  (body: unknown, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

const version = json({ ApiVersion: '1.41', MinAPIVersion: '1.12' })

export class Answers {
  readonly host: string
  /** method and path with query of every request, in order */
  readonly asked: string[] = []
  readonly bodies: string[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'trireme-answers-'))
  readonly #server: Server
  #routes: Readonly<Record<string, Answer>> = {}

  constructor() {
    const socket = join(this.#folder, 'docker.sock')
    this.host = `unix://${socket}`
    this.#server = createServer((request, response) => this.#answer(request, response)).listen(socket)
  }

  /** By `METHOD /path`, without version and query; everything else is a 404 in the engine's words. */
  answer(routes: Readonly<Record<string, Answer>>): void {
    this.#routes = { 'GET /version': version, ...routes }
    this.asked.length = 0
    this.bodies.length = 0
  }

  /** Takes no new connections and goes on with those that it has, as an engine that shuts down. */
  shutDown(): void {
    rmSync(this.host.slice('unix://'.length))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${request.method} ${request.url}`)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      this.bodies.push(Buffer.concat(chunks).toString())
      const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').split('?')[0]
      const answer = this.#routes[`${request.method} ${path}`] ?? json({ message: 'No such container: c1' }, 404)
      answer(response, request)
    })
  }
}
