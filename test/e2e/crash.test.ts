/** The daemon dies at any moment, loses its memory or its engine, or is started twice: what runs never notices. */
import { openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, configMap, secret, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'
import { startLoad } from '../support/load.ts'
import { Relay } from '../support/relay.ts'

const relay = new Relay()
const lab = new DaemonLab('crash', { source: 'git', through: relay.host })
const web = 'Deployment/default/web'
const other = 'Deployment/default/other'
const replicas = 3
let url = ''

function release(version: number): object[] {
  return [
    app('web', {
      replicas,
      spec: { strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } } },
      pod: {
        volumes: [
          { name: 'conf', configMap: { name: 'conf' } },
          { name: 'work', emptyDir: {} },
        ],
        terminationGracePeriodSeconds: 10,
      },
      image: 'trireme/demo:v1',
      container: {
        env: [
          { name: 'ROLE', value: 'api' },
          { name: 'RELEASE', value: String(version) },
        ],
        readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 1 },
        volumeMounts: [
          { name: 'conf', mountPath: '/conf' },
          { name: 'work', mountPath: '/work' },
        ],
      },
    }),
    service('web'),
    configMap('conf', { release: `release ${version}` }),
    app('other', {
      pod: { volumes: [{ name: 'keys', secret: { secretName: 'keys' } }] },
      container: { volumeMounts: [{ name: 'keys', mountPath: '/keys' }] },
    }),
    secret('keys', { token: 'kept' }),
  ]
}

beforeAll(async () => {
  await relay.open()
  await lab.init()
  const sha = await lab.write({ 'app.yaml': release(0) })
  await lab.start()
  await lab.untilRevision(sha)
  url = `http://${(await lab.service('Service/default/web')).clusterIP}/version`
})

afterAll(async () => {
  await lab.remove()
  await relay.remove()
})

/** Exactly what the application needs: nothing doubled, nothing left over. */
async function expectWhole(): Promise<void> {
  await lab.untilTrue('nothing is left over', async () => {
    const running = await lab.docker('ps', '-q', '--filter', `label=trireme.cluster=${lab.cluster}`)
    return running.split('\n').length === (replicas + 1) * 2 + 1 && (await lab.volumes()).length === replicas * 2 + 2
  })
  const pods = [...(await lab.pods(web)), ...(await lab.pods(other))]
  expect(pods).toHaveLength(replicas + 1)
  for (const pod of pods) {
    expect(await lab.containers(`io.kubernetes.pod.uid=${pod.uid}`, 'io.kubernetes.container.name=POD')).toHaveLength(1)
    expect(pod).toMatchObject({ ready: true, routed: true, terminating: false })
  }
}

/** Numbers in [0, 1) that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

test('killed twelve times during a rolling update under load, it ends in the same place and loses no request', async () => {
  const untouched = await lab.pods(other)
  const random = seeded(20_26)
  const load = startLoad(url)
  for (let round = 1; round <= 2; round += 1) {
    const sha = await lab.write({ 'app.yaml': release(round) })
    for (let kills = 0; kills < 6; kills += 1) {
      await new Promise((resolve) => setTimeout(resolve, random() * 1200))
      await lab.kill()
      await lab.start()
    }
    await lab.untilRevision(sha)
    const [pod] = await lab.pods(web)
    expect(await lab.exec(pod!, 'app', 'cat /conf/release; echo " $RELEASE"')).toBe(`release ${round} ${round}`)
  }
  const { ok, failed } = await load.stop()
  await expectWhole()
  expect((await lab.pods(other)).map(({ uid, restarts }) => ({ uid, restarts }))).toEqual([
    { uid: untouched[0]!.uid, restarts: 0 },
  ])
  expect(ok).toBeGreaterThan(100)
  expect(failed).toEqual([])
})

test('a restart without a commit disturbs nothing, and no request is lost', async () => {
  const before = await lab.containers()
  const ready = await lab.pods(web)
  const load = startLoad(url)
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await lab.kill(signal)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await lab.start()
    await lab.untilHealthy(web)
    await lab.until('the router is connected', ({ nodes }) => nodes[0]?.router.connected)
  }
  const { failed } = await load.stop()
  expect(failed).toEqual([])
  expect(await lab.containers()).toEqual(before)
  expect((await lab.pods(web)).map(({ uid, readySince }) => ({ uid, readySince }))).toEqual(
    ready.map(({ uid, readySince }) => ({ uid, readySince })),
  )
})

test('the application serves while no daemon runs, and what ended meanwhile is mended afterwards', async () => {
  await lab.kill()
  const killed = (await lab.containers('io.kubernetes.container.name=app', 'trireme.owner=Deployment/default/other'))[0]!
  await lab.docker('kill', killed)
  const load = startLoad(url)
  await lab.untilTrue('the Service goes on', async () => load.ok() > 20)
  const { ok, failed } = await load.stop()
  expect(ok).toBeGreaterThan(20)
  expect(failed).toEqual([])
  await lab.start()
  await lab.until('the container is back', ({ workloads }) =>
    workloads.find(({ key, healthy, pods }) => key === other && healthy && pods[0]?.restarts === 1),
  )
  await expectWhole()
})

test('killed in the middle of a preStop hook, it does not begin the hook again', async () => {
  const key = 'Deployment/default/drained'
  const preStop = { exec: { command: ['sh', '-c', 'touch /drain/begun; sleep 4'] } }
  const volumes = { pod: { volumes: [{ name: 'work', emptyDir: {} }], terminationGracePeriodSeconds: 10 } }
  const mounts = { volumeMounts: [{ name: 'work', mountPath: '/drain' }] }
  await lab.write({ 'drained.yaml': [app('drained', { ...volumes, container: { ...mounts, lifecycle: { preStop } } })] })
  await lab.untilHealthy(key)
  const [pod] = await lab.pods(key)
  const since = String(Math.floor(Date.now() / 1000))
  await lab.write({ 'drained.yaml': null })
  await lab.untilTrue(
    'the hook has begun',
    async () => (await lab.exec(pod!, 'app', 'test -e /drain/begun && echo yes')) === 'yes',
  )
  await lab.kill()
  await lab.start()
  await lab.until('the pod is gone', ({ workloads }) => workloads.every((workload) => workload.key !== key))
  const events = await lab.docker(
    ...['events', '--since', since, '--until', String(Math.ceil(Date.now() / 1000)), '--filter', 'event=exec_create'],
    ...['--filter', `label=io.kubernetes.pod.uid=${pod!.uid}`],
  )
  expect(events.split('\n').filter((line) => line.includes('touch /drain/begun'))).toHaveLength(1)
  await expectWhole()
})

test('a second daemon on the same data directory refuses', async () => {
  const { code, output } = await lab.trireme('run', ...lab.flags(), '--listen', '127.0.0.1:0')
  expect(code).not.toBe(0)
  expect(output).toMatch(/data directory .* is in use by process \d+/)
  await lab.untilHealthy(web)
})

test('a second daemon on the same cluster with a data directory of its own refuses, and the first goes on', async () => {
  const before = await lab.containers()
  const { code, output } = await lab.trireme('run', ...lab.flags(join(lab.folder, 'other')), '--listen', '127.0.0.1:0')
  expect(code).not.toBe(0)
  expect(output).toMatch(/refusing to run: .*Two daemons must never drive one cluster/)
  expect(await lab.containers()).toEqual(before)
  await lab.until('the first is in command', ({ nodes }) => nodes[0]?.router.connected)
})

test('a damaged memory is moved aside and told, and what runs is adopted by its labels without a restart', async () => {
  const before = await lab.containers()
  const load = startLoad(url)
  await lab.kill()
  // Pages that the write-ahead log still holds would be whole: both files are hit.
  for (const name of ['trireme.db', 'trireme.db-wal'])
    writeSync(openSync(join(lab.data, name), 'r+'), Buffer.alloc(8192, 0x5a), 0, 8192, 0)
  await lab.start()
  const sha = await lab.git('rev-parse', 'HEAD')
  await lab.untilRevision(sha)
  await lab.untilHealthy(web)
  expect((await load.stop()).failed).toEqual([])
  expect(readdirSync(lab.data).some((name) => name.includes('corrupt'))).toBe(true)
  expect(lab.log()).toMatch(/corrupt|damaged/)
  expect(await lab.containers()).toEqual(before)
  await expectWhole()
  // What was adopted is whole: it rolls like anything else.
  await lab.untilRevision(await lab.write({ 'app.yaml': release(90) }))
  await expectWhole()
})

test('an engine that cannot be reached is told and waited for, and what happened meanwhile is mended', async () => {
  await relay.close()
  const load = startLoad(url)
  await lab.until('unreachable is told', ({ nodes }) => nodes[0]?.reachable === false)
  const ready = await lab.get('/readyz')
  expect(ready.status).toBe(503)
  expect(ready.text).toMatch(/engine/)
  expect((await lab.get('/healthz')).status).toBe(200)
  expect((await lab.workload(web)).message).toMatch(/unreachable/)
  const [pod] = await lab.pods(other)
  await lab.docker('rm', '-f', await lab.container(pod!, 'app'))
  const sha = await lab.write({ 'app.yaml': release(91) })
  await lab.until('the commit is known', ({ sources }) => sources[0]?.attempted === sha)
  await relay.open()
  await lab.untilRevision(sha)
  expect((await load.stop()).failed).toEqual([])
  expect((await lab.get('/readyz')).status).toBe(200)
  await expectWhole()
})

test('connections to the engine that are cut again and again lose nothing', async () => {
  const sha = await lab.write({ 'app.yaml': release(92) })
  const load = startLoad(url)
  for (let cut = 0; cut < 8; cut += 1) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    relay.cut()
  }
  await lab.untilRevision(sha)
  expect((await load.stop()).failed).toEqual([])
  await expectWhole()
})

test('started before its engine, it waits for it', async () => {
  await lab.kill()
  await relay.close()
  await lab.start()
  expect((await lab.get('/readyz')).status).toBe(503)
  expect((await lab.get('/healthz')).status).toBe(200)
  await lab.until('the reason is told', ({ nodes }) => /waiting for the Docker Engine/.test(nodes[0]?.message ?? ''))
  await relay.open()
  await lab.untilHealthy(web)
  await expectWhole()
})
