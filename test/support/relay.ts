/** A unix socket in front of the engine's, that can be cut, closed, and made to fall silent. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SOCKET } from './engine.ts'

export class Relay {
  readonly path: string
  readonly #target: string
  readonly #folder: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #silent = false

  /** @param target path of the engine's socket */
  constructor(target = SOCKET) {
    this.#target = target
    this.#folder = mkdtempSync(join(tmpdir(), 'trireme-relay-'))
    this.path = join(this.#folder, 'docker.sock')
  }

  /** The address for `dockerEngine`. */
  get host(): string {
    return `unix://${this.path}`
  }

  async open(): Promise<void> {
    const server = createServer((client) => this.#relay(client))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.path, resolve))
  }

  /** Drops every connection; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Nobody answers any more until `open`. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.cut()
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  /** Takes connections and bytes, and answers nothing; what is connected already goes on. */
  silence(silent: boolean): void {
    this.#silent = silent
  }

  async remove(): Promise<void> {
    await this.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #relay(client: Socket): void {
    this.#track(client)
    if (this.#silent) return void client.resume()
    const engine = connect(this.#target)
    this.#track(engine)
    client.pipe(engine).pipe(client)
    client.on('close', () => engine.destroy())
    engine.on('close', () => client.destroy())
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
