/** One engine of the two: does operations, and tells what came of them in words that are the same for both. */
import { packFiles, unpackFiles } from '../../../src/runtime/archive.ts'
import {
  type ContainerConfig,
  type ContainerView,
  type Engine,
  EngineError,
  type EngineEvent,
} from '../../../src/runtime/engine.ts'
import type { EngineLab } from '../../support/engine.ts'
import { programs } from '../programs.ts'
import type { Address, Mode, Operation } from './operations.ts'

/** Labels of the image, which only one of the two has. */
const IMAGE_LABELS = ['trireme.content']
const NO_ID = 'f'.repeat(64)

export interface SideOptions {
  readonly lab: EngineLab
  /** part of every name, different for each sequence */
  readonly prefix: string
  /** the first three parts of the addresses that this sequence has to itself */
  readonly subnet: string
  /** by the id of a container or network or a volume's name */
  readonly events: EventBook
}

/** Everything that happened on an engine, by what it happened to. */
export class EventBook {
  readonly #told = new Map<string, EngineEvent[]>()

  note(event: EngineEvent): void {
    const known = this.#told.get(event.id)
    if (known === undefined) this.#told.set(event.id, [event])
    else known.push(event)
  }

  of(id: string): readonly EngineEvent[] {
    return this.#told.get(id) ?? []
  }
}

/** Reads an engine's events into a book until `signal` aborts; resolves once it is subscribed. */
export async function keepBook(engine: Engine, signal: AbortSignal): Promise<EventBook> {
  const book = new EventBook()
  const { promise, resolve, reject } = Promise.withResolvers<EventBook>()
  const read = async (): Promise<void> => {
    for await (const event of engine.events(0, signal)) {
      if (event.action === 'subscribed') resolve(book)
      else book.note(event)
    }
  }
  read().catch(reject)
  return promise
}

export class Side {
  readonly #options: SideOptions
  readonly #engine: Engine
  readonly #containers: { readonly id: string; readonly config: ContainerConfig }[] = []
  readonly #networks: { readonly id: string; readonly name: string }[] = []

  constructor(options: SideOptions) {
    this.#options = options
    this.#engine = options.lab.engine
  }

  /** `ok`, what was read, or the kind of the error. */
  async perform(operation: Operation): Promise<string> {
    try {
      return (await this.#perform(operation)) ?? 'ok'
    } catch (error) {
      if (error instanceof EngineError) return error.kind
      throw error
    }
  }

  /** Resolves with what was read; anything else is `undefined`. */
  async #perform(operation: Operation): Promise<string | undefined> {
    const engine = this.#engine
    switch (operation.op) {
      case 'create': {
        const config = this.#config(operation)
        this.#containers.push({ id: await engine.createContainer(config), config })
        return
      }
      case 'start':
        return this.#start(this.#id(operation.container))
      case 'stop':
        await engine.stopContainer(this.#id(operation.container), await this.#grace(operation.container))
        return
      case 'remove':
        await engine.removeContainer(this.#id(operation.container))
        return
      case 'pause':
        await this.#pause(this.#id(operation.container))
        return
      case 'unpause':
        await engine.unpauseContainer(this.#id(operation.container))
        return
      case 'kill':
        await engine.killContainer(this.#id(operation.container), operation.signal)
        return
      case 'rename':
        await engine.renameContainer(this.#id(operation.container), this.#name('c', operation.name))
        return
      case 'update':
        await engine.updateContainer(this.#id(operation.container), this.#change(operation))
        return
      case 'createNetwork':
        await this.#createNetwork(operation.network, operation.range)
        return
      case 'removeNetwork':
        await engine.removeNetwork(this.#name('n', operation.network))
        return
      case 'connect':
        await engine.connectNetwork(
          this.#name('n', operation.network),
          this.#id(operation.container),
          this.#ip(operation.network, operation.address),
        )
        return
      case 'disconnect':
        await engine.disconnectNetwork(this.#name('n', operation.network), this.#id(operation.container))
        return
      case 'createVolume':
        await engine.createVolume({
          name: this.#name('v', operation.volume),
          driver: 'local',
          driverOpts: {},
          labels: this.#labels({ kind: operation.label }),
        })
        return
      case 'removeVolume':
        await engine.removeVolume(this.#name('v', operation.volume))
        return
      case 'put': {
        const file = { path: 'file', mode: 0o640, bytes: new TextEncoder().encode(operation.text) }
        await engine.putArchive(this.#id(operation.container), operation.path, await packFiles([file], { gid: 0 }))
        return
      }
      case 'type':
        return engine.fileType(this.#id(operation.container), operation.path)
      case 'get': {
        const archive = await engine.getArchive(this.#id(operation.container), operation.path, 1024 * 1024)
        const files = await unpackFiles(archive, { maxBytes: 1024 * 1024 })
        return files.map(({ path, mode, bytes }) => `${path} ${mode.toString(8)} ${new TextDecoder().decode(bytes)}`).join('\n')
      }
    }
  }

  /** Everything there is, sorted. */
  async state(): Promise<string[]> {
    const [containers, networks, volumes] = await Promise.all([
      this.#engine.listContainers([this.#label]),
      this.#engine.listNetworks([this.#label]),
      this.#engine.listVolumes([this.#label]),
    ])
    return [
      ...containers.map((view) => this.#container(view)),
      ...networks.map(({ id, name, driver, labels, subnets }) => JSON.stringify([id, name, driver, labels, subnets])),
      ...volumes.map(({ name, driver, labels }) => JSON.stringify([name, driver, labels])),
    ]
      .map((line) => this.#plain(line))
      .sort()
  }

  /** What was told of each object, in order. */
  told(): Record<string, string[]> {
    const { events } = this.#options
    const book: Record<string, string[]> = {}
    this.#containers.forEach(({ id }, n) => {
      book[`container ${n}`] = events.of(id).map(({ action, attributes }) => {
        const { name, exitCode = '', signal = '', oldName = '' } = attributes
        return this.#plain([action, name, exitCode, signal, oldName].join(' ').trim())
      })
    })
    this.#networks.forEach(({ id }, n) => {
      book[`network ${n}`] = events.of(id).map(({ action, container }) => this.#plain(`${action} ${container}`))
    })
    for (const volume of [0, 1, 2]) {
      book[`volume ${volume}`] = events
        .of(this.#name('v', volume))
        .map(({ action, attributes }) => this.#plain(`${action} ${attributes.container ?? ''} ${attributes['read/write'] ?? ''}`))
    }
    return book
  }

  async clean(): Promise<void> {
    const containers = await this.#engine.listContainers([this.#label])
    await Promise.all(containers.map(({ id }) => this.#engine.removeContainer(id)))
    for (const { id } of await this.#engine.listNetworks([this.#label])) await this.#engine.removeNetwork(id)
    for (const volume of [0, 1, 2]) await this.#engine.removeVolume(this.#name('v', volume))
  }

  get #label(): string {
    return `trireme.differential=${this.#options.prefix}`
  }

  #labels(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return this.#options.lab.labels({ 'trireme.differential': this.#options.prefix, ...more })
  }

  #name(kind: string, number: number): string {
    return `${this.#options.prefix}-${kind}${number}`
  }

  #entry(back: number) {
    return this.#containers.at(-1 - back)
  }

  #id(back: number): string {
    return this.#entry(back)?.id ?? NO_ID
  }

  /**
   * A process that ignores the signal is not waited for; one that does not must have the time. So must one that is
   * paused, because the engine tells of its going on a moment later.
   */
  async #grace(back: number): Promise<number> {
    const entry = this.#entry(back)
    if (entry?.config.entrypoint !== programs.stubborn) return 20
    const view = await this.#engine.inspectContainer(entry.id)
    return view?.state === 'paused' ? 1 : 0
  }

  /** Of several networks Docker takes one after the other in no order, so that a failure leaves this or that. */
  async #start(id: string): Promise<string | undefined> {
    const view = await this.#engine.inspectContainer(id)
    if (view !== undefined && Object.keys(view.networks).length > 1) return 'left to chance'
    await this.#engine.startContainer(id)
    return undefined
  }

  /** What ends by itself is not restarted: how often it has been depends on time. */
  #change({ container, change }: Extract<Operation, { readonly op: 'update' }>): typeof change {
    const command = this.#entry(container)?.config.entrypoint
    const lasts = command === programs.idle || command === programs.stubborn
    return lasts || change.restartPolicy === undefined ? change : { ...change, restartPolicy: 'no' }
  }

  async #pause(id: string): Promise<void> {
    try {
      await this.#options.lab.otherClient('POST', `/containers/${id}/pause`)
    } catch (error) {
      // The two differ in what they throw here, not in whether.
      throw new EngineError('failed', 'pause', { cause: error })
    }
  }

  #config(operation: Extract<Operation, { readonly op: 'create' }>): ContainerConfig {
    const { lab } = this.#options
    const command = operation.program === 'noCommand' ? ['/no/such/command'] : programs[operation.program]
    const network = typeof operation.mode === 'object' && 'network' in operation.mode ? operation.mode.network : undefined
    const ip = network === undefined ? undefined : this.#ip(network, operation.address)
    return lab.config(command, {
      name: this.#name('c', operation.name),
      labels: this.#labels({ program: operation.program }),
      networkMode: this.#mode(operation.mode),
      mounts: operation.volumes.map((volume) => ({
        type: 'volume',
        source: this.#name('v', volume),
        target: `/v${volume}`,
        readOnly: operation.readOnly,
      })),
      resources: operation.resources,
      restartPolicy: operation.restartPolicy,
      init: operation.init,
      ...(operation.image === 'missing' ? { image: 'trireme/none:none' } : {}),
      ...(ip === undefined ? {} : { ip }),
    })
  }

  #mode(mode: Mode): string {
    if (mode === 'none') return 'none'
    if (mode === 'missing') return this.#name('n', 9)
    return 'network' in mode ? this.#name('n', mode.network) : `container:${this.#id(mode.container)}`
  }

  /** Network 0 has the lower half of the subnet, network 1 the upper. */
  #ip(network: number, address: Address): string | undefined {
    if (address === 'any') return undefined
    return address === 'outside' ? '10.1.1.1' : `${this.#options.subnet}.${network * 128 + address}`
  }

  async #createNetwork(network: number, range: number): Promise<void> {
    const name = this.#name('n', network)
    const { subnet: prefix, lab } = this.#options
    const start = network * 128
    // Ranges 0 and 1 have Docker choose from all and from a half; range 2 lies across both networks.
    const subnet = range === 2 ? `${prefix}.0/24` : `${prefix}.${start}/25`
    const ipRange = range === 1 ? `${prefix}.${start}/26` : ''
    const gateway = range === 2 ? '' : `${prefix}.${start + 1}`
    const config = lab.network({ name, subnet, ipRange, gateway, labels: this.#labels() })
    this.#networks.push({ id: await this.#engine.createNetwork(config), name })
  }

  #container({ createdAt, startedAt, finishedAt, pid, imageId, error, labels, mounts, ...view }: ContainerView): string {
    return JSON.stringify({
      ...view,
      error: error === '' ? '' : 'some',
      started: startedAt > 0,
      finished: finishedAt > 0,
      pid: pid > 0,
      made: createdAt > 0,
      image: imageId === '' ? '' : view.image,
      labels: Object.fromEntries(
        Object.entries(labels)
          .filter(([key]) => !IMAGE_LABELS.includes(key))
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
      mounts: mounts.map(({ type, name, destination, readOnly }) => [type, name, destination, readOnly]).sort(),
    })
  }

  /** Ids, names and addresses as numbers that both engines share. */
  #plain(text: string): string {
    const { prefix, subnet, lab } = this.#options
    const known = [
      ...this.#containers.map(({ id }, n) => [id, `container-${n}`]),
      ...this.#networks.map(({ id }, n) => [id, `network-${n}`]),
    ]
    const named = known.reduce((line, [id, name]) => line.replaceAll(id!, name!), text)
    return named
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'other')
      .replaceAll(prefix, '')
      .replaceAll(subnet, 'subnet')
      .replaceAll(lab.run, 'run')
  }
}
