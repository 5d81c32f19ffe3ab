/** What systemd or Docker is for a daemon: it is started again whenever it has ended. Here it is also who kills it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { DaemonLab } from '../support/daemon.ts'

/** A start that was refused is tried again after this: ms. */
const AGAIN_MS = 200

/** A daemon that ended without having been killed. */
export interface Refusal {
  /** ms since the epoch */
  readonly at: number
  /** the last lines it wrote */
  readonly why: string
}

export class Keeper {
  readonly refusals: Refusal[] = []
  kills = 0
  readonly #lab: DaemonLab
  #wanted = true
  #killed = false
  #kept: Promise<void> | undefined

  constructor(lab: DaemonLab) {
    this.#lab = lab
  }

  /** Resolves once the first daemon answers. */
  async open(): Promise<void> {
    await this.#lab.start()
    this.#kept = this.#keep()
  }

  /** `kill -9` at this moment, be the daemon at work or just starting. */
  async kill(): Promise<void> {
    this.kills += 1
    this.#killed = true
    await this.#lab.kill('SIGKILL')
  }

  /** Ended as systemd or Docker ends it. */
  async end(): Promise<void> {
    this.#killed = true
    await this.#lab.kill('SIGTERM')
  }

  /** Something that must be done while no daemon runs. */
  async without(work: () => Promise<void> | void): Promise<void> {
    await this.close()
    await work()
    this.#wanted = true
    this.#kept = this.#keep(true)
  }

  async close(): Promise<void> {
    this.#wanted = false
    while (this.#kept !== undefined) {
      await this.kill()
      if (await Promise.race([this.#kept.then(() => true), delay(20, false)])) this.#kept = undefined
    }
  }

  async #keep(start = false): Promise<void> {
    if (!start) await this.#untilGone()
    while (this.#wanted) {
      this.#killed = false
      // Whether it has answered before it ended makes no difference here.
      await this.#lab.start().catch(() => undefined)
      await this.#untilGone()
    }
  }

  async #untilGone(): Promise<void> {
    const code = await this.#lab.gone()
    if (this.#killed || !this.#wanted) return
    this.refusals.push({ at: Date.now(), why: `${code}: ${this.#lab.log(4)}` })
    await delay(AGAIN_MS)
  }
}
