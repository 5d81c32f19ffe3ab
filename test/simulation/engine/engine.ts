/**
 * A Docker Engine without Docker: the `Engine` port in memory, in virtual time, as Docker 20.10 behaves.
 *
 *     const engine = new SimulatedEngine({ node: 'alpha', timers, now, random, programs, images, registry, latency, … })
 *     engine.startContainer(id)            // the port (src/runtime/engine.ts); every call takes `latency(op)` ms
 *     engine.world.kill(id, 'TERM')        // somebody else at the command line, and the engine's own fate: world.ts
 *     engine.raw.containers.get(id)        // everything it holds, plain, for checkers: state.ts
 *     options.onSignal = (record) => …     // every signal that a process gets, when, and from what
 *     withFaults(engine, plan)             // errors, delays and lost events around any engine: faults.ts
 *
 * Options are in options.ts. What runs in a container is a `Program`, chosen by a function of the container's config
 * and of how often it has been started. Time and chance come from the options only; a call without latency resolves
 * within microtasks.
 *
 * world: run create start stop kill exit pause unpause remove rename update connect disconnect log stickRemoval edit
 * read addImage removeImage occupyPort containersAt hasNetwork view, and for the engine itself
 * `disconnectEngine()`/`reconnectEngine()` (calls fail `unreachable`, what they asked for happens) and
 * `await down('restart' | 'crash' | 'powerLoss')`/`up()`, or `await restart(fall, downMs)`.
 *
 * Modelled: images and pulls; names; creation with its checks; start, signals, stop with its grace, exit codes, OOM;
 * Docker's restart policy with its backoff; pause; update; removal in progress, stuck removals that leave `dead`;
 * networks with ranges and addresses; host ports; shared and dead network namespaces; volumes on disk and in memory,
 * their files and archives; logs, stats, exec; the event log with its bounds; restart, crash and power loss of the
 * engine with and without live-restore.
 *
 * Not modelled: health checks, CPU and memory limits that bite, disk space, owners of files, folders without files, what a link leads to,
 * IPv6, network drivers besides bridge, exec after the caller has given up.
 */
import type { Engine, EngineEvent, LogLine, LogOptions } from '../../../src/runtime/engine.ts'
import { fileType, getArchive, putArchive } from './archives.ts'
import {
  createContainer,
  listContainers,
  removeContainer,
  renameContainer,
  signalContainer,
  stopContainer,
  unpauseContainer,
  updateContainer,
} from './containers.ts'
import { execCommand, openExecStream } from './execs.ts'
import { addImage, findImage, pullImage } from './images.ts'
import { startContainer } from './life.ts'
import { Line } from './line.ts'
import { Machine } from './machine.ts'
import {
  addPredefinedNetworks,
  connectNetwork,
  createNetwork,
  disconnectNetwork,
  listNetworks,
  removeNetwork,
} from './networks.ts'
import type { SimulatedEngineOptions } from './options.ts'
import { logLines, statsOf, volumeBytes, writtenBytes } from './output.ts'
import { viewOf } from './state.ts'
import { createVolume, listVolumes, removeVolume } from './volumes.ts'
import { World } from './world.ts'

type Args<Op extends keyof Engine> = Engine[Op] extends (...args: infer A) => unknown ? A : never

export class SimulatedEngine implements Engine {
  readonly node: string
  /** what it holds; for looking, not for changing */
  readonly raw: Machine
  readonly world: World
  readonly #line: Line

  constructor(options: SimulatedEngineOptions) {
    this.node = options.node
    this.raw = new Machine(options)
    this.#line = new Line(this.raw)
    this.world = new World(this.raw, this.#line)
    addPredefinedNetworks(this.raw)
    for (const image of options.images ?? []) addImage(this.raw, image)
  }

  info() {
    return this.#line.call('info', () => ({
      id: `SIM:${this.node}`,
      name: this.node,
      version: '20.10.24',
      apiVersion: '1.41',
      os: 'Simulated Linux',
      architecture: 'x86_64',
      kernel: '6.1.0',
      cpus: 4,
      memoryBytes: 8 * 1024 ** 3,
      storageDriver: 'overlay2',
      cgroupVersion: '2',
      liveRestore: this.raw.options.liveRestore ?? false,
      securityOptions: [],
      warnings: [],
      runtimes: ['runc'],
    }))
  }

  listContainers(labels: readonly string[]) {
    return this.#line.call('listContainers', () => listContainers(this.raw, labels))
  }

  inspectContainer(id: string) {
    return this.#line.call('inspectContainer', () => {
      const container = this.raw.findContainer(id)
      return container === undefined ? undefined : viewOf(container)
    })
  }

  listNetworks(labels: readonly string[]) {
    return this.#line.call('listNetworks', () => listNetworks(this.raw, labels))
  }

  listVolumes(labels: readonly string[]) {
    return this.#line.call('listVolumes', () => listVolumes(this.raw, labels))
  }

  inspectImage(ref: string) {
    return this.#line.call('inspectImage', () => findImage(this.raw, ref)?.view)
  }

  async *events(sinceMs: number, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    if (signal.aborted) return
    const reader = await this.#line.call('events', () => this.raw.events.subscribe(sinceMs))
    const end = (): void => this.raw.events.unsubscribe(reader)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    try {
      if (!signal.aborted) yield { type: 'other', action: 'subscribed', id: '', container: '', attributes: {}, timeMs: 0 }
      for await (const event of reader) {
        if (signal.aborted) return
        yield event
      }
    } finally {
      signal.removeEventListener('abort', end)
      end()
    }
  }

  async *logs(id: string, options: LogOptions, signal?: AbortSignal): AsyncGenerator<LogLine> {
    const container = await this.#line.call('logs', () => this.raw.container(id))
    yield* logLines(container, options, signal)
  }

  stats(id: string) {
    return this.#line.call('stats', () => statsOf(this.raw, this.raw.container(id)))
  }

  writtenBytes(id: string) {
    return this.#line.call('writtenBytes', () => writtenBytes(this.raw.container(id)))
  }

  volumeBytes() {
    return this.#line.call('volumeBytes', () => volumeBytes(this.raw))
  }

  pullImage(...[ref, auth, signal]: Args<'pullImage'>) {
    return this.#line.call('pullImage', () => pullImage(this.raw, ref, auth, signal))
  }

  createContainer(...[config]: Args<'createContainer'>) {
    return this.#line.call('createContainer', () => createContainer(this.raw, config))
  }

  startContainer(id: string) {
    const container = this.raw.findContainer(id)
    const started = this.#line.call('startContainer', () => startContainer(this.raw, this.raw.container(id)))
    if (container === undefined) return started
    this.raw.starting.add(container)
    return started.finally(() => this.raw.starting.delete(container))
  }

  stopContainer(id: string, graceSeconds: number) {
    return this.#line.call('stopContainer', () => stopContainer(this.raw, this.raw.container(id), graceSeconds))
  }

  killContainer(id: string, signal: string) {
    return this.#line.call('killContainer', () => signalContainer(this.raw, id, signal))
  }

  removeContainer(id: string) {
    return this.#line.call('removeContainer', async () => {
      const container = this.raw.findContainer(id)
      if (container !== undefined) await removeContainer(this.raw, container)
    })
  }

  renameContainer(id: string, name: string) {
    return this.#line.call('renameContainer', () => renameContainer(this.raw, this.raw.container(id), name))
  }

  updateContainer(...[id, change]: Args<'updateContainer'>) {
    return this.#line.call('updateContainer', () => updateContainer(this.raw, id, change))
  }

  unpauseContainer(id: string) {
    return this.#line.call('unpauseContainer', () => unpauseContainer(this.raw, this.raw.container(id)))
  }

  createNetwork(...[config]: Args<'createNetwork'>) {
    return this.#line.call('createNetwork', () => createNetwork(this.raw, config))
  }

  removeNetwork(id: string) {
    return this.#line.call('removeNetwork', () => removeNetwork(this.raw, id))
  }

  connectNetwork(...[network, containerId, ip]: Args<'connectNetwork'>) {
    return this.#line.call('connectNetwork', () => connectNetwork(this.raw, network, containerId, ip))
  }

  disconnectNetwork(network: string, containerId: string) {
    return this.#line.call('disconnectNetwork', () => disconnectNetwork(this.raw, network, containerId))
  }

  createVolume(...[config]: Args<'createVolume'>) {
    return this.#line.call('createVolume', () => createVolume(this.raw, config))
  }

  removeVolume(name: string) {
    return this.#line.call('removeVolume', () => removeVolume(this.raw, name))
  }

  putArchive(id: string, path: string, tar: Uint8Array) {
    return this.#line.call('putArchive', () => putArchive(this.raw, id, path, tar))
  }

  getArchive(id: string, path: string, maxBytes: number) {
    return this.#line.call('getArchive', () => getArchive(this.raw, id, path, maxBytes))
  }

  fileType(...[id, path]: Args<'fileType'>) {
    return this.#line.call('fileType', () => fileType(this.raw, id, path))
  }

  exec(...[id, command, options]: Args<'exec'>) {
    return this.#line.call('exec', () => execCommand(this.raw, this.raw.container(id), command, options))
  }

  execStream(id: string, command: readonly string[]) {
    return this.#line.call('execStream', () => openExecStream(this.raw, this.raw.container(id), command))
  }
}
