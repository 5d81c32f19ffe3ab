/** The Git server, which may be gone, or take connections and say nothing. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { smartHttp } from '../support/githttp.ts'

export class Remote {
  readonly #address: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #silent = false
  #bare = ''

  constructor(address: string) {
    this.#address = address
  }

  /** Its address in the future is known before there is a repository to serve. */
  async reserve(): Promise<string> {
    await this.#listen()
    return `http://${this.#address}:${this.#port}/app.git`
  }

  serve(bare: string): void {
    this.#bare = bare
  }

  /** Nobody answers at its address any more, until `open`. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  async open(): Promise<void> {
    await this.#listen()
  }

  /** What was asked in silence is never answered, as if its packets were lost. */
  silence(silent: boolean): void {
    this.#silent = silent
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => {
      if (!this.#silent) smartHttp(this.#bare)(request, response)
    })
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, this.#address, resolve))
    this.#port = (server.address() as AddressInfo).port
  }
}
