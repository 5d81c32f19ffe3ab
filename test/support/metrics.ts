import type { Metrics } from '../../src/metrics/metrics.ts'

/** One of each thing that can be told, so that every metric has a sample. */
export function tellEverything(metrics: Metrics): void {
  metrics.gitPoll('shop', 'changed', 0.2)
  metrics.gitPoll('shop', 'failed', 1)
  metrics.render('shop', 'ok', 0.1)
  metrics.plan('Deployment', 0.001)
  metrics.sync('shop', 'healthy')
  metrics.step('create', 'ok', 0.2, 'removed')
  metrics.step('pull', 'failed', 3)
  metrics.drift('routes')
  metrics.rollout('complete', 4)
  metrics.event('Warning', 'FailedPull')
  metrics.commitToHealthy('shop', 12)
  metrics.queueDepth(3)
  metrics.queueRetry()
  metrics.engineCall('alpha', 'createContainer', 'ok', 0.1)
  metrics.engineCall('alpha', 'startContainer', 'failed', 0.1)
}

/** The whole text of a scrape. */
export async function scrapeOf(metrics: Pick<Metrics, 'metrics'>): Promise<string> {
  return (await Array.fromAsync(metrics.metrics())).join('')
}
