/** A corner of the real engine: everything made in it is labelled, and removed with it. */
import { request } from 'node:http'
import { dockerEngine } from '../../src/runtime/docker/engine.ts'
import type { ContainerConfig, Engine, NetworkConfig, VolumeConfig } from '../../src/runtime/engine.ts'
import { containerConfig } from './container.ts'

export const SOCKET = '/var/run/docker.sock'
export const STUB_IMAGE = 'trireme/stub:1'

/** Asks until the answer is truthy; fails with what it saw last after `timeoutMs`. */
export async function eventually<T>(what: string, ask: () => T | Promise<T>, timeoutMs = 20_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const seen = await ask()
    if (seen) return seen
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: seen })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export class EngineLab {
  readonly engine: Engine
  /** part of every name */
  readonly run: string
  /** `trireme.test=<run>`, on everything made here */
  readonly label: string
  readonly image: string = STUB_IMAGE
  #names = 0

  constructor(topic: string, engine: Engine = dockerEngine({ node: 'local', host: `unix://${SOCKET}`, timeoutMs: 30_000 })) {
    this.engine = engine
    this.run = `trireme-test-${topic}-${process.pid}`
    this.label = `trireme.test=${this.run}`
  }

  /** A name nothing else has. */
  name(of: string): string {
    this.#names += 1
    return `${this.run}-${of}-${this.#names}`
  }

  labels(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { 'trireme.test': this.run, ...more }
  }

  config(command: readonly string[], more: Partial<ContainerConfig> = {}): ContainerConfig {
    return containerConfig({
      name: this.name('c'),
      image: this.image,
      entrypoint: command,
      logMaxBytes: 1024 * 1024,
      logMaxFiles: 2,
      ...more,
      labels: this.labels(more.labels),
    })
  }

  create(command: readonly string[], more: Partial<ContainerConfig> = {}): Promise<string> {
    return this.engine.createContainer(this.config(command, more))
  }

  async start(command: readonly string[], more: Partial<ContainerConfig> = {}): Promise<string> {
    const id = await this.create(command, more)
    await this.engine.startContainer(id)
    return id
  }

  /** Runs a command to its end. */
  async ended(command: readonly string[], more: Partial<ContainerConfig> = {}): Promise<string> {
    const id = await this.start(command, more)
    await this.state(id, 'exited')
    return id
  }

  /** Waits until the container is in that state. */
  async state(id: string, state: string): Promise<void> {
    await eventually(`container ${state}`, async () => (await this.engine.inspectContainer(id))?.state === state)
  }

  network(more: Partial<NetworkConfig> = {}): NetworkConfig {
    const defaults = { name: this.name('n'), driver: 'bridge', subnet: '', ipRange: '', gateway: '', options: {} }
    return { ...defaults, ...more, labels: this.labels(more.labels) }
  }

  volume(more: Partial<VolumeConfig> = {}): VolumeConfig {
    return { name: this.name('v'), driver: 'local', driverOpts: {}, ...more, labels: this.labels(more.labels) }
  }

  /** A request by somebody else: not through the engine under test. */
  async otherClient(method: string, path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    request({ socketPath: SOCKET, method, path }, (answer) => {
      answer.resume()
      if ((answer.statusCode ?? 500) < 300) resolve()
      else reject(new Error(`${method} ${path}: HTTP ${answer.statusCode}`))
    })
      .on('error', reject)
      .end()
    return promise
  }

  async removeContainers(): Promise<void> {
    const containers = await this.engine.listContainers([this.label])
    await Promise.all(containers.map(({ id }) => this.engine.removeContainer(id)))
  }

  /** Removes everything made here. */
  async remove(): Promise<void> {
    await this.removeContainers()
    for (const { id } of await this.engine.listNetworks([this.label])) await this.engine.removeNetwork(id)
    for (const { name } of await this.engine.listVolumes([this.label])) await this.engine.removeVolume(name)
  }
}
