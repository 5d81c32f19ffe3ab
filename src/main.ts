/** Composition root: the only place that reads the environment, the clock and the signals. */
import { generateKeyPair, randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { promisify } from 'node:util'
import { runCli } from './cli/program.ts'
import type { Config } from './config.ts'
import { startDaemon } from './controller/daemon.ts'
import { diagnose } from './controller/doctor.ts'
import type { Edges } from './controller/edges.ts'
import { validatePaths } from './controller/offline.ts'
import { previewPlan } from './controller/preview.ts'
import { makeSource } from './controller/source.ts'
import { teardown } from './controller/teardown.ts'
import { keepHeapSmall } from './heap.ts'
import { createLogger } from './logging.ts'
import { dockerEngine } from './runtime/docker/engine.ts'
import { NODE_IMAGE } from './runtime/images.ts'
import { createProbeRunner } from './runtime/probes/action.ts'
import { pause, type Timers } from './runtime/timers.ts'
import { openStore } from './store/sqlite.ts'

const ENGINE_TIMEOUT_MS = 30_000
const TOKEN_KEY_BITS = 2048

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort())
// A reader that goes away (`trireme status | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const timers: Timers = { setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) }
const now = (): number => Date.now()

async function generateTokenKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: TOKEN_KEY_BITS })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function edgesFor(config: Config): Edges {
  return {
    version,
    now,
    timers,
    random: Math.random,
    randomBytes: (bytes) => randomBytes(bytes),
    uuid: randomUUID,
    generateTokenKey,
    environment: process.env,
    readText: (path) => readFile(path, 'utf8'),
    logger: ({ redactOwn }) =>
      createLogger({
        level: config.logLevel,
        base: { cluster: config.cluster },
        redact: redactOwn,
        destination: process.stdout,
        now,
      }),
    openEngine: ({ docker }, node) => dockerEngine({ host: docker, node, timeoutMs: ENGINE_TIMEOUT_MS }),
    openSource: (chosen) => makeSource(chosen, { now, environment: process.env }),
    openStore,
    probeRunner: createProbeRunner,
    nodeImage: NODE_IMAGE,
    signal: interrupted.signal,
  }
}

process.exitCode = await runCli(process.argv.slice(2), {
  version,
  env: process.env,
  home: homedir(),
  root: process.getuid?.() === 0,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
  now,
  sleep: (ms, signal) => pause(timers, ms, signal),
  request: (url, init) => fetch(url, init),
  readText: (path) => readFile(path, 'utf8'),
  startDaemon: async (config) => {
    const daemon = await startDaemon(config, edgesFor(config))
    const { gc } = globalThis
    // The last resort is the one that gives pages back.
    const collect = (): void => void gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    if (gc !== undefined) keepHeapSmall({ timers, used: () => process.memoryUsage().heapUsed, collect })
    process.on('SIGHUP', () => void daemon.sync())
    return daemon.done
  },
  computePlan: (config) => previewPlan(config, edgesFor(config)),
  validatePaths: (paths, options) =>
    validatePaths(paths, options, { now, path: process.env.PATH ?? '', signal: interrupted.signal }),
  teardown: (config, options) => teardown(config, options, edgesFor(config)),
  diagnose: (config) => diagnose(config, edgesFor(config)),
})
process.exit()
