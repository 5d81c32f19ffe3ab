/** Somebody else at the engine, and the engine's own fate: everything that is done to it not through its port. */
import type { ContainerConfig, ResourceLimits, RestartPolicy, VolumeConfig } from '../../../src/runtime/engine.ts'
import {
  createContainer,
  pauseContainer,
  removeContainer,
  renameContainer,
  stopContainer,
  unpauseContainer,
  updateContainer,
} from './containers.ts'
import { addImage, dropImage } from './images.ts'
import { endProcess, killContainer, signalName, startContainer, writeLog } from './life.ts'
import type { Line } from './line.ts'
import type { Machine } from './machine.ts'
import { connectNetwork, disconnectNetwork } from './networks.ts'
import type { SimulatedImage } from './options.ts'
import { comeUp, type Fall, goDown } from './power.ts'
import { type NetworkNamespace, type RawContainer, type RawVolume, viewOf } from './state.ts'
import { createVolume } from './volumes.ts'

/**
 * What somebody does at the docker command line. Containers are given by id or name.
 * Errors are the engine's own: `notFound`, `conflict` and so on.
 */
export class World {
  readonly #machine: Machine
  readonly #line: Line

  constructor(machine: Machine, line: Line) {
    this.#machine = machine
    this.#line = line
  }

  #of(idOrName: string): RawContainer {
    return this.#machine.container(idOrName)
  }

  /** Makes and starts a container of somebody else's; returns its id. */
  run(config: ContainerConfig): string {
    const id = createContainer(this.#machine, config)
    startContainer(this.#machine, this.#of(id))
    return id
  }

  /** Makes a volume of somebody else's. */
  keep(config: VolumeConfig): void {
    createVolume(this.#machine, config)
  }

  create(config: ContainerConfig): string {
    return createContainer(this.#machine, config)
  }

  start(container: string): void {
    startContainer(this.#machine, this.#of(container))
  }

  stop(container: string, graceSeconds = 10): Promise<void> {
    return stopContainer(this.#machine, this.#of(container), graceSeconds)
  }

  kill(container: string, signal = 'KILL'): void {
    killContainer(this.#machine, this.#of(container), signalName(signal), 'world')
  }

  /** The process ends by itself, as one that crashes. */
  exit(container: string, exitCode: number, oomKilled = false): void {
    endProcess(this.#machine, this.#of(container), exitCode, oomKilled)
  }

  pause(container: string): void {
    pauseContainer(this.#machine, this.#of(container))
  }

  unpause(container: string): void {
    unpauseContainer(this.#machine, this.#of(container))
  }

  remove(container: string): Promise<void> {
    return removeContainer(this.#machine, this.#of(container))
  }

  rename(container: string, name: string): void {
    renameContainer(this.#machine, this.#of(container), name)
  }

  update(container: string, change: { readonly resources?: ResourceLimits; readonly restartPolicy?: RestartPolicy }): void {
    updateContainer(this.#machine, container, change)
  }

  connect(network: string, container: string, ip?: string): void {
    connectNetwork(this.#machine, network, container, ip)
  }

  disconnect(network: string, container: string): void {
    disconnectNetwork(this.#machine, network, container)
  }

  /** A line on the container's standard output or error. */
  log(container: string, text: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    writeLog(this.#machine, this.#of(container), stream, text)
  }

  /** The next removals of it fail, that many, and leave it `dead`. */
  stickRemoval(container: string, times = 1): void {
    this.#of(container).stuckRemovals = times
  }

  /** Writes a file of a volume, by path relative to its root; `undefined` removes it. */
  edit(volume: string, path: string, text: string | undefined): void {
    const { files } = this.#volume(volume)
    if (text === undefined) files.delete(path)
    else files.set(path, { mode: files.get(path)?.mode ?? 0o644, bytes: new TextEncoder().encode(text) })
  }

  /** The files of a volume as text, by path. */
  read(volume: string): Record<string, string> {
    return Object.fromEntries([...this.#volume(volume).files].map(([path, { bytes }]) => [path, new TextDecoder().decode(bytes)]))
  }

  #volume(name: string): RawVolume {
    const volume = this.#machine.volumes.get(name)
    if (volume === undefined) throw new Error(`no volume ${name} on ${this.#machine.options.node}`)
    return volume
  }

  addImage(image: SimulatedImage): void {
    addImage(this.#machine, image)
  }

  /** Also where containers use it. */
  removeImage(ref: string): void {
    dropImage(this.#machine, ref)
  }

  /** Another program of the host listens on this port, or does no more. */
  occupyPort(port: string, occupied = true): void {
    if (occupied) this.#machine.ports.set(port, [...(this.#machine.ports.get(port) ?? []), { hostIp: '', owner: 'host' }])
    else
      this.#machine.ports.set(
        port,
        (this.#machine.ports.get(port) ?? []).filter(({ owner }) => owner !== 'host'),
      )
  }

  /** Ids of the running containers that are reached at an address now. */
  containersAt(ip: string): string[] {
    const namespace = this.#namespaceAt(ip)
    if (namespace === undefined) return []
    return [...this.#machine.containers.values()].filter(({ run }) => run?.namespace === namespace).map(({ id }) => id)
  }

  #namespaceAt(ip: string): NetworkNamespace | undefined {
    for (const { run, endpoints } of this.#machine.containers.values()) {
      if (run === undefined) continue
      for (const endpoint of endpoints.values()) if (endpoint.ip === ip) return run.namespace
    }
    return undefined
  }

  /** Whether a running container has a network: its namespace is dead once the owner of it has stopped. */
  hasNetwork(container: string): boolean {
    return this.#of(container).run?.namespace.alive === true
  }

  view(container: string) {
    return viewOf(this.#of(container))
  }

  /** Nobody reaches the engine; it goes on by itself, and so do the containers. */
  disconnectEngine(): void {
    this.#line.cut('no route to host')
  }

  reconnectEngine(): void {
    this.#line.mend()
  }

  /** Takes the engine down; resolves once it is down. What was asked of it and not yet done is lost. */
  down(fall: Fall): Promise<void> {
    return goDown(this.#machine, this.#line, fall)
  }

  /** Brings it up again. */
  up(): void {
    comeUp(this.#machine, this.#line)
  }

  /** Down, that long, and up again. */
  async restart(fall: Fall = 'restart', downMs = 0): Promise<void> {
    await this.down(fall)
    if (downMs > 0) await new Promise<void>((resolve) => this.#machine.later(downMs, resolve))
    this.up()
  }
}
