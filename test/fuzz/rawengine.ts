/** An engine on a unix socket that answers with the very bytes it is told to, cut wherever one likes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RawAnswer {
  readonly bytes: Uint8Array
  /** lengths of the pieces that are written one after the other; the last one is repeated */
  readonly pieces: readonly number[]
  /** what becomes of the connection afterwards */
  readonly after: 'end' | 'destroy' | 'hold'
}

export class RawEngine {
  readonly host: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'trireme-raw-'))
  readonly #server: Server
  readonly #open = new Set<Socket>()
  /** for each request, by its path without version and query */
  answer: (path: string) => RawAnswer = () => ({ bytes: new Uint8Array(), pieces: [1], after: 'end' })

  constructor() {
    const path = join(this.#folder, 'docker.sock')
    this.host = `unix://${path}`
    this.#server = createServer((socket) => this.#serve(socket)).listen(path)
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** One request a connection: what comes after its head is not read. */
  #serve(socket: Socket): void {
    this.#open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#open.delete(socket))
    let head = ''
    const read = (chunk: Buffer) => {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      socket.off('data', read)
      socket.resume()
      const path = (head.split(' ')[1] ?? '').replace(/^\/v[\d.]+/, '').split('?')[0] ?? ''
      this.#write(socket, this.answer(path))
    }
    socket.on('data', read)
  }

  #write(socket: Socket, { bytes, pieces, after }: RawAnswer): void {
    let at = 0
    let piece = 0
    const next = (): void => {
      if (socket.destroyed) return
      if (at >= bytes.length) {
        if (after === 'end') socket.end()
        if (after === 'destroy') socket.destroy()
        return
      }
      const length = Math.max(1, pieces[Math.min(piece, pieces.length - 1)] ?? 1)
      socket.write(bytes.subarray(at, at + length))
      at += length
      piece += 1
      setImmediate(next)
    }
    next()
  }
}
