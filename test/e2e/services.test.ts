/** Services as pods and the host see them, on the real engine. */
import { createSocket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PodStatus } from '../../src/reconcilers/status.ts'
import { app, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'
import { ask, startLoad } from '../support/load.ts'

const lab = new DaemonLab('services')
const web = 'Deployment/default/web'
const nodePort = await freePort(30_000)
const balancerPort = await freePort(31_000)
const takenPort = await freePort(32_000)
const sharedPort = await freePort(28_000)
const ownPort = await freePort(29_000)
let client: PodStatus

/** The demo application as a plain HTTP server that leaves without dropping a request. */
function demo(version: string): object {
  return app('web', {
    replicas: 3,
    image: `trireme/demo:${version}`,
    spec: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    pod: { terminationGracePeriodSeconds: 10 },
    container: {
      env: [{ name: 'ROLE', value: 'api' }],
      readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 1 },
    },
  })
}

/** Sends each packet back with the pod's name before it. */
const udpEcho = `
  const socket = require('node:dgram').createSocket('udp4')
  socket.on('message', (text, from) => socket.send(require('node:os').hostname() + ' ' + text, from.port, from.address))
  socket.bind(5353)
  process.on('SIGTERM', () => process.exit(0))`

/** A stub that gets ready when a file is there. */
const gated = { container: { readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 } } }

beforeAll(async () => {
  await lab.write({
    'web.yaml': [demo('v1'), service('web')],
    'published.yaml': [
      service('node', { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http', nodePort }] }),
      service('balancer', {
        type: 'LoadBalancer',
        selector: { app: 'web' },
        ports: [{ port: balancerPort, targetPort: 'http' }],
      }),
    ],
    'kinds.yaml': [
      app('client'),
      app('gated', gated),
      service('gated'),
      service('published', { selector: { app: 'gated' }, publishNotReadyAddresses: true }),
      service('headless', { clusterIP: 'None', selector: { app: 'web' } }),
      service('headless-none', { clusterIP: 'None', selector: { app: 'nobody' } }),
      service('nobody'),
      service('sticky', { selector: { app: 'web' }, sessionAffinity: 'ClientIP' }),
      service('outside', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local', selector: null, ports: null }),
      service('several', {
        selector: { app: 'several' },
        ports: [
          { name: 'one', port: 81, targetPort: 'first' },
          { name: 'two', port: 82, targetPort: 9002 },
        ],
      }),
      app('several', {
        container: {
          env: [{ name: 'PORTS', value: '9001 9002' }],
          ports: [
            { name: 'first', containerPort: 9001 },
            { name: 'second', containerPort: 9002 },
          ],
        },
      }),
    ],
    'udp.yaml': [
      app('echo', {
        image: 'trireme/demo:v1',
        container: { command: ['node', '-e', udpEcho], ports: [{ name: 'udp', containerPort: 5353, protocol: 'UDP' }] },
      }),
      service('echo', { ports: [{ name: 'udp', port: 53, protocol: 'UDP', targetPort: 'udp' }] }),
    ],
    'apart.yaml': [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apart' } },
      app('web', { namespace: 'apart' }),
      service('web', {}, 'apart'),
    ],
  })
  await lab.start()
  for (const key of [
    web,
    'Deployment/default/client',
    'Deployment/default/several',
    'Deployment/default/echo',
    'Deployment/apart/web',
  ])
    await lab.untilHealthy(key)
  client = (await lab.pods('Deployment/default/client'))[0]!
})

afterAll(async () => {
  await lab.remove()
})

/** A port that nobody listens on. */
async function freePort(from: number): Promise<number> {
  for (let port = from + (process.pid % 700); ; port += 1) {
    const server = await occupy(port).catch(() => undefined)
    if (server === undefined) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

function occupy(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end('somebody else\n'))
    server.once('error', reject)
    server.listen(port, '0.0.0.0', () => resolve(server))
  })
}

/** What `script` says in the client pod; its failure is told as `failed`. */
function inside(script: string): Promise<string> {
  return lab.exec(client, 'app', `${script} 2>&1 || echo failed`)
}

async function addressOf(name: string, namespace = 'default'): Promise<string> {
  return (await lab.service(`Service/${namespace}/${name}`)).clusterIP
}

async function versionAt(url: string): Promise<{ pod: string; version: string }> {
  return JSON.parse(await ask(`${url}/version`)) as { pod: string; version: string }
}

async function podsAt(url: string, times = 40): Promise<Set<string>> {
  const answers = await Promise.all(Array.from({ length: times }, () => versionAt(url)))
  return new Set(answers.map(({ pod }) => pod))
}

async function podNames(key = web): Promise<string[]> {
  return (await lab.pods(key)).map(({ name }) => name).sort()
}

test('an address spreads over all replicas, from the host and from a pod', async () => {
  const names = await podNames()
  expect([...(await podsAt(`http://${await addressOf('web')}`))].sort()).toEqual(names)
  const script = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do wget -qO- http://web/version; done'
  const seen = new Set([...(await inside(script)).matchAll(/"pod":"([^"]+)"/g)].map(([, pod]) => pod))
  expect([...seen].sort()).toEqual(names)
})

test('variables lead to the Services of the namespace, also to those that came with the pod itself', async () => {
  const answer = await inside('wget -qO- http://$WEB_SERVICE_HOST:$WEB_SERVICE_PORT/version')
  expect(await podNames()).toContain((JSON.parse(answer) as { pod: string }).pod)
  const address = await addressOf('several')
  expect(await inside('echo $SEVERAL_PORT $SEVERAL_SERVICE_PORT_TWO $SEVERAL_PORT_82_TCP_ADDR')).toBe(
    `tcp://${address}:81 82 ${address}`,
  )
  expect(await inside('env | grep -c -e ^HEADLESS -e ^OUTSIDE -e ^KUBERNETES')).toBe('0\nfailed')
})

test('an address stays over a rolling update, and no request is lost: from the host, a pod, and the node port', async () => {
  const before = await addressOf('web')
  const loads = [`http://${before}/version`, `http://127.0.0.1:${nodePort}/version`].map((url) => startLoad(url, { workers: 3 }))
  const counting = inside(
    'ok=0; bad=0; while [ ! -e /tmp/stop ]; do if wget -qO- http://web.default/version >/dev/null; then ok=$((ok+1)); else bad=$((bad+1)); fi; done; echo "$bad of $ok failed"',
  )
  await lab.write({ 'web.yaml': [demo('v2'), service('web')] })
  await lab.until('v2 is out', ({ workloads }) =>
    workloads.some(
      ({ key, healthy, rollout, sets }) => key === web && healthy && sets.length > 1 && rollout?.result === 'complete',
    ),
  )
  await lab.exec(client, 'app', 'touch /tmp/stop')
  expect(await counting).toMatch(/^0 of [1-9]\d* failed$/)
  for (const load of loads) {
    const { ok, failed } = await load.stop()
    expect(failed).toEqual([])
    expect(ok).toBeGreaterThan(50)
  }
  expect(await addressOf('web')).toBe(before)
  expect((await versionAt(`http://${before}`)).version).toBe('v2')
})

test('a pod reaches itself through its own Service', async () => {
  const [only] = await lab.pods('Deployment/default/several')
  expect(await lab.exec(only!, 'app', 'wget -qO- http://several:81/')).toBe(only!.name)
})

test('named and numbered target ports of one Service', async () => {
  const [only] = await podNames('Deployment/default/several')
  expect(await inside('wget -qO- http://several:81/; wget -qO- http://several:82/')).toBe(`${only}\n${only}`)
})

test('without an endpoint a connection is refused at once, and the condition says so', async () => {
  const address = await addressOf('nobody')
  const startedAt = performance.now()
  await expect(ask(`http://${address}/`)).rejects.toThrow(/ECONNREFUSED/)
  expect(performance.now() - startedAt).toBeLessThan(500)
  expect(await inside('wget -qO- http://nobody/')).toMatch(/refused[\s\S]*failed/)
  expect(await lab.service('Service/default/nobody')).toMatchObject({ condition: 'NoEndpoints' })
})

test('a pod that is not ready gets traffic from those that publish it anyway, and from others once it is', async () => {
  const [pod] = await lab.pods('Deployment/default/gated')
  await lab.untilTrue('published regardless', async () => (await ask(`http://${await addressOf('published')}/`)) === pod!.name)
  await expect(ask(`http://${await addressOf('gated')}/`)).rejects.toThrow(/ECONNREFUSED/)
  await lab.exec(pod!, 'app', 'touch /tmp/ready')
  await lab.untilTrue('ready', async () => (await ask(`http://${await addressOf('gated')}/`)) === pod!.name)
  await lab.exec(pod!, 'app', 'rm /tmp/ready')
  await lab.untilTrue('out again', async () => (await inside('wget -qO- http://gated/')).includes('refused'))
  // What is not healthy would keep everything from being pruned.
  await lab.exec(pod!, 'app', 'touch /tmp/ready')
  await lab.untilHealthy('Deployment/default/gated')
})

test('node ports and load balancer ports answer on the host, by loopback too', async () => {
  const names = await podNames()
  for (const url of [`http://127.0.0.1:${nodePort}`, `http://127.0.0.1:${balancerPort}`, `http://${await addressOf('node')}`])
    expect([...(await podsAt(url))].sort()).toEqual(names)
})

test('a port that is taken is a condition of that Service alone, and heals when it is free', async () => {
  const holder = await occupy(takenPort)
  const taken = { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http', nodePort: takenPort }] }
  await lab.write({ 'taken.yaml': [service('taken', taken), service('beside', { selector: { app: 'web' } })] })
  const conflict = await lab.until('the conflict is told', ({ services }) =>
    services.find(({ name, condition }) => name === 'taken' && condition === 'PortConflict'),
  )
  expect(conflict.message).toContain(String(takenPort))
  expect((await versionAt(`http://${await addressOf('beside')}`)).version).toBe('v2')
  expect((await versionAt(`http://${conflict.clusterIP}`)).version).toBe('v2')
  expect((await versionAt(`http://127.0.0.1:${nodePort}`)).version).toBe('v2')
  await new Promise((resolve) => holder.close(resolve))
  await lab.until('healed', ({ services }) => services.some(({ name, condition }) => name === 'taken' && condition === 'Ready'))
  await lab.untilTrue('the port answers', async () => (await versionAt(`http://127.0.0.1:${takenPort}`)).version === 'v2')
  await lab.write({ 'taken.yaml': null })
  await lab.untilTrue('the port is free again', async () => {
    const server = await occupy(takenPort)
    await new Promise((resolve) => server.close(resolve))
    return true
  })
})

test('two Services that want one node port: one has it, the other says so', async () => {
  const second = { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http', nodePort }] }
  await lab.write({ 'twice.yaml': [service('twice', second)] })
  const conflict = await lab.until('told', async (status) => {
    const found = status.services.find(({ name }) => name === 'twice')
    const problem = status.sources[0]?.problems.find((text) => text.includes(String(nodePort)))
    return found?.condition === 'PortConflict' ? found.message : problem
  })
  expect(conflict).toContain(String(nodePort))
  expect((await versionAt(`http://127.0.0.1:${nodePort}`)).version).toBe('v2')
  await lab.write({ 'twice.yaml': null })
})

function balancer(name: string, ports: readonly object[]): object {
  return service(name, { type: 'LoadBalancer', selector: { app: 'web' }, ports })
}

async function edgeOf(name: string, port: number): Promise<string[]> {
  return lab.containers('trireme.role=edge', `trireme.service=Service/default/${name}`, `trireme.port=tcp/${port}`)
}

test('two LoadBalancers on one port: one has it, the other serves on its other ports, and takes over when the first has gone', async () => {
  const shared = { name: 'shared', port: sharedPort, targetPort: 'http' }
  const second = balancer('second', [shared, { name: 'own', port: ownPort, targetPort: 'http' }])
  await lab.write({ 'first.yaml': [balancer('first', [shared])], 'second.yaml': [second] })
  const conflict = await lab.until('the conflict is told, and all else is published', ({ services }) =>
    services.find(
      ({ name, condition, ports }) =>
        name === 'second' && condition === 'PortConflict' && ports[0]?.hostPorts.length === 1 && ports[1]?.hostPorts.length === 2,
    ),
  )
  const [contested, own] = conflict.ports as [(typeof conflict.ports)[0], (typeof conflict.ports)[0]]
  expect(contested.hostPorts).toEqual([contested.nodePort])
  expect(conflict.message).toBe(
    `port ${sharedPort}/TCP of the host is held by Service/default/first, as its LoadBalancer port; reachable on node port ${contested.nodePort} and at ${conflict.clusterIP}:${sharedPort} instead`,
  )
  expect(conflict.healthy).toBe(false)
  await lab.untilEvent('PortConflict', /is held by Service\/default\/first/)
  const first = await lab.until('the first is served', ({ services }) =>
    services.find(({ name, condition }) => name === 'first' && condition === 'Ready'),
  )
  for (const url of [
    `127.0.0.1:${sharedPort}`,
    `127.0.0.1:${first.ports[0]?.nodePort}`,
    `${first.clusterIP}:${sharedPort}`,
    `127.0.0.1:${ownPort}`,
    `127.0.0.1:${own.nodePort}`,
    `127.0.0.1:${contested.nodePort}`,
    `${conflict.clusterIP}:${sharedPort}`,
    `${conflict.clusterIP}:${ownPort}`,
  ])
    expect((await versionAt(`http://${url}`)).version).toBe('v2')
  expect(await edgeOf('second', sharedPort)).toEqual([])

  const load = startLoad(`http://127.0.0.1:${ownPort}/version`, { workers: 1 })
  await lab.write({ 'first.yaml': null })
  const whole = await lab.until('the second has taken over', ({ services }) =>
    services.find(({ name, condition }) => name === 'second' && condition === 'Ready'),
  )
  expect(whole.ports.map(({ hostPorts }) => hostPorts)).toEqual([
    [contested.nodePort, sharedPort],
    [own.nodePort, ownPort],
  ])
  expect((await versionAt(`http://127.0.0.1:${sharedPort}`)).version).toBe('v2')
  await lab.write({ 'second.yaml': [balancer('second', [{ name: 'own', port: ownPort, targetPort: 'http' }])] })
  await lab.untilTrue('the port is given up', async () => (await edgeOf('second', sharedPort)).length === 0)
  const { ok, failed } = await load.stop()
  expect(failed).toEqual([])
  expect(ok).toBeGreaterThan(50)
  await lab.write({ 'second.yaml': null })
})

test('a foreign process on one of two ports: the other answers from one edge all the time, and the first once it is free', async () => {
  const holder = await occupy(sharedPort)
  const ports = [
    { name: 'taken', port: sharedPort, targetPort: 'http' },
    { name: 'free', port: ownPort, targetPort: 'http' },
  ]
  await lab.write({ 'both.yaml': [balancer('both', ports)] })
  const conflict = await lab.until('the conflict is told, and all else is published', ({ services }) =>
    services.find(
      ({ name, condition, ports: [taken, free] }) =>
        name === 'both' && condition === 'PortConflict' && taken?.hostPorts.length === 1 && free?.hostPorts.length === 2,
    ),
  )
  const [taken] = conflict.ports
  expect(conflict.message).toMatch(new RegExp(`^port ${sharedPort}/TCP of the host is in use by something else on the node: `))
  expect(conflict.message).toContain(
    `reachable on node port ${taken?.nodePort} and at ${conflict.clusterIP}:${sharedPort} instead`,
  )
  const edge = await edgeOf('both', ownPort)
  const load = startLoad(`http://127.0.0.1:${ownPort}/version`, { workers: 1 })
  expect((await versionAt(`http://127.0.0.1:${taken?.nodePort}`)).version).toBe('v2')
  await lab.until('it has been tried again', async () => {
    const failures = (await lab.events()).filter(({ reason, object }) => reason === 'FailedStart' && object === conflict.key)
    return failures.reduce((sum, { count }) => sum + count, 0) >= 3
  })
  await new Promise((resolve) => holder.close(resolve))
  await lab.until('healed', ({ services }) => services.some(({ name, condition }) => name === 'both' && condition === 'Ready'))
  await lab.untilTrue('the port answers', async () => (await versionAt(`http://127.0.0.1:${sharedPort}`)).version === 'v2')
  expect((await load.stop()).failed).toEqual([])
  expect(await edgeOf('both', ownPort)).toEqual(edge)
  await lab.write({ 'both.yaml': null })
})

test('client affinity keeps a client on its pod', async () => {
  expect(await podsAt(`http://${await addressOf('sticky')}`, 20)).toHaveProperty('size', 1)
})

/** A and CNAME answers for a name, sorted; the error otherwise. */
async function lookup(name: string): Promise<string> {
  const answer = await inside(`nslookup ${name}`)
  if (/NXDOMAIN/.test(answer)) return 'NXDOMAIN'
  const lines = answer.split('\n').slice(answer.split('\n').findIndex((line) => line.startsWith('Name:')))
  return [...lines.join('\n').matchAll(/^Address(?: \d+)?: *([\d.]+)/gm)]
    .map(([, ip]) => ip)
    .sort()
    .join(' ')
}

test('a headless Service is the addresses of its pods, one without pods does not exist', async () => {
  const ips = (await lab.pods(web)).map(({ ip }) => ip).sort()
  expect(await lookup('headless.default.svc.cluster.local')).toBe(ips.join(' '))
  expect(await lookup('headless-none.default.svc.cluster.local')).toBe('NXDOMAIN')
  expect(await lookup('no-such-service.default.svc.cluster.local')).toBe('NXDOMAIN')
})

test('SRV names ports: of a Service its own, of a headless one those of its pods; only named ports have one', async () => {
  const srv = async (name: string) =>
    [...(await inside(`nslookup -type=srv ${name}.default.svc.cluster.local`)).matchAll(/service = (.*)$/gm)]
      .map(([, answer]) => answer)
      .sort()
  expect(await srv('_http._tcp.web')).toEqual(['0 100 80 web.default.svc.cluster.local'])
  expect(await srv('_two._tcp.several')).toEqual(['0 100 82 several.default.svc.cluster.local'])
  const hosts = (await lab.pods(web)).map(({ ip }) => `${ip.replaceAll('.', '-')}.headless.default.svc.cluster.local`).sort()
  expect(await srv('_http._tcp.headless')).toEqual(hosts.map((host) => `0 100 8080 ${host}`))
  expect(await lookup(hosts[0]!)).toBe(hosts[0]!.split('.')[0]!.replaceAll('-', '.'))
  expect(await srv('_http._udp.web')).toEqual([])
})

test('PTR leads from an address back to its Service', async () => {
  const address = await addressOf('web')
  const name = `${address.split('.').reverse().join('.')}.in-addr.arpa`
  expect(await inside(`nslookup -type=ptr ${name}`)).toContain('name = web.default.svc.cluster.local')
  expect(await inside(`nslookup ${address}`)).toContain('name = web.default.svc.cluster.local')
})

test('short names, names of other namespaces and full names', async () => {
  const [here] = await podNames('Deployment/default/several')
  const [there] = await podNames('Deployment/apart/web')
  expect(await inside('wget -qO- http://several:81/')).toBe(here)
  for (const name of ['web.apart', 'web.apart.svc', 'web.apart.svc.cluster.local', 'web.apart.svc.cluster.local.', 'WEB.apart'])
    expect(await inside(`wget -qO- http://${name}/`)).toBe(there)
  const [pod] = await lab.pods('Deployment/apart/web')
  expect(await lab.exec(pod!, 'app', 'wget -qO- http://web/')).toBe(there)
})

test('an ExternalName leads to another name', async () => {
  expect(await lookup('outside.default.svc.cluster.local')).toBe(await addressOf('web'))
  expect(await inside('wget -qO- http://outside/version')).toContain('"version":"v2"')
})

function sayUdp(address: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    const timer = setTimeout(() => socket.close(() => reject(new Error(`no answer from ${address}:${port}`))), 2_000)
    socket.on('message', (message) => {
      clearTimeout(timer)
      socket.close(() => resolve(message.toString().trim()))
    })
    socket.send(`${text}\n`, port, address)
  })
}

test('UDP goes to a pod, and to its successor once that pod has gone', async () => {
  const address = await addressOf('echo')
  const [first] = await lab.pods('Deployment/default/echo')
  await lab.untilTrue('the pod answers', async () => (await sayUdp(address, 53, 'ahoy')) === `${first!.name} ahoy`)
  await lab.docker('rm', '-f', await lab.container(first!, 'POD'))
  await lab.until('replaced', ({ workloads }) =>
    workloads.some(({ key, healthy, pods }) => key === 'Deployment/default/echo' && healthy && pods[0]?.uid !== first!.uid),
  )
  const [second] = await lab.pods('Deployment/default/echo')
  await lab.untilTrue('the new pod answers', async () => (await sayUdp(address, 53, 'ahoy')) === `${second!.name} ahoy`)
})

test('a Service that leaves Git is gone: its name, its address and its port', async () => {
  const address = await addressOf('node')
  await lab.write({ 'published.yaml': null })
  await lab.until('gone', ({ services }) => !services.some(({ name }) => name === 'node' || name === 'balancer'))
  await lab.untilTrue('no edge is left', async () => (await lab.containers('trireme.role=edge')).length === 0)
  expect(await lookup('node.default.svc.cluster.local')).toBe('NXDOMAIN')
  await expect(ask(`http://127.0.0.1:${nodePort}/version`, 2000)).rejects.toThrow()
  await expect(ask(`http://${address}/version`, 2000)).rejects.toThrow()
})
