/** Containers from the stub image on the real engine, labelled and removed at the end. */

import { dockerEngine } from '../../src/runtime/docker/engine.ts'
import type { ContainerConfig, ContainerView, Engine } from '../../src/runtime/engine.ts'
import type { Timers } from '../../src/runtime/timers.ts'
import { STUB } from './apps.ts'
import { containerConfig } from './container.ts'

export const realTimers: Timers = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

export class StubLab {
  readonly engine: Engine = dockerEngine({ host: 'unix:///var/run/docker.sock', node: 'local', timeoutMs: 30_000 })
  readonly prefix: string

  constructor(name: string) {
    this.prefix = `trireme-test-${process.pid}-${name}`
  }

  get label(): string {
    return `trireme.test=${this.prefix}`
  }

  async create(name: string, change: Partial<ContainerConfig> = {}): Promise<string> {
    const fixed = { name: `${this.prefix}-${name}`, image: STUB, labels: this.#labels(), networkMode: 'bridge' }
    return this.engine.createContainer(containerConfig({ ...fixed, ...change }))
  }

  async run(name: string, change: Partial<ContainerConfig> = {}): Promise<ContainerView> {
    const id = await this.create(name, change)
    await this.engine.startContainer(id)
    return this.view(id)
  }

  async view(id: string): Promise<ContainerView> {
    const view = await this.engine.inspectContainer(id)
    if (view === undefined) throw new Error(`container ${id} is gone`)
    return view
  }

  /** The volume's name. */
  async volume(name: string, driverOpts: Record<string, string> = {}): Promise<string> {
    await this.engine.createVolume({ name: `${this.prefix}-${name}`, labels: this.#labels(), driver: 'local', driverOpts })
    return `${this.prefix}-${name}`
  }

  /** Runs a shell line in a container and gives its output. @throws on an exit code other than 0 */
  async shell(id: string, line: string): Promise<string> {
    const result = await this.engine.exec(id, ['sh', '-c', line], { timeoutMs: 20_000, maxBytes: 100_000 })
    if (result.exitCode !== 0) throw new Error(`${line}: exit code ${result.exitCode}: ${result.output}`)
    return result.output
  }

  async remove(): Promise<void> {
    const containers = await this.engine.listContainers([this.label])
    await Promise.all(containers.map((container) => this.engine.removeContainer(container.id)))
    const volumes = await this.engine.listVolumes([this.label])
    await Promise.all(volumes.map((volume) => this.engine.removeVolume(volume.name)))
  }

  #labels(): Record<string, string> {
    return { 'trireme.test': this.prefix }
  }
}
