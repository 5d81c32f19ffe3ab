import type { Logger } from '../logging.ts'
import type { Timers } from '../runtime/timers.ts'
import type { Vault } from '../runtime/vault.ts'

/** What the daemon gets from the outside world, and nothing else. */
export interface Edges {
  readonly version: string
  readonly now: () => number
  readonly timers: Timers
  /** in [0, 1) */
  readonly random: () => number
  readonly randomBytes: (bytes: number) => Uint8Array
  readonly uuid: () => string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly readText: (path: string) => Promise<string>
  readonly logger: (vault: Pick<Vault, 'redactOwn'>) => Logger
  readonly nodeImage: string
  /** ends the daemon */
  readonly signal: AbortSignal
  /** labels put on everything that is made; for tests */
  readonly extraLabels?: Readonly<Record<string, string>>
}
