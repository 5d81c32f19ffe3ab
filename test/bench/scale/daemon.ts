/** The whole daemon in this process: everything of it is real but the engine, the source and what probes ask. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Config } from '../../../src/config.ts'
import type { Running } from '../../../src/controller/assemble.ts'
import type { Edges } from '../../../src/controller/edges.ts'
import { live } from '../../../src/controller/life.ts'
import { clusterStatus } from '../../../src/controller/report.ts'
import type { Source } from '../../../src/git/source.ts'
import { createLogger } from '../../../src/logging.ts'
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts'
import type { ClusterStatus } from '../../../src/reconcilers/status.ts'
import type { Engine } from '../../../src/runtime/engine.ts'
import { createVault } from '../../../src/runtime/vault.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import { testSigner, tokenKey } from '../../support/tokens.ts'

export interface ScaleDaemon {
  running(): Running | undefined
  readonly metrics: Metrics
  status(): ClusterStatus
  stop(): Promise<void>
}

export interface DaemonOptions {
  readonly engine: Engine
  readonly source: Source
  readonly dataDir: string
  readonly subnet: string
  /** told how long each pass took, s */
  readonly passed: (kind: string, seconds: number) => void
}

export function startDaemon({ engine, source, dataDir, subnet, passed }: DaemonOptions): ScaleDaemon {
  const config = configOf(dataDir, subnet)
  const stopping = new AbortController()
  const now = Date.now
  const store = openStore({ dir: dataDir, now, random: randomBytes, onNotice: () => undefined })
  const vault = createVault(store.digestKey())
  const log = createLogger({ level: 'info', base: {}, redact: vault.redact, destination: { write: trouble }, now })
  const edges: Edges = {
    version: 'scale',
    now,
    timers: { setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
    random: Math.random,
    randomBytes,
    uuid: randomUUID,
    generateTokenKey: tokenKey,
    environment: {},
    readText: () => Promise.reject(new Error('nothing is read')),
    logger: () => log,
    openEngine: () => engine,
    openSource: () => source,
    openStore,
    probeRunner: () => async () => ({ ok: true, answer: 'HTTP 200' }),
    nodeImage: 'node:scale',
    signal: stopping.signal,
  }
  const status = (): ClusterStatus => clusterStatus(config, edges, now(), life.running(), 'starting')
  const turn = () => new Promise<void>((resolve) => void setTimeout(resolve, 0))
  const told = createMetrics({ version: 'scale', status, usage: () => life.running()?.usage.samples() ?? [], turn })
  const plan: Metrics['plan'] = (kind, seconds) => {
    passed(kind, seconds)
    told.plan(kind, seconds)
  }
  const metrics = { ...told, plan }
  const life = live(config, edges, { store, vault, tokens: testSigner(randomUUID), metrics, log })
  return {
    running: life.running,
    metrics,
    status,
    async stop() {
      stopping.abort()
      await life.done
      store.close()
    },
  }
}

/** Lines are made as always; only what is wrong is shown. */
function trouble(line: string): void {
  if (!line.startsWith('{"level":"info"')) process.stderr.write(line)
}

function configOf(dataDir: string, podCidr: string): Config {
  return {
    source: { kind: 'git', name: 'scale', url: 'file:///scale.git', branch: 'main', path: '.' },
    intervalMs: 600_000,
    docker: 'unix:///scale',
    dataDir,
    seccompProfileRoot: dataDir,
    listen: { host: '127.0.0.1', port: 0 },
    cluster: 'scale',
    once: false,
    podCidr,
    domain: 'cluster.local',
    namespace: 'default',
    prune: { enabled: true, maxShare: 1, confirm: '' },
    allow: {},
    nodeLabels: {},
    nodeTaints: [],
    nodeResources: {},
    // A real node has as much for a share of these pods; here one stands for all of them.
    nodeAllocatable: { cpuMillis: 1e9, memoryBytes: 2 ** 50 },
    git: { timeoutMs: 60_000 },
    render: { allowRemote: false },
    logLevel: 'info',
  }
}
