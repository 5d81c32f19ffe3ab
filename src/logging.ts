/** JSON logs, one line each, through one door that takes secrets out. */
import { type DestinationStream, type Logger, pino } from 'pino'
import type { LogLevel } from './options.ts'

export type { Logger }

export interface LoggingOptions {
  readonly level: LogLevel
  /** fields of every line, such as the cluster */
  readonly base: Readonly<Record<string, string>>
  /** takes secrets out of the finished line; must leave valid JSON valid */
  readonly redact: (line: string) => string
  readonly destination: { write(line: string): unknown }
  /** ms since the epoch */
  readonly now: () => number
}

/** Fields that are never worth the risk, whatever they hold. */
const neverLogged = ['password', 'token', 'secret', 'authorization', 'env', 'auth']

/**
 * A logger that writes a line for each call: `time` in RFC 3339, `level` as a word, the base fields,
 * then what was given. Errors are written as type, message and stack under `err`.
 */
export function createLogger({ level, base, redact, destination, now }: LoggingOptions): Logger {
  const stream: DestinationStream = { write: (line) => void destination.write(redact(line)) }
  return pino(
    {
      level,
      base: { ...base },
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: neverLogged.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    stream,
  )
}
