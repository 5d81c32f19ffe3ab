import { createColors } from 'picocolors'
import { expect, test } from 'vitest'
import { renderStatus } from '../../../src/cli/statustables.ts'
import type { WorkloadStatus } from '../../../src/reconcilers/status.ts'
import { cluster, cronJobStatus, epochMs, jobStatus, workload } from '../../support/status.ts'

const options = { now: epochMs + 120_000, columns: undefined, ink: createColors(false) }

/** Cells of the row that begins with a namespace and a name. */
function rowOf(name: string, one: WorkloadStatus): string[] {
  const text = renderStatus(cluster({ workloads: [one] }), options)
  const line = text.split('\n').find((each) => each.includes(` ${name} `)) ?? ''
  return line.trim().split(/\s{2,}/)
}

test('a Job has its own table: how far it is, and how long it has taken', () => {
  const running = workload({ kind: 'Job', name: 'sums', condition: 'Progressing', job: jobStatus({ succeeded: 1, active: 2 }) })
  expect(rowOf('sums', running)).toEqual(['shop', 'sums', '1/3', '2', '0', '2m', '2m', 'Progressing'])
  const done = workload({
    kind: 'Job',
    name: 'done',
    condition: 'Complete',
    job: jobStatus({ completions: 0, succeeded: 1, endedAt: epochMs + 30_000 }),
  })
  expect(rowOf('done', done)).toEqual(['shop', 'done', '1', '0', '0', '30s', '2m', 'Complete'])
})

test('a CronJob says when it ran and when it runs next', () => {
  const tick = workload({ kind: 'CronJob', name: 'tick', condition: 'Scheduled', cronJob: cronJobStatus({ active: 1 }) })
  expect(rowOf('tick', tick)).toEqual(['shop', 'tick', '*/5 * * * *', 'UTC', '1', '60s ago', 'in 3m', '2m', 'Scheduled'])
})

test('neither is among the workloads that serve', () => {
  const text = renderStatus(cluster({ workloads: [workload({ kind: 'Job', name: 'sums', job: jobStatus() })] }), options)
  expect(text).not.toContain('UP-TO-DATE')
})
