/** The Docker Engine goes away and comes back under an application: everything heals by itself, and nothing is doubled or left. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { NODE_IMAGE } from '../../src/runtime/images.ts'
import { app, configMap, STUB, secret, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'
import { type OwnEngine, openOwnEngine } from '../support/ownengine.ts'
import { eventually } from '../support/router.ts'

const web = 'Deployment/default/web'
const duo = 'Deployment/default/duo'
const TOKEN = 'a secret of Git'
/** Running containers of the application by their names in pods: 3 pods of one container, 2 of two. */
const WHOLE = ['POD', 'POD', 'POD', 'POD', 'POD', 'app', 'app', 'app', 'app', 'app', 'side', 'side']

let engine: OwnEngine
let lab: DaemonLab
let nodePort = 0

beforeAll(async () => {
  engine = await openOwnEngine('engine', [STUB, NODE_IMAGE])
  lab = new DaemonLab('engine', { docker: engine.host, enter: engine.enter, listen: engine.address })
  const volumes = [
    { name: 'conf', configMap: { name: 'settings' } },
    { name: 'keys', secret: { secretName: 'keys' } },
  ]
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }))
  const readinessProbe = { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 }
  const [two] = [app('duo', { replicas: 2 })] as [{ spec: { template: { spec: { containers: object[] } } } }]
  two.spec.template.spec.containers.push({ name: 'side', image: STUB, env: [{ name: 'PORTS', value: '' }] })
  await lab.write({
    'app.yaml': [
      configMap('settings', { 'app.conf': 'as in Git' }),
      secret('keys', { token: TOKEN }),
      app('web', { replicas: 3, pod: { volumes }, container: { volumeMounts, readinessProbe } }),
      two,
      service('web', { type: 'NodePort' }),
    ],
  })
  await lab.start()
  await whole()
  nodePort = (await lab.service('Service/default/web')).ports[0]?.nodePort ?? 0
})

afterAll(async () => {
  await lab?.kill()
  await engine?.close()
  if (lab !== undefined) rmSync(lab.folder, { recursive: true })
})

/** Waits until both workloads are healthy, and the engine itself says that all of them is there, and nothing else. */
async function whole(): Promise<void> {
  await lab.until('the engine is reached', ({ nodes }) => nodes[0]?.reachable)
  await lab.until(
    'both workloads are healthy',
    ({ workloads }) => workloads.length === 2 && workloads.every(({ healthy }) => healthy),
  )
}

/** Nothing is doubled, nothing is left over, and every part does its work. */
async function sound(): Promise<void> {
  const pods = [...(await lab.pods(web)), ...(await lab.pods(duo))]
  const uids = pods.map(({ uid }) => uid).sort()
  expect(uids).toHaveLength(5)
  await lab.untilTrue('the pods are whole', async () => (await running('name')).join() === WHOLE.join())
  expect([...new Set(await running('uid'))].sort()).toEqual(uids)
  // The last dead attempt of a container is kept for its logs, and no other.
  const kept = await lab.containers('trireme.role=pod')
  expect(kept.length).toBeLessThanOrEqual(WHOLE.length + WHOLE.filter((name) => name !== 'POD').length)
  const volumes = (await lab.pods(web)).flatMap(({ uid }) =>
    ['conf', 'keys'].map((name) => `trireme-${lab.cluster}-${uid}-${name}`),
  )
  expect(await lab.volumes()).toEqual([...volumes, `trireme-${lab.cluster}-router`].sort())
  expect(await lab.containers('trireme.role=router')).toHaveLength(1)
  expect(await lab.containers('trireme.role=edge')).toHaveLength(1)
  await answering()
}

/** Of the running containers of pods: their names in the pod, or their pods; sorted. */
async function running(what: 'name' | 'uid'): Promise<string[]> {
  const label = what === 'name' ? 'io.kubernetes.container.name' : 'io.kubernetes.pod.uid'
  const filters = [`label=trireme.cluster=${lab.cluster}`, 'label=trireme.role=pod', 'status=running']
  const said = await lab.docker('ps', ...filters.flatMap((one) => ['--filter', one]), '--format', `{{.Label "${label}"}}`)
  return said.split('\n').sort()
}

/** The Service answers from outside, from the node and from a pod by its name; files are as in Git, the secret in memory. */
async function answering(): Promise<void> {
  const names = (await lab.pods(web)).map(({ name }) => name)
  const { clusterIP } = await lab.service('Service/default/web')
  const ask = `fetch('http://${clusterIP}/').then((answer) => answer.text()).then(console.log)`
  const [pod] = await lab.pods(duo)
  expect(names).toContain(await published())
  expect(names).toContain(await engine.inside(process.execPath, '-e', ask))
  expect(names).toContain(await lab.exec(pod!, 'app', 'wget -qO- http://web'))
  for (const one of await lab.pods(web))
    expect(await lab.exec(one, 'app', 'cat /conf/app.conf /keys/token; stat -f -c %T /keys')).toBe(`as in Git${TOKEN}tmpfs`)
}

/** What the Service says on its node port: the name of a pod. */
async function published(): Promise<string> {
  const url = `http://${engine.address}:${nodePort}/`
  const answer = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(2000) })
  return (await answer.text()).trim()
}

/** All containers by id, with their processes: what has been restarted has another one. */
async function processes(): Promise<string[]> {
  const ids = (await lab.docker('ps', '-q', '--no-trunc')).split('\n').sort()
  const said = await lab.docker('inspect', '--format', '{{.Id}} {{.State.Pid}} {{.State.StartedAt}}', ...ids)
  return said.split('\n')
}

/** The outage is in the status and in the checks, and is no trouble of the daemon itself. */
async function unreachable(message = /docker\.sock/): Promise<void> {
  const node = await lab.until('the outage is told', ({ nodes }) => nodes.find(({ reachable }) => !reachable))
  expect(node.message).toMatch(message)
  const { status, text } = await lab.get('/readyz')
  expect({ status, text }).toEqual({ status: 503, text: expect.stringMatching(message) })
  expect((await lab.get('/healthz')).status).toBe(200)
}

async function timed(context: TestContext, what: string, work: () => Promise<unknown>): Promise<void> {
  const since = performance.now()
  await work()
  await context.annotate(`${what}: ${((performance.now() - since) / 1000).toFixed(1)} s`)
}

async function heals(context: TestContext): Promise<void> {
  await timed(context, 'engine back', () => engine.start())
  await timed(context, 'then healthy', whole)
  await timed(context, 'then sound', sound)
}

test('the application is sound before anything happens', sound)

for (const { name, act } of [
  { name: 'restarted', act: () => engine.stop() },
  { name: 'killed', act: () => engine.kill9() },
])
  test(`an engine that is ${name} under the daemon: reported, waited for, healed`, async (context) => {
    await act()
    await unreachable()
    await heals(context)
  })

test('a daemon that starts before its engine says so and waits, and then heals', async (context) => {
  await lab.kill()
  await engine.kill9()
  await lab.start()
  await unreachable(/waiting for the Docker Engine at .*docker\.sock/)
  await heals(context)
})

test('a power cut: the router serves its last table before the daemon is back, which heals the rest', async (context) => {
  const { clusterIP } = await lab.service('Service/default/web')
  const before = await lab.pods(web)
  await lab.kill()
  await engine.powerOff()
  engine.powerOn()
  await timed(context, 'engine back', () => engine.start())
  const router = await lab.router()
  await eventually('the last table is served', async () => {
    const rules = await lab.docker('exec', router, 'nft', 'list', 'ruleset')
    return before.every(({ ip }) => rules.includes(ip))
  })
  const asked = await lab.exec(before[0]!, 'POD', 'nslookup web.default.svc.cluster.local')
  expect(asked).toContain(clusterIP)
  // Which containers Docker brings back by itself is chance: one is enough.
  await lab.docker('start', await lab.container(before[0]!, 'app'))
  const names = before.map(({ name }) => name)
  await eventually('the Service answers', async () => names.includes(await published()))

  await timed(context, 'daemon back', () => lab.start())
  await timed(context, 'then healthy', whole)
  await timed(context, 'then sound', sound)
})

test('with live-restore nothing restarts, whatever becomes of the engine and the daemon', async (context) => {
  await engine.configure({ 'live-restore': true })
  const pods = (await lab.pods(web)).map(({ uid }) => uid)
  const both = async (): Promise<void> => {
    await Promise.all([lab.kill(), engine.kill9()])
    await lab.start()
  }
  for (const act of [() => engine.stop(), () => engine.kill9(), both]) {
    const running = await processes()
    await act()
    await unreachable()
    expect(await published()).not.toBe('')
    await heals(context)
    expect(await processes()).toEqual(running)
  }
  expect((await lab.pods(web)).map(({ uid }) => uid)).toEqual(pods)
})
