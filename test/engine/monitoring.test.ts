/** The shipped Prometheus configuration, rules and dashboard, against a real Prometheus that scrapes a real API server. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Api, startApi } from '../../src/api/server.ts'
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts'
import { runningContainers } from '../../src/metrics/usage.ts'
import type { ClusterStatus } from '../../src/reconcilers/status.ts'
import { scrapeOf, tellEverything } from '../support/metrics.ts'
import { busyCluster, cluster, source } from '../support/status.ts'

const folder = join(import.meta.dirname, '../../manifests/monitoring')
const rulesFile = join(folder, 'rules.yaml')

interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
}
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly targets?: readonly { readonly expr: string }[]
}
interface Dashboard {
  readonly panels: readonly Panel[]
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
}
interface Answer {
  readonly status: string
  readonly error?: string
  readonly warnings?: readonly string[]
  readonly data: { readonly result: readonly { readonly metric: Record<string, string> }[] }
}

const rules = (load(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules)
const alerts = rules.filter((rule) => rule.alert)
const dashboard = JSON.parse(readFileSync(join(folder, 'dashboard.json'), 'utf8')) as Dashboard
const panelQueries = dashboard.panels.flatMap((panel) =>
  (panel.targets ?? []).map(({ expr }) => ({ title: panel.title, expr: substitute(expr) })),
)
const annotationQueries = dashboard.annotations.list.map(({ expr }) => ({ title: 'annotation', expr: substitute(expr) }))

let status: () => ClusterStatus
let metrics: Metrics
let api: Api
let prometheus: ChildProcess
let base: string
let work: string

beforeAll(async () => {
  status = healthy
  metrics = createMetrics({ version: '0.1.0', status: () => status(), usage: () => usage(status()) })
  tellEverything(metrics)
  api = await startApi(
    {
      registry: metrics,
      status: () => status(),
      events: () => [],
      logs: async function* () {},
      condition: () => undefined,
      sync: () => undefined,
      health: () => [],
      ready: () => [],
      openid: { discovery: () => ({}), keys: async () => ({}) },
      webhookSecret: '',
      failed: (error) => {
        throw error
      },
    },
    { host: '127.0.0.1', port: 0 },
  )
  work = mkdtempSync(join(tmpdir(), 'trireme-prometheus-'))
  const port = await freePort()
  base = `http://127.0.0.1:${port}`
  prometheus = startPrometheus(port)
  // A recorded rate has a value from the second scrape on.
  await until('Prometheus has scraped twice', async () => {
    const missing = await missingNames()
    return missing.includes('trireme:engine_call_errors:ratio5m') || missing.length === usedNames().length
      ? missing.join(', ')
      : ''
  })
})

afterAll(async () => {
  if (prometheus?.exitCode === null) {
    prometheus.kill('SIGTERM')
    await once(prometheus, 'exit')
  }
  await api?.close()
  if (work) rmSync(work, { recursive: true, force: true })
})

describe('what is scraped', () => {
  test('passes promtool check metrics, for a healthy and for a troubled cluster', async () => {
    for (const each of [healthy, busy]) {
      status = each
      const { status: exitCode, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await scrapeOf(metrics) })
      expect(`${stdout}${stderr}`).toBe('')
      expect(exitCode).toBe(0)
    }
    status = healthy
  })
})

describe('rules', () => {
  test('pass promtool', () => {
    for (const check of [
      ['check', 'rules', rulesFile],
      ['check', 'config', join(folder, 'prometheus.yaml')],
    ]) {
      const { status: exitCode, stderr } = spawnSync('promtool', check)
      expect(`${exitCode} ${stderr}`).toBe('0 ')
    }
  })

  test.each(rules)('$alert$record evaluates', async ({ expr }) => {
    expect(problemsOf(await query(expr))).toEqual([])
  })

  test('are evaluated by Prometheus itself without an error', async () => {
    await until('every rule is evaluated', async () => {
      const loaded = await loadedRules()
      const open = loaded.filter(({ health }) => health === 'unknown')
      return loaded.length === rules.length && open.length === 0 ? '' : `${open.length} of ${loaded.length} not evaluated`
    })
    const failing = (await loadedRules()).filter(({ health }) => health !== 'ok')
    expect(failing).toEqual([])
  })

  test('are silent about a healthy cluster and name what is wrong with a troubled one', async () => {
    // A fresh time series is told by rates only after two scrapes, so what is counted is not part of this.
    const byState = alerts.filter(({ expr }) => !/increase\(|rate\(|changes\(|ratio5m|queue_depth/.test(expr))
    expect(await firing(byState)).toEqual([])
    status = busy
    const expected = [
      'KubeContainerMemoryNearLimit',
      'KubeDeploymentRolloutStuck',
      'KubeImagePullBackOff',
      'KubeJobFailed',
      'KubePodCrashLooping',
      'KubePodNotReady',
      'TriremeEngineUnreachable',
      'TriremeManifestsRefused',
      'TriremePruneHeld',
      'TriremeRevisionNotHealthy',
      'TriremeServiceNotServed',
    ]
    await until('the trouble is scraped', async () => {
      const missing = expected.filter((name) => !byState.some(({ alert }) => alert === name))
      if (missing.length > 0) throw new Error(`no such alerts: ${missing.join(', ')}`)
      const names = await firing(byState)
      return JSON.stringify(names) === JSON.stringify(expected) ? '' : `firing: ${names.join(', ')}`
    })
  })
})

describe('dashboard', () => {
  test.each(panelQueries)('$title: $expr', async ({ expr }) => {
    expect(problemsOf(await query(expr))).toEqual([])
  })

  test('annotations evaluate', async () => {
    for (const { expr } of annotationQueries) expect(problemsOf(await query(expr))).toEqual([])
  })

  test('panels have ids of their own and do not overlap', () => {
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })
})

test('every metric that a rule or panel names is known to Prometheus', async () => {
  status = busy
  await until('all are known', async () => (await missingNames()).join(', '))
  expect(usedNames().length).toBeGreaterThan(40)
})

function healthy(): ClusterStatus {
  return cluster({ sources: [source({ lastFetch: Date.now() })] })
}

/** The busy cluster as if read just now, so that nothing but what it shows is wrong with it. */
function busy(): ClusterStatus {
  const status = busyCluster()
  return { ...status, sources: status.sources.map((each) => ({ ...each, lastFetch: Date.now() })) }
}

/** More memory in trouble than in health. */
function usage(of: ClusterStatus) {
  const memory = of.unenforced.length > 0 ? 130_000_000 : 60_000_000
  const stats = {
    cpuNanos: 5e9,
    memoryUsageBytes: memory,
    memoryWorkingSetBytes: memory,
    memoryRssBytes: memory,
    readAt: Date.now(),
  }
  return runningContainers(of.workloads).map((target) => ({ target, stats }))
}

/** The shipped configuration, at this server's port and at a test's pace. */
function startPrometheus(port: number): ChildProcess {
  const config = readFileSync(join(folder, 'prometheus.yaml'), 'utf8')
    .replace('127.0.0.1:9440', `127.0.0.1:${api.port}`)
    .replace('- rules.yaml', `- ${rulesFile}`)
    .replaceAll('15s', '1s')
  writeFileSync(join(work, 'prometheus.yaml'), config)
  const flags = [
    `--config.file=${join(work, 'prometheus.yaml')}`,
    `--storage.tsdb.path=${join(work, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ]
  const started = spawn('prometheus', flags, { stdio: ['ignore', 'ignore', 'inherit'] })
  started.on('error', (error) => {
    throw new Error(`cannot start prometheus (install the Debian package "prometheus"): ${error.message}`)
  })
  return started
}

async function query(expr: string): Promise<Answer> {
  const response = await fetch(`${base}/api/v1/query?${new URLSearchParams({ query: expr })}`)
  return (await response.json()) as Answer
}

function problemsOf(answer: Answer): readonly string[] {
  return answer.status === 'success' ? (answer.warnings ?? []) : [answer.error ?? 'failed']
}

async function firing(of: readonly Rule[]): Promise<string[]> {
  const answers = await Promise.all(of.map(async ({ alert = '', expr }) => ({ alert, answer: await query(expr) })))
  return answers
    .filter(({ answer }) => answer.data.result.length > 0)
    .map(({ alert }) => alert)
    .sort()
}

async function loadedRules(): Promise<{ readonly name: string; readonly health: string; readonly lastError?: string }[]> {
  const response = await fetch(`${base}/api/v1/rules`)
  const { data } = (await response.json()) as {
    data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
  }
  return data.groups.flatMap((group) => group.rules)
}

/** Names used and unknown to Prometheus; all of them while it does not answer. */
async function missingNames(): Promise<string[]> {
  const response = await fetch(`${base}/api/v1/label/__name__/values`).catch(() => undefined)
  if (!response?.ok) return usedNames()
  const { data } = (await response.json()) as { data: readonly string[] }
  return usedNames().filter((name) => !data.includes(name))
}

function usedNames(): string[] {
  const expressions = [...rules, ...panelQueries, ...annotationQueries].map(({ expr }) => expr)
  return [...new Set([...expressions.flatMap(namesIn), 'kube_pod_info'])].sort()
}

/** Metric names of an expression: what is left without strings, matchers, label lists, durations, functions and words. */
function namesIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
  const words = ['and', 'or', 'unless', 'bool', 'offset']
  return [...bare.matchAll(/(?<![\w.:])[a-z_][\w:]*(?![\w:]*\s*\()/gi)]
    .map(([name]) => name)
    .filter((name) => !words.includes(name))
}

/** As Grafana would, for an hour and all namespaces. */
function substitute(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '1h').replaceAll('$namespace', '.*')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Asks until the answer is `''`; fails with the last answer after a minute. */
async function until(what: string, check: () => Promise<string>): Promise<void> {
  const deadline = Date.now() + 60_000
  let open = await check()
  while (open !== '') {
    if (Date.now() > deadline) throw new Error(`waited a minute until ${what}: ${open}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
    open = await check()
  }
}
