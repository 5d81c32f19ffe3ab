/** The state of one simulated engine and what every operation needs of it: lookups, ids, time and the event log. */
import { createGroups } from '../../../src/controller/groups.ts'
import { EngineError, type EngineEvent } from '../../../src/runtime/engine.ts'
import { noSuchContainer } from './errors.ts'
import { EventLog } from './events.ts'
import type { SimulatedEngineOptions } from './options.ts'
import type { RawContainer, RawImage, RawNetwork, RawVolume } from './state.ts'

export class Machine {
  readonly options: SimulatedEngineOptions
  readonly containers = new Map<string, RawContainer>()
  /** ids by name */
  readonly names = new Map<string, string>()
  readonly networks = new Map<string, RawNetwork>()
  readonly volumes = new Map<string, RawVolume>()
  /** by `key=value` */
  readonly volumesByLabel = createGroups<RawVolume>(({ view }) => view.name)
  readonly images = new Map<string, RawImage>()
  readonly events = new EventLog()
  /** containers whose start has been asked for and not been answered */
  readonly starting = new Set<RawContainer>()
  /** host ports in use, as `protocol/port`, with the addresses they are bound to and by whom */
  readonly ports = new Map<string, { readonly hostIp: string; readonly owner: string }[]>()
  /** counts the engine's lives: what was asked of an earlier one has no effect any more */
  life = 0
  #pids = 1000

  constructor(options: SimulatedEngineOptions) {
    this.options = options
  }

  now(): number {
    return this.options.now()
  }

  newId(): string {
    const word = () => Math.floor(this.options.random() * 2 ** 32).toString(16)
    return Array.from({ length: 8 }, () => word().padStart(8, '0')).join('')
  }

  newPid(): number {
    this.#pids += 1
    return this.#pids
  }

  /** By id, name or unambiguous beginning of the id. Errors: notFound. */
  container(idOrName: string): RawContainer {
    const found = this.findContainer(idOrName)
    if (found === undefined) throw noSuchContainer(idOrName)
    return found
  }

  findContainer(idOrName: string): RawContainer | undefined {
    const direct = this.containers.get(idOrName) ?? this.containers.get(this.names.get(idOrName) ?? '')
    if (direct !== undefined || !/^[0-9a-f]{1,63}$/.test(idOrName)) return direct
    const beginning = [...this.containers.values()].filter(({ id }) => id.startsWith(idOrName))
    return beginning.length === 1 ? beginning[0] : undefined
  }

  findNetwork(idOrName: string): RawNetwork | undefined {
    const direct = this.networks.get(idOrName)
    if (direct !== undefined) return direct
    for (const network of this.networks.values()) if (network.view.name === idOrName) return network
    return undefined
  }

  emitContainer(container: RawContainer, action: string, more: Readonly<Record<string, string>> = {}): void {
    const attributes = { ...container.labels, image: container.config.image, name: container.name, ...more }
    this.emit({ type: 'container', action, id: container.id, attributes })
  }

  emitNetwork(network: RawNetwork, action: string, container = ''): void {
    const { id, name, driver } = network.view
    const attributes = { name, type: driver, ...(container === '' ? {} : { container }) }
    this.emit({ type: 'network', action, id, container, attributes })
  }

  emitVolume(name: string, action: string, more: Readonly<Record<string, string>> = {}): void {
    this.emit({ type: 'volume', action, id: name, attributes: { driver: 'local', ...more } })
  }

  emit(event: Omit<EngineEvent, 'timeMs' | 'container'> & { readonly container?: string }): void {
    this.events.emit(Object.freeze({ container: '', ...event, timeMs: this.now() }))
  }

  /** A timer that does nothing once the engine has ended this life. */
  later(ms: number, act: () => void): unknown {
    const { life } = this
    return this.options.timers.setTimeout(() => {
      if (life === this.life) act()
    }, ms)
  }
}

/** `error` as the engine records it in a container. */
export function textOf(error: unknown): string {
  return error instanceof EngineError ? error.message : String(error)
}
