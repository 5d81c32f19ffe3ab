/** Jobs and CronJobs on a real engine: run to their end, once, whatever happens to the daemon meanwhile. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { STUB } from '../support/apps.ts'
import { DaemonLab, workloadIn } from '../support/daemon.ts'

const lab = new DaemonLab('jobs')
/** A CronJob of every minute is due within one; then there is a pod to make. */
const MINUTE_MS = 90_000

function jobSpec(script: string, spec: object = {}): object {
  const container = { name: 'app', image: STUB, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', script] }
  const template = { metadata: { labels: { app: 'job' } }, spec: { restartPolicy: 'Never', containers: [container] } }
  return { ...spec, template }
}

function job(name: string, script: string, spec: object = {}): object {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace: 'default' }, spec: jobSpec(script, spec) }
}

const cronJob = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'tick', namespace: 'default' },
  spec: { schedule: '* * * * *', concurrencyPolicy: 'Forbid', jobTemplate: { spec: jobSpec('echo tick; sleep 5') } },
}

const sums = job('sums', 'echo sum $JOB_COMPLETION_INDEX of $(hostname); sleep 2', {
  completions: 3,
  parallelism: 2,
  completionMode: 'Indexed',
})
const broken = job('migrate', 'echo no such table; exit 3', { backoffLimit: 1 })
const brief = job('brief', 'sleep 3', { ttlSecondsAfterFinished: 1 })

beforeAll(async () => {
  await lab.write({ 'cron.yaml': [cronJob], 'sums.yaml': [sums], 'migrate.yaml': [broken], 'brief.yaml': [brief] })
  await lab.start()
})

afterAll(() => lab.remove())

/** Jobs that the CronJob has made, and how many pods were ever made for each. */
async function ticks(): Promise<Map<string, number>> {
  const made = (await lab.events()).filter(
    ({ object, reason }) => object.startsWith('Job/default/tick-') && reason === 'SuccessfulCreate',
  )
  const byJob = Map.groupBy(made, ({ object }) => object)
  return new Map([...byJob].map(([key, events]) => [key, events.reduce((sum, { count }) => sum + count, 0)]))
}

test('three completions, two at once, each told its index; and their logs can be read when all are over', async () => {
  let most = 0
  const done = await lab.until('sums complete', (status) =>
    workloadIn(status, 'Job/default/sums', ({ condition, job: state }) => {
      most = Math.max(most, state?.active ?? 0)
      return condition === 'Complete'
    }),
  )
  expect(most).toBe(2)
  expect(done).toMatchObject({ healthy: true, job: { succeeded: 3, failed: 0, succeededIndexes: '0-2', active: 0 } })
  const logs = await lab.trireme('logs', 'job/sums', '--server', lab.url)
  expect(
    [0, 1, 2].filter((index) => logs.output.includes(`sum ${index} of sums-${index}`)),
    logs.output,
  ).toEqual([0, 1, 2])
  await lab.untilTrue('no address is held by what is over', async () => {
    const filters = ['trireme.owner=Job/default/sums', `trireme.cluster=${lab.cluster}`].flatMap((label) => [
      '--filter',
      `label=${label}`,
    ])
    return (await lab.docker('ps', '-q', ...filters)) === ''
  })
})

test('a Job whose time to live is over leaves nothing, and a daemon that is killed and comes back does not run it again', async () => {
  const isOver = async () => (await lab.containers('trireme.owner=Job/default/brief')).length === 0
  await lab.until('brief complete', (status) =>
    workloadIn(status, 'Job/default/brief', ({ condition }) => condition === 'Complete'),
  )
  await lab.untilTrue('its pod is gone', isOver)
  await lab.kill()
  await lab.start()
  const again = await lab.until('brief known', (status) => workloadIn(status, 'Job/default/brief', () => true))
  expect(again).toMatchObject({ condition: 'Complete', healthy: true, pods: [] })
  expect(await isOver()).toBe(true)
})

test('one that fails is tried again, then says why; and another template runs it anew', async () => {
  const failed = await lab.until('migrate failed', (status) =>
    workloadIn(
      status,
      'Job/default/migrate',
      ({ job: state, message }) => state?.result === 'Failed' && message.includes('no such table'),
    ),
  )
  expect(failed).toMatchObject({ condition: 'Failed', healthy: false, job: { failed: 2, reason: 'BackoffLimitExceeded' } })
  expect(failed.pods.map(({ phase }) => phase)).toEqual(['Failed', 'Failed'])
  await lab.write({ 'migrate.yaml': [job('migrate', 'echo mended', { backoffLimit: 1 })] })
  const mended = await lab.untilHealthy('Job/default/migrate')
  expect(mended).toMatchObject({ condition: 'Complete', job: { succeeded: 1, failed: 0 } })
  expect(mended.pods).toHaveLength(1)
})

test(
  'a CronJob runs each minute once, though the daemon is killed in the middle of it',
  async () => {
    const running = await lab.until(
      'a tick runs',
      ({ workloads }) =>
        workloads.find(({ job: state, pods }) => state?.owner === 'CronJob/default/tick' && pods.some(({ ready }) => ready)),
      MINUTE_MS,
    )
    await lab.kill()
    await lab.start()
    const ended = await lab.until('it ends', (status) =>
      workloadIn(status, running.key, ({ condition }) => condition === 'Complete'),
    )
    expect(ended.pods).toHaveLength(1)
    expect([...(await ticks()).values()].every((pods) => pods === 1)).toBe(true)
    const cron = await lab.until('the CronJob knows', (status) =>
      workloadIn(status, 'CronJob/default/tick', ({ cronJob: state }) => (state?.lastSuccessAt ?? 0) > 0),
    )
    expect(cron).toMatchObject({ condition: 'Scheduled', healthy: true })
    expect(await lab.metric('kube_cronjob_status_last_successful_time{namespace="default",cronjob="tick"}')).toBeGreaterThan(0)
    const table = await lab.trireme('status', '--server', lab.url)
    expect(table.output).toMatch(/CRONJOB/)
  },
  2 * MINUTE_MS,
)

test('what left Git goes, with all that a CronJob has made', async () => {
  await lab.write({ 'cron.yaml': null })
  await lab.until('the CronJob is gone', ({ workloads }) => !workloads.some(({ name }) => name.startsWith('tick')))
  const owners = await lab.docker(
    'ps',
    '-a',
    '--filter',
    `label=trireme.cluster=${lab.cluster}`,
    '--format',
    '{{.Label "trireme.owner"}}',
  )
  expect(owners.split('\n').filter((owner) => owner.includes('tick'))).toEqual([])
})
