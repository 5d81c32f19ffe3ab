import type { Config } from '../config.ts'
import type { Source } from '../git/source.ts'
import type { Logger } from '../logging.ts'
import type { Engine } from '../runtime/engine.ts'
import type { createProbeRunner } from '../runtime/probes/action.ts'
import type { Timers } from '../runtime/timers.ts'
import type { Vault } from '../runtime/vault.ts'
import type { openStore } from '../store/sqlite.ts'

/** What the daemon gets from the outside world, and nothing else. */
export interface Edges {
  readonly version: string
  readonly now: () => number
  readonly timers: Timers
  /** in [0, 1) */
  readonly random: () => number
  readonly randomBytes: (bytes: number) => Uint8Array
  readonly uuid: () => string
  /** a new private RSA key of at least 2048 bits, as PEM */
  readonly generateTokenKey: () => Promise<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly readText: (path: string) => Promise<string>
  readonly logger: (vault: Pick<Vault, 'redactOwn'>) => Logger
  readonly openEngine: (config: Config, node: string) => Engine
  readonly openSource: (config: Config) => Source
  readonly openStore: typeof openStore
  readonly probeRunner: typeof createProbeRunner
  readonly nodeImage: string
  /** ends the daemon */
  readonly signal: AbortSignal
  /** labels put on everything that is made; for tests */
  readonly extraLabels?: Readonly<Record<string, string>>
}
