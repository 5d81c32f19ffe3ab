/** StatefulSets, DaemonSets and ReplicationControllers on the real engine: names, order, and what is kept. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PodStatus, WorkloadStatus } from '../../src/reconcilers/status.ts'
import { app, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'

const lab = new DaemonLab('statefulsets')
const db = 'StatefulSet/default/db'

const volumeClaimTemplates = [
  { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
]

/** Ready at once, but never with the release `stuck`. */
function release(version: string, spec: object = {}): object {
  const own = { replicas: 3, serviceName: 'db', volumeClaimTemplates }
  return workload('StatefulSet', 'db', version, { ...own, ...spec }, { volumeMounts: [{ name: 'data', mountPath: '/data' }] })
}

/** What `app` would make of it, as another kind. */
function workload(kind: string, name: string, version: string, spec: object = {}, mounts: object = {}): object {
  const { spec: base, ...rest } = app(name, {
    container: {
      ...mounts,
      readinessProbe: { exec: { command: ['test', version, '!=', 'stuck'] }, periodSeconds: 1 },
      env: [
        { name: 'PORTS', value: '8080' },
        { name: 'RELEASE', value: version },
        { name: 'INDEX', valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } } },
      ],
    },
  }) as { spec: Record<string, unknown> }
  const { selector, template } = base
  return { ...rest, kind, spec: { selector, template, ...spec } }
}

function controller(name: string): object {
  const { spec, ...rest } = workload('ReplicationController', name, '1', { replicas: 2 }) as { spec: object }
  return { ...rest, apiVersion: 'v1', spec: { ...spec, selector: { app: name } } }
}

/** Runs, so that others can look names up and ask from a pod. */
const client = app('client', {
  image: 'trireme/demo:v1',
  container: { command: ['node', '-e', "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 60000)"], ports: [] },
})

beforeAll(async () => {
  await lab.write({
    'db.yaml': [release('1'), service('db', { clusterIP: 'None' })],
    'beside.yaml': [workload('DaemonSet', 'agent', '1'), controller('older'), client],
  })
  await lab.start()
  for (const key of [db, 'DaemonSet/default/agent', 'ReplicationController/default/older', 'Deployment/default/client'])
    await lab.untilHealthy(key)
})

afterAll(async () => {
  await lab.remove()
})

/** `db-0=1 db-1=1`: the release of each pod that is not leaving, by name. */
async function releases(): Promise<string> {
  const pods = (await lab.pods(db)).filter(({ terminating }) => !terminating)
  const found = await Promise.all(pods.map(async (pod) => `${pod.name}=${await lab.exec(pod, 'app', 'echo $RELEASE')}`))
  return found.sort().join(' ')
}

function untilReleases(wanted: string): Promise<void> {
  return lab.untilTrue(`the pods are ${wanted}`, async () => (await releases()) === wanted)
}

async function podNamed(name: string): Promise<PodStatus> {
  const pod = (await lab.pods(db)).find((one) => one.name === name)
  if (pod === undefined) throw new Error(`no pod ${name}`)
  return pod
}

/** What the client is answered under a name: each pod says its own. */
async function askedFor(name: string): Promise<string> {
  const [pod] = await lab.pods('Deployment/default/client')
  const script = `fetch('http://${name}:8080/').then((answer) => answer.text()).then((text) => console.log(text.trim()))`
  return lab.docker('exec', await lab.container(pod as PodStatus, 'app'), 'node', '-e', script)
}

/** Names in the order in which their pods were made. */
function inOrder({ pods }: WorkloadStatus): string[] {
  return pods.toSorted((a, b) => a.createdAt - b.createdAt).map(({ name }) => name)
}

test('pods are numbered, made in order, each once the one before was ready', async () => {
  const status = await lab.workload(db)
  expect(inOrder(status)).toEqual(['db-0', 'db-1', 'db-2'])
  const [first, second, third] = status.pods.toSorted((a, b) => a.createdAt - b.createdAt)
  expect(second?.createdAt).toBeGreaterThanOrEqual(first?.readySince ?? Number.POSITIVE_INFINITY)
  expect(third?.createdAt).toBeGreaterThanOrEqual(second?.readySince ?? Number.POSITIVE_INFINITY)
})

test('each pod is a host of its own name, and its Service has a name for each', async () => {
  const pods = await lab.pods(db)
  for (const pod of pods) {
    expect(await lab.exec(pod, 'app', 'hostname; echo $INDEX')).toBe(`${pod.name}\n${pod.name.slice(-1)}`)
    expect(await askedFor(`${pod.name}.db`)).toBe(pod.name)
    expect(await askedFor(`${pod.name}.db.default.svc.cluster.local`)).toBe(pod.name)
  }
  expect(pods.map(({ name }) => name)).toContain(await askedFor('db'))
})

test('each pod has a claim of its own', async () => {
  for (const pod of await lab.pods(db)) await lab.exec(pod, 'app', `echo ${pod.name} > /data/owner`)
  const claims = (await lab.volumes()).filter((name) => name.includes('-claim-')).map((name) => name.replace(/.*-claim-/, ''))
  expect(claims).toEqual(['default_data-db-0', 'default_data-db-1', 'default_data-db-2'])
})

/** What the claim of each pod says whose it is, by name. */
async function owners(): Promise<string> {
  const pods = await lab.pods(db)
  const found = await Promise.all(pods.map(async (pod) => `${pod.name}=${await lab.exec(pod, 'app', 'cat /data/owner')}`))
  return found.sort().join(' ')
}

test('a pod that is removed by hand comes back under its name and with its data, alone', async () => {
  const [before, ...others] = await Promise.all(['db-1', 'db-0', 'db-2'].map(podNamed))
  await lab.docker('rm', '-f', await lab.container(before as PodStatus, 'POD'))
  await lab.until('db-1 is another one', ({ workloads }) =>
    workloads.some(({ key, pods, healthy }) => key === db && healthy && pods.every(({ uid }) => uid !== before?.uid)),
  )
  await lab.untilTrue('its name leads to it', async () => (await askedFor('db-1.db')) === 'db-1')
  expect(await owners()).toBe('db-0=db-0 db-1=db-1 db-2=db-2')
  const uids = (await lab.pods(db)).map(({ uid }) => uid)
  expect(uids).toEqual(expect.arrayContaining(others.map(({ uid }) => uid)))
})

test('a rolling update stops at its partition, below which pods come back as they were', async () => {
  const parts = (partition: number) => ({ updateStrategy: { rollingUpdate: { partition } } })
  await lab.write({ 'db.yaml': [release('2', parts(2)), service('db', { clusterIP: 'None' })] })
  await untilReleases('db-0=1 db-1=1 db-2=2')
  await lab.untilHealthy(db)
  const first = await podNamed('db-0')
  await lab.docker('rm', '-f', await lab.container(first, 'POD'))
  await lab.until('db-0 is another one', ({ workloads }) =>
    workloads.some(({ key, pods, healthy }) => key === db && healthy && pods.every(({ uid }) => uid !== first.uid)),
  )
  expect(await releases()).toBe('db-0=1 db-1=1 db-2=2')
  await lab.write({ 'db.yaml': [release('2'), service('db', { clusterIP: 'None' })] })
  await untilReleases('db-0=2 db-1=2 db-2=2')
  expect(inOrder(await lab.untilHealthy(db))).toEqual(['db-2', 'db-1', 'db-0'])
  expect(await owners()).toBe('db-0=db-0 db-1=db-1 db-2=db-2')
})

test('an update that cannot get ready takes one pod, and the commit that mends it goes through', async () => {
  await lab.write({ 'db.yaml': [release('stuck'), service('db', { clusterIP: 'None' })] })
  await untilReleases('db-0=2 db-1=2 db-2=stuck')
  await lab.write({ 'db.yaml': [release('3'), service('db', { clusterIP: 'None' })] })
  await untilReleases('db-0=3 db-1=3 db-2=3')
  await lab.untilHealthy(db)
})

test('scaled down, the highest numbers go, and come back when it is scaled up', async () => {
  const kept = (await podNamed('db-0')).uid
  await lab.write({ 'db.yaml': [release('3', { replicas: 1 }), service('db', { clusterIP: 'None' })] })
  await untilReleases('db-0=3')
  await lab.write({ 'db.yaml': [release('3', { replicas: 2 }), service('db', { clusterIP: 'None' })] })
  await untilReleases('db-0=3 db-1=3')
  await lab.untilHealthy(db)
  expect((await podNamed('db-0')).uid).toBe(kept)
  expect(await owners()).toBe('db-0=db-0 db-1=db-1')
})

test('a daemon that was killed and has lost its data takes the pods over as they are', async () => {
  const before = (await lab.pods(db)).map(({ uid }) => uid).sort()
  await lab.kill()
  rmSync(lab.data, { recursive: true })
  await lab.start()
  await lab.untilHealthy(db)
  expect((await lab.pods(db)).map(({ uid }) => uid).sort()).toEqual(before)
})

test('a DaemonSet has one pod on the node, and replaces it', async () => {
  const agent = 'DaemonSet/default/agent'
  const [before] = await lab.pods(agent)
  await lab.write({ 'beside.yaml': [workload('DaemonSet', 'agent', '2'), controller('older'), client] })
  await lab.until('another pod of it serves', ({ workloads }) =>
    workloads.some(({ key, pods, healthy }) => key === agent && healthy && pods.every(({ uid }) => uid !== before?.uid)),
  )
  const pods = await lab.pods(agent)
  expect(pods).toHaveLength(1)
  expect(await lab.exec(pods[0] as PodStatus, 'app', 'echo $RELEASE')).toBe('2')
  expect(await lab.metric('kube_daemonset_status_number_ready{namespace="default",daemonset="agent"}')).toBe(1)
})

test('a ReplicationController has its pods', async () => {
  expect(await lab.pods('ReplicationController/default/older')).toHaveLength(2)
})

test('what left Git is taken down, but for the data', async () => {
  await lab.write({ 'db.yaml': null })
  await lab.until('its pods are gone', ({ workloads }) => workloads.every(({ key }) => key !== db))
  await lab.write({ 'beside.yaml': [client] })
  await lab.until('only the client is left', ({ workloads }) => workloads.length === 1)
  expect((await lab.volumes()).filter((name) => name.includes('-claim-'))).toHaveLength(3)
})
