import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMetrics } from '../../../src/metrics/metrics.ts'
import { runningContainers } from '../../../src/metrics/usage.ts'
import { scrapeOf, tellEverything } from '../../support/metrics.ts'
import { busyCluster, cluster, workload } from '../../support/status.ts'

const stats = { cpuNanos: 2.5e9, memoryUsageBytes: 30, memoryWorkingSetBytes: 20, memoryRssBytes: 10, readAt: 1_000 }

function busyMetrics() {
  const usage = () => runningContainers(busyCluster().workloads).map((target) => ({ target, stats }))
  const metrics = createMetrics({ version: '0.1.0', status: busyCluster, usage })
  tellEverything(metrics)
  return metrics
}

/** Lines of a metric, without the comments. */
function linesOf(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

test('what the loop tells is counted', async () => {
  const text = await scrapeOf(busyMetrics())
  for (const line of [
    'trireme_git_polls_total{source="shop",result="failed"} 1',
    'trireme_git_fetch_failures_total{source="shop"} 1',
    'trireme_git_fetch_duration_seconds_count{source="shop"} 2',
    'trireme_steps_total{op="create",result="ok"} 1',
    'trireme_steps_total{op="pull",result="failed"} 1',
    'trireme_step_duration_seconds_sum{op="pull"} 3',
    'trireme_drift_total{kind="removed"} 1',
    'trireme_events_total{type="Warning",reason="FailedPull"} 1',
    'trireme_drift_total{kind="routes"} 1',
    'trireme_drift_total{kind="files"} 0',
    'trireme_rollouts_total{result="complete"} 1',
    'trireme_rollouts_total{result="deadlineExceeded"} 0',
    'trireme_sync_total{source="shop",result="healthy"} 1',
    'trireme_commit_to_healthy_seconds_bucket{le="20",source="shop"} 1',
    'trireme_commit_to_healthy_seconds_bucket{le="10",source="shop"} 0',
    'trireme_queue_depth 3',
    'trireme_queue_retries_total 1',
    'trireme_engine_call_duration_seconds_count{node="alpha",op="startContainer",result="failed"} 1',
  ])
    expect(text.split('\n')).toContain(line)
})

test('use of containers is under the names and units of cAdvisor', async () => {
  const text = await scrapeOf(busyMetrics())
  const of = 'node="alpha",namespace="shop",pod="web-7c9f-x2k1q",container="app",image="registry.example/web:2"'
  expect(linesOf(text, 'container_cpu_usage_seconds_total')).toEqual([`container_cpu_usage_seconds_total{${of},cpu="total"} 2.5`])
  expect(linesOf(text, 'container_memory_working_set_bytes')).toEqual([`container_memory_working_set_bytes{${of}} 20`])
})

test('what is gone from the status is gone from the next scrape, and counters do not add up over scrapes', async () => {
  let status = busyCluster()
  const metrics = createMetrics({ version: '0.1.0', status: () => status })
  const restarts = async () =>
    linesOf(await scrapeOf(metrics), 'kube_pod_container_status_restarts_total').filter((line) => line.includes('cart-9-b1'))
  const first = await restarts()
  expect(first).toEqual([expect.stringMatching(/ 4$/)])
  expect(await restarts()).toEqual(first)
  status = cluster({ workloads: [workload({ pods: [] })] })
  expect(await restarts()).toEqual([])
})

test('two daemons in one process share nothing', async () => {
  const one = createMetrics({ version: '1', status: cluster })
  const two = createMetrics({ version: '2', status: cluster })
  one.queueRetry()
  expect(linesOf(await scrapeOf(two), 'trireme_queue_retries_total')).toEqual(['trireme_queue_retries_total 0'])
})

test('docs/metrics.md lists every metric with its type, and no other', async () => {
  const text = await scrapeOf(busyMetrics())
  const exported = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`)
  const docs = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
  const listed = [...docs.matchAll(/^\| `([^`]+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`)
  expect(listed.sort()).toEqual(exported.sort())
})

test('docs/metrics.md lists the labels of every sample', async () => {
  const docs = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
  const listed = new Map(
    [...docs.matchAll(/^\| `([^`]+)` \| \w+ \| ([^|]*) \|/gm)].map(([, name = '', labels = '']) => [name, labels]),
  )
  const text = await scrapeOf(busyMetrics())
  const undocumented = text.split('\n').flatMap((line) => {
    const [, series = '', labels = ''] = /^(\w+)\{(.*)\} \S+$/.exec(line) ?? []
    const name = listed.has(series) ? series : series.replace(/_(bucket|sum|count)$/, '')
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => (label.startsWith('label_') ? 'label_*' : label))
    return names
      .filter((label) => label !== 'le' && !listed.get(name)?.includes(`\`${label}\``))
      .map((label) => `${name} ${label}`)
  })
  expect(undocumented).toEqual([])
})
