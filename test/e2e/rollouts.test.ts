/** Rollouts that stand still: paused ones, and ones that cannot finish and are scaled meanwhile. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'

const lab = new DaemonLab('rollouts')
const web = 'Deployment/default/web'

/** Ready at once, but never with the release `stuck`. */
function release(version: string, replicas: number, spec: object = {}): object {
  return app('web', {
    replicas,
    spec: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } }, ...spec },
    container: {
      readinessProbe: { exec: { command: ['test', version, '!=', 'stuck'] }, periodSeconds: 1 },
      env: [
        { name: 'PORTS', value: '8080' },
        { name: 'RELEASE', value: version },
      ],
    },
  })
}

beforeAll(async () => {
  await lab.write({ 'web.yaml': [release('1', 2)] })
  await lab.start()
  await lab.untilHealthy(web)
})

afterAll(async () => {
  await lab.remove()
})

/** How many running pods there are of each release, such as `1: 3, 2: 1`. */
async function releases(): Promise<string> {
  const pods = (await lab.pods(web)).filter(({ terminating }) => !terminating)
  const found = await Promise.all(pods.map((pod) => lab.exec(pod, 'app', 'echo $RELEASE')))
  const counts = Object.entries(Object.groupBy(found, (version) => version)).map(([version, all]) => `${version}: ${all?.length}`)
  return counts.sort().join(', ')
}

function untilReleases(wanted: string): Promise<void> {
  return lab.untilTrue(`the pods are ${wanted}`, async () => (await releases()) === wanted)
}

test('a paused Deployment scales with the template it had, and rolls once it is resumed', async () => {
  const before = (await lab.pods(web)).map(({ uid }) => uid)
  await lab.write({ 'web.yaml': [release('2', 3, { paused: true })] })
  const paused = await lab.until('it is paused and scaled', ({ workloads }) =>
    workloads.find(({ key, condition, ready }) => key === web && condition === 'Paused' && ready === 3),
  )
  expect(paused).toMatchObject({ updated: 0, healthy: false })
  expect(await releases()).toBe('1: 3')
  expect(paused.pods.map(({ uid }) => uid)).toEqual(expect.arrayContaining(before))
  await lab.write({ 'web.yaml': [release('2', 3)] })
  await lab.untilHealthy(web)
  await untilReleases('2: 3')
})

test('paused half way, a rollout stands still, and goes on when it is resumed', async () => {
  await lab.write({ 'web.yaml': [release('stuck', 3)] })
  await untilReleases('2: 2, stuck: 2')
  await lab.write({ 'web.yaml': [release('3', 3, { paused: true })] })
  await lab.until('it is paused', ({ workloads }) =>
    workloads.some(({ key, condition }) => key === web && condition === 'Paused'),
  )
  expect(await releases()).toBe('2: 2, stuck: 2')
  await lab.write({ 'web.yaml': [release('3', 3)] })
  await lab.untilHealthy(web)
  await untilReleases('3: 3')
})

test('a rollout that cannot finish is scaled in proportion, up and down, and the old pods go on serving', async () => {
  await lab.write({ 'web.yaml': [release('3', 4)] })
  await lab.untilHealthy(web)
  await lab.write({ 'web.yaml': [release('stuck', 4)] })
  await untilReleases('3: 3, stuck: 2')
  const serving = (await lab.pods(web)).filter(({ ready }) => ready).map(({ uid }) => uid)
  await lab.write({ 'web.yaml': [release('stuck', 9)] })
  await untilReleases('3: 6, stuck: 4')
  expect((await lab.pods(web)).map(({ uid }) => uid)).toEqual(expect.arrayContaining(serving))
  await lab.until('all old pods serve', ({ workloads }) => workloads.some(({ key, available }) => key === web && available === 6))
  await lab.write({ 'web.yaml': [release('stuck', 4)] })
  await untilReleases('3: 3, stuck: 2')
  await lab.write({ 'web.yaml': [release('4', 4)] })
  await lab.untilHealthy(web)
  await untilReleases('4: 4')
})
