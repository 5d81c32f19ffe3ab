/**
 * A Docker registry (API v2) on loopback that serves one tiny image under any tag it is told to: a layer, a
 * configuration and a manifest, all made in memory. Engines pull from loopback without TLS.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

interface Blob {
  readonly digest: string
  readonly bytes: Buffer
  readonly type: string
}

export interface RegistryOptions {
  /** a root file system, uncompressed tar */
  readonly layer: Uint8Array
  /** `Env`, `Cmd` and the like of the image's configuration */
  readonly config: object
}

export class Registry {
  /** method and path of every request that was let in, oldest first */
  readonly asked: string[] = []
  readonly #server: Server
  readonly #blobs = new Map<string, Blob>()
  readonly #tags = new Map<string, Blob>()
  readonly #options: RegistryOptions
  readonly #layer: Blob
  #credentials = ''
  #silent = false
  #port = 0

  constructor(options: RegistryOptions) {
    this.#options = options
    this.#layer = this.#keep(gzipSync(options.layer), 'application/vnd.docker.image.rootfs.diff.tar.gzip')
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  /** Listens; after `close` on the same port again. */
  async open(): Promise<this> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  /** Nobody answers any more until `open`. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** Greets and then answers nothing, until told otherwise; what it has been asked meanwhile stays unanswered. */
  silence(silent: boolean): void {
    this.#silent = silent
  }

  /** Only these are let in from now on; `undefined` lets everybody in. */
  require(credentials: { readonly username: string; readonly password: string } | undefined): void {
    this.#credentials = credentials === undefined ? '' : basic(credentials.username, credentials.password)
  }

  /** `127.0.0.1:<port>` */
  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** How often a tag was looked up: once a pull. */
  pulls(repository: string, tag: string): number {
    return this.asked.filter((line) => line.endsWith(`/v2/${repository}/manifests/${tag}`)).length
  }

  /**
   * Points a tag at the image, or at another one that differs in its label `version`; returns the reference to pull.
   */
  push(repository: string, tag: string, version = '1'): string {
    const { layer, config } = this.#options
    const rootfs = { type: 'layers', diff_ids: [digestOf(Buffer.from(layer))] }
    const image = { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux', rootfs }
    const labelled = { ...image, config: { ...config, Labels: { version } } }
    const configuration = this.#keep(Buffer.from(JSON.stringify(labelled)), 'application/vnd.docker.container.image.v1+json')
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: described(configuration), layers: [described(this.#layer)] }
    this.#tags.set(`${repository}:${tag}`, this.#keep(Buffer.from(JSON.stringify(manifest)), MANIFEST))
    return `${this.host}/${repository}:${tag}`
  }

  #keep(bytes: Buffer, type: string): Blob {
    const blob = { digest: digestOf(bytes), bytes, type }
    this.#blobs.set(blob.digest, blob)
    return blob
  }

  #answer(request: IncomingMessage, response: ServerResponse): undefined {
    request.resume()
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0')
    if (this.#credentials !== '' && request.headers.authorization !== this.#credentials) {
      response.setHeader('WWW-Authenticate', 'Basic realm="registry"')
      return refuse(response, 401, 'UNAUTHORIZED', 'authentication required')
    }
    this.asked.push(`${request.method} ${request.url}`)
    if (this.#silent && request.url !== '/v2/') return undefined
    const [, repository = '', kind = '', reference = ''] =
      /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? []
    if (kind === '') return end(response, '{}')
    const tagged = kind === 'manifests' ? this.#tags.get(`${repository}:${reference}`) : undefined
    const blob = tagged ?? this.#blobs.get(reference)
    if (blob === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN', `manifest unknown: ${reference}`)
    response.setHeader('Docker-Content-Digest', blob.digest)
    response.writeHead(200, { 'Content-Type': blob.type, 'Content-Length': blob.bytes.length })
    return end(response, request.method === 'HEAD' ? '' : blob.bytes)
  }
}

function described({ digest, bytes, type }: Blob): object {
  return { mediaType: type, size: bytes.length, digest }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function refuse(response: ServerResponse, status: number, code: string, message: string): undefined {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  return end(response, JSON.stringify({ errors: [{ code, message }] }))
}

function end(response: ServerResponse, body: string | Buffer): undefined {
  response.end(body)
}
