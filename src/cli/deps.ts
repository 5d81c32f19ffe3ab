/** What the verbs are given; nothing in this folder reaches the outside by any other way. */
import type { Check } from '../api/check.ts'
import type { Config } from '../config.ts'
import type { DocumentVerdict, Problem } from '../model/types/loaded.ts'

export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  /** width of the terminal, when it is one */
  readonly columns?: number
}

/** The part of `fetch` that the verbs use to talk to a running daemon. */
export type Request = (url: string, init?: { readonly method?: string; readonly signal?: AbortSignal }) => Promise<Response>

/** What a plan would do; `differences` decides the exit code. */
export interface PlanOutcome {
  readonly text: string
  /** serialised for `-o json` */
  readonly json: unknown
  readonly differences: boolean
}

export interface ValidationOutcome {
  readonly verdicts: readonly DocumentVerdict[]
  readonly problems: readonly Problem[]
}

export interface ValidateOptions {
  /** for manifests that name none */
  readonly namespace: string
  readonly allow: Config['allow']
  readonly allowRemote: boolean
}

export interface Deps {
  readonly version: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly root: boolean
  readonly stdout: Output
  readonly stderr: Output
  /** aborts when the user interrupts */
  readonly signal: AbortSignal
  /** ms since the epoch */
  readonly now: () => number
  /** resolves early when `signal` aborts; never rejects */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly request: Request
  /** the text of a configuration file */
  readonly readText: (path: string) => Promise<string>
  /** runs until stopped; resolves with the exit code */
  readonly startDaemon: (config: Config) => Promise<number>
  readonly computePlan: (config: Config) => Promise<PlanOutcome>
  readonly validatePaths: (paths: readonly string[], options: ValidateOptions) => Promise<ValidationOutcome>
  /** one line for each thing removed, as it happens */
  readonly teardown: (config: Config, options: { readonly volumes: boolean }) => AsyncIterable<string>
  readonly diagnose: (config: Config) => Promise<readonly Check[]>
}
