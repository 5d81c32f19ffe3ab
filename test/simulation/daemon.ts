/** One life of the real daemon in a simulated world: started, and ended by `kill -9` or a signal. */
import type { Config } from '../../src/config.ts'
import type { Edges } from '../../src/controller/edges.ts'
import { type Life, live } from '../../src/controller/life.ts'
import { clusterStatus } from '../../src/controller/report.ts'
import type { Source } from '../../src/git/source.ts'
import { createLogger } from '../../src/logging.ts'
import { createMetrics } from '../../src/metrics/metrics.ts'
import type { ClusterStatus } from '../../src/reconcilers/status.ts'
import type { Engine } from '../../src/runtime/engine.ts'
import { createTokenSigner } from '../../src/runtime/tokens.ts'
import { createVault } from '../../src/runtime/vault.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { loadTokenKey } from '../../src/store/tokenkey.ts'
import { ISSUER, tokenKey } from '../support/tokens.ts'
import { NAMESPACE } from './application.ts'
import type { Chance } from './chance.ts'
import type { VirtualClock } from './clock.ts'
import { mortalEngine, mortalSource, mortalTimers, type Witness } from './mortal.ts'

export const CLUSTER = 'sim'
export const SUBNET = '10.88.0.0/16'

export interface DaemonWorld {
  readonly clock: VirtualClock
  readonly chance: Chance
  readonly engine: Engine
  readonly source: Source
  readonly dataDir: string
  readonly probeRunner: Edges['probeRunner']
  readonly witness: Witness
  /** between the store's file and the daemon: where the disk is full */
  readonly wrapStore: (store: Store) => Store
  readonly log: (line: string) => void
}

export interface Daemon {
  readonly store: Store
  readonly life: Life
  status(): ClusterStatus
  isAlive(): boolean
  /** of a daemon that ended by itself or was told to */
  exitCode(): number | undefined
  /** `kill -9`: nothing it was about to do is done */
  kill(): void
  /** SIGTERM */
  terminate(): void
}

/** Errors: what `openStore` throws. */
export function startDaemon(world: DaemonWorld): Daemon {
  const { clock } = world
  const chance = world.chance.fork()
  const death = new AbortController()
  const signal = new AbortController()
  const config = configOf(world.dataDir)
  const opened = openStore({ dir: world.dataDir, now: clock.now, random: chance.bytes, onNotice: world.log })
  const store = world.wrapStore(opened)
  const vault = createVault(store.digestKey())
  const destination = { write: world.log }
  const logger = createLogger({ level: 'info', base: {}, redact: vault.redactOwn, destination, now: clock.now })
  const engine = mortalEngine(world.engine, death.signal, world.witness)
  const edges: Edges = {
    version: 'simulated',
    now: clock.now,
    timers: mortalTimers(clock.timers, death.signal),
    random: chance.next,
    randomBytes: chance.bytes,
    uuid: chance.uuid,
    generateTokenKey: tokenKey,
    environment: {},
    readText: () => Promise.reject(new Error('nothing is read')),
    logger: () => logger,
    openEngine: () => engine,
    openSource: () => mortalSource(world.source, death.signal),
    openStore,
    probeRunner: world.probeRunner,
    nodeImage: 'node:sim',
    signal: signal.signal,
  }
  const tokens = createTokenSigner({
    issuer: () => ISSUER,
    loadKey: () => loadTokenKey(world.dataDir, edges, world.log),
    uuid: chance.uuid,
  })
  let life: Life | undefined
  const status = (): ClusterStatus => clusterStatus(config, edges, 0, life?.running(), 'starting')
  const metrics = createMetrics({ version: 'simulated', status, usage: () => [] })
  let exitCode: number | undefined
  const started = live(config, edges, { store, vault, tokens, metrics, log: logger })
  life = started
  const close = (): void => {
    death.abort()
    opened.close()
  }
  const ended = (code: number): void => {
    exitCode = code
    if (!death.signal.aborted) close()
  }
  // As `main.ts` has it: what nobody expected ends the process, and its supervisor starts it again.
  started.done.then(ended, (error: unknown) => {
    world.log(
      JSON.stringify({ level: 'fatal', msg: 'the daemon ends', error: error instanceof Error ? error.stack : String(error) }),
    )
    ended(1)
  })
  return {
    store,
    life: started,
    status,
    isAlive: () => !death.signal.aborted,
    exitCode: () => exitCode,
    kill: close,
    terminate: () => signal.abort(),
  }
}

function configOf(dataDir: string): Config {
  return {
    source: { kind: 'git', name: 'world', url: 'file:///world.git', branch: 'main', path: '.' },
    intervalMs: 15_000,
    docker: 'unix:///simulated',
    dataDir,
    seccompProfileRoot: dataDir,
    listen: { host: '127.0.0.1', port: 0 },
    cluster: CLUSTER,
    once: false,
    podCidr: SUBNET,
    domain: 'cluster.local',
    namespace: 'default',
    prune: { enabled: true, maxShare: 1, confirm: '' },
    allow: { [NAMESPACE]: ['hostPath'] },
    nodeLabels: {},
    nodeTaints: [],
    nodeResources: {},
    nodeAllocatable: {},
    git: { timeoutMs: 60_000 },
    render: { allowRemote: false },
    logLevel: 'info',
  }
}
