/** Runs the command line with captured output and dependencies that answer from values. */
import type { Deps, Output } from '../../src/cli/deps.ts'
import { runCli } from '../../src/cli/program.ts'
import { epochMs } from './status.ts'

export interface CliRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export function capture(isTTY = false): Output & { readonly text: () => string } {
  const written: string[] = []
  return { write: (text) => written.push(text), isTTY, columns: 120, text: () => written.join('') }
}

/** `change` replaces dependencies; the rest refuses to be called. */
export async function runWith(argv: readonly string[], change: Partial<Deps> = {}): Promise<CliRun> {
  const stdout = capture()
  const stderr = capture()
  const unexpected = (name: string) => () => {
    throw new Error(`${name} was not expected`)
  }
  const deps: Deps = {
    version: '0.1.0',
    env: {},
    home: '/home/ada',
    root: false,
    stdout,
    stderr,
    signal: new AbortController().signal,
    now: () => epochMs + 600_000,
    sleep: async () => undefined,
    request: (url, init) => fetch(url, init),
    readText: unexpected('readText'),
    startDaemon: unexpected('startDaemon'),
    computePlan: unexpected('computePlan'),
    validatePaths: unexpected('validatePaths'),
    teardown: unexpected('teardown'),
    diagnose: unexpected('diagnose'),
    ...change,
  }
  const code = await runCli(argv, deps)
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}
