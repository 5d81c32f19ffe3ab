/** The daemon as a child process, and waiting for what it says of itself. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ClusterStatus } from '../../src/reconcilers/status.ts'
import type { Place } from './place.ts'
import type { Shop } from './shop.ts'

export const TRIREME = fileURLToPath(new URL('../../bin/trireme', import.meta.url))
export const INTERVAL_SECONDS = 2

const STOP_MS = 15_000
const ASK_MS = 100
const ASK_LIMIT_MS = 10_000
/** Between a connection that breaks and the news that the process is gone: ms. */
const END_NOTICE_MS = 2_000
const TROUBLE = new Set(['warn', 'error', 'fatal'])
const MAX_WARNINGS = 12

/**
 * Runs a command until its own standard input ends, and then tells it to stop: so that the daemon ends with
 * the demo even when the demo is killed.
 */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- & child=$!
{ read -r _ <&3; kill $child; } >/dev/null 2>&1 & reader=$!
wait $child; code=$?
kill $reader 2>/dev/null
exit $code`

export interface Daemon {
  readonly url: string
  readonly logFile: string
  status(): Promise<ClusterStatus>
  /**
   * Asks until `seen` finds something in the status. Errors: when it does not within `timeoutMs`, with the
   * status and warnings of that moment; when the daemon ends; when `signal` aborts.
   */
  until<T>(what: string, seen: (status: ClusterStatus) => T | undefined | false | '', timeoutMs?: number): Promise<T>
  /** the last warnings and errors of its log */
  warnings(): readonly string[]
  /** Resolves once the process is gone. */
  stop(): Promise<void>
}

/** Resolves once the API listens. */
export async function startDaemon(place: Place, shop: Shop, signal: AbortSignal): Promise<Daemon> {
  const logFile = join(place.dir, 'daemon.log')
  const log = createWriteStream(logFile)
  const warnings: string[] = []
  const listening = Promise.withResolvers<string>()
  const ended = Promise.withResolvers<never>()
  // Each is raced against others, and nobody may be left to hear of it.
  for (const { promise } of [listening, ended]) promise.catch(() => undefined)

  // A session of its own: Ctrl-C is for the demo, which ends the daemon when it has no more use for it.
  const child = spawn('sh', ['-c', GUARD, 'sh', TRIREME, ...argumentsFor(place, shop)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.on('error', ended.reject)
  child.on('exit', (code, by) => {
    ended.reject(new Error(`the daemon ended (${by ?? `exit ${code}`})${list(warnings)}`))
    listening.reject(new Error(`the daemon ended before it listened (${by ?? `exit ${code}`})${list(warnings)}`))
  })
  const take = (line: string): void => {
    log.write(`${line}\n`)
    const { level, msg, url } = readLine(line)
    if (url !== '') listening.resolve(url)
    if (TROUBLE.has(level) && warnings.push(msg) > MAX_WARNINGS) warnings.shift()
  }
  createInterface({ input: child.stdout }).on('line', take)
  createInterface({ input: child.stderr }).on('line', take)

  async function stop(): Promise<void> {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.stdin.end()
      const late = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), STOP_MS)
      await exited
      clearTimeout(late)
    }
    log.end()
  }

  try {
    const url = await listening.promise
    const status = async (): Promise<ClusterStatus> => {
      try {
        const answer = await fetch(`${url}/api/v1/status`, {
          signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_LIMIT_MS)]),
        })
        return (await answer.json()) as ClusterStatus
      } catch (error) {
        // A daemon that has ended says more than a connection that has.
        await Promise.race([ended.promise, delay(END_NOTICE_MS, undefined, { signal })])
        throw new Error(`the daemon does not answer: ${error instanceof Error ? error.message : error}${list(warnings)}`)
      }
    }
    return {
      url,
      logFile,
      status,
      warnings: () => warnings,
      stop,
      async until(what, seen, timeoutMs = 60_000) {
        const deadline = performance.now() + timeoutMs
        for (;;) {
          const now = await status()
          const found = seen(now)
          if (found !== undefined && found !== false && found !== '') return found
          if (performance.now() > deadline)
            throw new Error(`${what}: not within ${timeoutMs / 1000} s${list(summarize(now))}${list(warnings)}`)
          await delay(ASK_MS, undefined, { signal })
        }
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function argumentsFor({ cluster, dataDir }: Place, { repo }: Shop): string[] {
  const flags = { repo, interval: `${INTERVAL_SECONDS}s`, cluster, 'data-dir': dataDir, listen: '127.0.0.1:0' }
  return ['run', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])]
}

function readLine(line: string): { level: string; msg: string; url: string } {
  try {
    const { level, msg, url } = JSON.parse(line) as { level: unknown; msg: unknown; url: unknown }
    return { level: String(level), msg: String(msg), url: typeof url === 'string' ? url : '' }
  } catch {
    // Not a line of the log: what the launcher or Node itself says when something is badly wrong.
    return { level: 'error', msg: line, url: '' }
  }
}

/** The status in a few lines, for messages of failure. */
export function summarize({ sources, workloads, services }: ClusterStatus): string[] {
  return [
    ...sources.flatMap(({ attempted, healthy, error, problems }) => [
      `source: attempted ${attempted.slice(0, 7)}, healthy ${healthy.slice(0, 7)}${error === '' ? '' : `, ${error}`}`,
      ...problems,
    ]),
    ...workloads.map(
      ({ name, ready, desired, updated, condition, message }) =>
        `${name}: ${ready}/${desired} ready, ${updated} updated, ${condition}${message === '' ? '' : `: ${message}`}`,
    ),
    ...services.map(({ name, condition, message }) => `${name}: ${condition}${message === '' ? '' : `: ${message}`}`),
  ]
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `\n    ${line}`).join('')
}
