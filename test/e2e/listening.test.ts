/** Programs without any probe, which begin to listen some time after their start or never, on the real engine. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'
import { startLoad } from '../support/load.ts'

const lab = new DaemonLab('listening')
const web = 'Deployment/default/web'
const odd = 'Deployment/default/odd'

/** Takes its time before it listens, as programs do that load something first. */
function slow(version: string): object {
  return app('web', {
    replicas: 2,
    spec: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    container: {
      command: ['sh', '-c', 'sleep 2; exec sh /stub.sh'],
      env: [
        { name: 'PORTS', value: '8080' },
        { name: 'VERSION', value: version },
      ],
    },
  })
}

beforeAll(async () => {
  await lab.write({ 'web.yaml': [slow('1'), service('web')] })
  await lab.start()
  await lab.untilHealthy(web)
})

afterAll(async () => {
  await lab.remove()
})

async function untilVersion(version: string): Promise<void> {
  await lab.until(`version ${version} everywhere`, async () => {
    const { healthy, pods } = await lab.workload(web)
    if (!healthy) return undefined
    const found = await Promise.all(pods.map((pod) => lab.exec(pod, 'app', 'echo $VERSION')))
    return found.every((each) => each === version) || undefined
  })
}

test('are rolled under load without losing a request, and say what they wait for meanwhile', async () => {
  const { clusterIP } = await lab.service('Service/default/web')
  const load = startLoad(`http://${clusterIP}/`)
  await lab.write({ 'web.yaml': [slow('2'), service('web')] })
  await lab.until('a new pod waits, and says for what', async ({ workloads }) => {
    const { message = '', pods = [] } = workloads.find(({ key }) => key === web) ?? {}
    const waiting = pods.find(({ ready, terminating }) => !ready && !terminating)
    const labels = `namespace="default",pod="${waiting?.name}",uid="${waiting?.uid}"`
    const unready = await lab.metric(`kube_pod_status_ready{${labels},condition="false"}`)
    return message.includes('app: waiting for port 8080 to listen') && unready === 1
  })
  await untilVersion('2')
  const { ok, failed } = await load.stop()
  expect(failed).toEqual([])
  expect(ok).toBeGreaterThan(100)
})

test('stay ready when the daemon is killed and started again, and are not asked again', async () => {
  const before = await lab.pods(web)
  const { clusterIP } = await lab.service('Service/default/web')
  const load = startLoad(`http://${clusterIP}/`)
  await lab.kill()
  await lab.start()
  await lab.untilHealthy(web)
  expect((await load.stop()).failed).toEqual([])
  const kept = (pods: typeof before) => pods.map(({ uid, readySince }) => ({ uid, readySince }))
  expect(kept(await lab.pods(web))).toEqual(kept(before))
})

test('a declared port that nobody listens on delays them for 10 s and never blocks', async () => {
  const ports = [{ containerPort: 8080 }, { name: 'metrics', containerPort: 9113 }]
  await lab.write({ 'odd.yaml': [app('odd', { container: { ports } })] })
  const waiting = await lab.until('it waits for one port alone', ({ workloads }) =>
    workloads.find(({ key, message }) => key === odd && message.includes('waiting for port 9113 to listen')),
  )
  expect(waiting.ready).toBe(0)
  await lab.untilHealthy(odd)
  const [pod] = await lab.pods(odd)
  expect(pod!.readySince - pod!.containers[0]!.startedAt).toBeGreaterThanOrEqual(10_000)
})
