/** Constant load on the application, and what became of it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Errand, Loss, Silence, Told, Way } from './ways.ts'

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url))

export interface Traffic {
  readonly answers: ReadonlyMap<Way, number>
  readonly losses: readonly Loss[]
  readonly silences: readonly Silence[]
}

export class ChaosLoad {
  readonly #clients: ChildProcess[] = []
  readonly #answers = new Map<Way, number>()
  readonly #askedAt = new Map<Way, number>()
  readonly #losses: Loss[] = []
  readonly #silences: Silence[] = []

  /** @param enter put before the client's own words: another network namespace */
  add(enter: readonly string[], errands: readonly Errand[]): void {
    const [command = '', ...words] = [...enter, process.execPath, '--disable-warning=ExperimentalWarning', CLIENT]
    const client = spawn(command, [...words, JSON.stringify(errands)], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: client.stdout! }).on('line', (line) => this.#hear(JSON.parse(line) as Told))
    this.#clients.push(client)
  }

  /** Whether a request that was sent after `since` has been answered on this way. */
  answersSince(way: Way, since: number): boolean {
    return (this.#askedAt.get(way) ?? 0) > since
  }

  traffic(): Traffic {
    return { answers: this.#answers, losses: this.#losses, silences: this.#silences }
  }

  /** Waits for the requests that are under way. Once stopped it stays so. */
  async stop(): Promise<Traffic> {
    await Promise.all(
      this.#clients.splice(0).map(async (client) => {
        const closed = new Promise((resolve) => client.once('close', resolve))
        client.stdin?.end()
        await closed
      }),
    )
    return this.traffic()
  }

  #hear(told: Told): void {
    if (told.kind === 'loss') this.#losses.push(told.loss)
    else if (told.kind === 'silence') this.#silences.push(told.silence)
    else {
      this.#answers.set(told.way, told.count)
      this.#askedAt.set(told.way, told.askedAt)
    }
  }
}
