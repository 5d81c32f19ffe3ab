/** What a pod says of its rights, its volumes, its names and its signals, as its processes find it on the real engine. */
import { createSocket } from 'node:dgram'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PodStatus, WorkloadStatus } from '../../src/reconcilers/status.ts'
import { app, claim, STUB } from '../support/apps.ts'
import { DaemonLab, type Files } from '../support/daemon.ts'

const lab = new DaemonLab('security')
const key = (name: string, namespace = 'default') => `Deployment/${namespace}/${name}`
/** The stub, whose user is 1000 and which wants another signal than most. */
const IMAGE = `trireme/${lab.cluster}:1`
const ALLOWED = ['--allow', 'default=hostPort']

/** A port of the node, below those that it gives away by itself. */
const hostPort = 20_000 + (process.pid % 10_000)
const mount = (name: string) => ({ name, mountPath: `/${name}` })

/** Nobody of note, on a file system that only its volumes let it write to. */
const locked = app('locked', {
  pod: {
    securityContext: { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000], fsGroup: 2000 },
    volumes: [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
    ],
  },
  container: {
    securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
    volumeMounts: [mount('disk'), mount('memory')],
  },
})

/** Root, with one capability that is left to it, and a port of the node. */
const rooted = app('rooted', {
  pod: { securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '1023' }] } },
  container: {
    workingDir: '/www/made/for/it',
    securityContext: { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
    ports: [{ containerPort: 8080, hostPort }],
  },
})

/** One that may not be root. */
const nobody = (securityContext: object = {}) =>
  app('nobody', { pod: { securityContext: { runAsNonRoot: true, ...securityContext } } })

const stopped = (terminationGracePeriodSeconds: number) =>
  app('stopped', {
    image: IMAGE,
    pod: { securityContext: { runAsNonRoot: true }, terminationGracePeriodSeconds },
    container: { command: ['sh', '-c', 'trap "exit 7" QUIT; sh /stub.sh & wait'] },
  })

const resources = { limits: { memory: '16Mi' } }
const hungry = app('hungry', { container: { command: ['tail', '/dev/zero'], resources } })

const driven = { provisioner: 'docker.io/local', parameters: { type: 'tmpfs', device: 'tmpfs', o: 'size=8m' } }
const memoryClass = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'memory' }, ...driven }

/** A Deployment with the claim of its name at /data. */
const claiming = (name: string, pod: object = {}) =>
  app(name, {
    spec: { strategy: { type: 'Recreate' } },
    pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }], ...pod },
    container: { volumeMounts: [mount('data')] },
  })

const owned = (fsGroup: number, more: object = {}) =>
  claiming('owned', { securityContext: { fsGroup, fsGroupChangePolicy: 'OnRootMismatch' }, ...more })

const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
const strict = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'strict', labels } }
const fit = app('fit', {
  namespace: 'strict',
  pod: { securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } } },
  container: { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
})

beforeAll(async () => {
  const own = ['--label', `trireme.cluster=${lab.cluster}`, '--stop-signal', 'SIGQUIT', '--user', '1000']
  const base = await lab.docker('create', ...own, STUB)
  await lab.docker('commit', base, IMAGE)
  await lab.docker('rm', base)
  await lab.write({
    'rights.yaml': [locked, rooted, hungry, strict, fit],
    'nobody.yaml': [nobody()],
    'stopped.yaml': [stopped(2)],
    'owned.yaml': [claim('owned'), owned(2000)],
    'cache.yaml': [memoryClass, claim('cache', { storageClassName: 'memory' }), claiming('cache')],
  })
  await lab.start(...ALLOWED)
})

afterAll(async () => {
  await lab.remove()
  await lab.docker('image', 'rm', '--force', IMAGE)
})

function onlyPod({ pods: [pod, ...others] }: WorkloadStatus): PodStatus {
  if (pod === undefined || others.length > 0) throw new Error('it has none, or several')
  return pod
}

/** What a script says in the healthy pod of a workload. */
async function inPod(name: string, script: string, namespace?: string): Promise<string> {
  return lab.exec(onlyPod(await lab.untilHealthy(key(name, namespace))), 'app', script)
}

/** Writes, and waits until another pod is there instead of the one that the workload has; the uid of that. */
async function replaced(name: string, files: Files): Promise<string> {
  const { uid } = onlyPod(await lab.untilHealthy(key(name)))
  await lab.write(files)
  await lab.until('there is another pod', ({ workloads }) =>
    workloads.some((one) => one.key === key(name) && one.healthy && one.pods.every((pod) => pod.uid !== uid)),
  )
  return uid
}

/** Of the container's first process, not of one that is put beside it. */
async function processStatus(name: string, namespace?: string): Promise<Record<string, string>> {
  const text = await inPod(name, 'cat /proc/1/status', namespace)
  return Object.fromEntries(text.split('\n').map((line) => line.split(':').map((part) => part.trim().replace(/\s+/g, ' '))))
}

test('a container is the user and the groups that its pod names, and gains no privileges', async () => {
  expect(await processStatus('locked')).toMatchObject({
    Uid: '1000 1000 1000 1000',
    Gid: '3000 3000 3000 3000',
    Groups: expect.stringMatching(/^(3000 )?2000 (3000 )?4000$/),
    CapEff: '0000000000000000',
    NoNewPrivs: '1',
  })
})

test('a root file system that is read-only takes no file, and an emptyDir takes it, in the group that the pod names', async () => {
  expect(await inPod('locked', 'touch /tmp/x 2>&1 || true')).toMatch(/Read-only file system/)
  const script = 'touch /disk/mine /memory/mine && stat -c "%g %a" /disk /disk/mine /memory/mine'
  expect(await inPod('locked', script)).toBe('2000 2777\n2000 644\n2000 644')
})

test('an emptyDir in memory is a tmpfs of its size limit, and so is a claim whose class says so to the local driver', async () => {
  const mounted = (name: string, path: string) => inPod(name, `awk '$2 == "${path}" { print $3, $4 }' /proc/mounts`)
  expect(await mounted('locked', '/memory')).toMatch(/^tmpfs rw,.*\bsize=16384k\b/)
  expect(await mounted('cache', '/data')).toMatch(/^tmpfs rw,.*\bsize=8192k\b/)
})

test('a container without capabilities but one has that one', async () => {
  const bind = '0000000000000400'
  expect(await processStatus('rooted')).toMatchObject({ CapEff: bind, CapPrm: bind, CapBnd: bind, NoNewPrivs: '0' })
  expect(await inPod('rooted', 'touch /tmp/x; chown 1000 /tmp/x 2>&1 || true')).toMatch(/not permitted/)
})

test('a sysctl of the pod is in force, its process begins in its working directory, and it answers at its port of the node', async () => {
  await lab.untilHealthy(key('rooted'))
  const script = 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start; readlink /proc/1/cwd; hostname'
  const answer = await fetch(`http://127.0.0.1:${hostPort}/`, { headers: { connection: 'close' } })
  expect(await inPod('rooted', script)).toBe(`1023\n/www/made/for/it\n${(await answer.text()).trim()}`)
})

test('a pod that may not run as root waits while its image would, says why, and runs once it has a user', async () => {
  const waiting = await lab.until('it says why', ({ workloads }) =>
    workloads.find((one) => one.key === key('nobody') && one.message.includes('runAsNonRoot')),
  )
  const message = 'app: runAsNonRoot is set, and the image runs as root: set runAsUser'
  expect(onlyPod(waiting)).toMatchObject({ reason: 'CreateContainerConfigError', message })
  await lab.write({ 'nobody.yaml': [nobody({ runAsUser: 1000 })] })
  expect(await processStatus('nobody')).toMatchObject({ Uid: '1000 1000 1000 1000' })
})

test('a container that takes more memory than its limit ends as OOMKilled', async () => {
  // Docker 20.10 may hear of the end first, and never says why then: it does so at one of the next.
  await lab.until('it is told', ({ workloads }) =>
    workloads
      .find((one) => one.key === key('hungry'))
      ?.pods.flatMap(({ containers }) => containers)
      .some(({ lastTermination: last }) => last?.reason === 'OOMKilled' && last.exitCode === 137),
  )
})

test('an image of another user runs as that one, and is stopped by the signal that it names', async () => {
  expect((await processStatus('stopped')).Uid).toBe('1000 1000 1000 1000')
  const since = String(Math.floor(Date.now() / 1000))
  const uid = await replaced('stopped', { 'stopped.yaml': [stopped(3)] })
  const until = String(Math.floor(Date.now() / 1000) + 1)
  const filters = [`label=io.kubernetes.pod.uid=${uid}`, 'label=io.kubernetes.container.name=app', 'event=die']
  const events = ['events', '--since', since, '--until', until, '--format', '{{.Actor.Attributes.exitCode}}']
  expect(await lab.docker(...events, ...filters.flatMap((filter) => ['--filter', filter]))).toBe('7')
})

test('a claim whose folder is of the fsGroup is left as it is, where the pod says so, and all of it changes with the group', async () => {
  const groups = 'stat -c %g /data /data/own | tr "\\n" " "'
  expect(await inPod('owned', `touch /data/own && chgrp 5 /data/own && ${groups}`)).toBe('2000 5')
  await replaced('owned', { 'owned.yaml': [claim('owned'), owned(2000, { terminationGracePeriodSeconds: 3 })] })
  expect(await inPod('owned', groups)).toBe('2000 5')
  await replaced('owned', { 'owned.yaml': [claim('owned'), owned(3000)] })
  expect(await inPod('owned', groups)).toBe('3000 3000')
})

test('a pod has the hosts, the name servers and the search list that it names, and no others', async () => {
  await lab.untilHealthy(key('locked'))
  const format = '{{(index .IPAM.Config 0).Gateway}}'
  const gateway = await lab.docker('network', 'inspect', `trireme-${lab.cluster}`, '--format', format)
  const server = createSocket('udp4')
  server.on('message', (query, { port, address }) => server.send(nameAnswer(query, [192, 0, 2, 7]), port, address))
  await new Promise<void>((resolve) => server.bind(53, gateway, resolve))
  try {
    const dnsConfig = {
      nameservers: [gateway],
      searches: ['one.example', 'two.example'],
      options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }],
    }
    const hostAliases = [{ ip: '192.0.2.1', hostnames: ['db.example', 'db'] }]
    await lab.write({
      'named.yaml': [app('named', { pod: { dnsPolicy: 'None', dnsConfig, hostAliases } })],
      'more.yaml': [app('more', { pod: { dnsConfig: { searches: ['two.example'] } } })],
    })
    const resolver = await inPod('named', 'cat /etc/resolv.conf')
    expect(resolver).toMatch(/^search one\.example two\.example$/m)
    expect(resolver).toMatch(/^options ndots:2 rotate$/m)
    expect(await inPod('named', 'cat /etc/hosts')).toMatch(/^192\.0\.2\.1\s+db\.example\n192\.0\.2\.1\s+db$/m)
    expect(await inPod('named', 'nslookup anything.example')).toContain('192.0.2.7')
    const cluster = 'default.svc.cluster.local svc.cluster.local cluster.local'
    expect(await inPod('more', 'cat /etc/resolv.conf')).toContain(`search ${cluster} two.example\n`)
  } finally {
    server.close()
  }
})

/** An A record for every name that is asked for. */
function nameAnswer(query: Buffer, address: readonly number[]): Buffer {
  const end = query.indexOf(0, 12) + 5
  const isA = query.readUInt16BE(end - 4) === 1
  const head = [...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]
  const record = isA ? [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address] : []
  return Buffer.from([...head, ...query.subarray(12, end), ...record])
}

test('a namespace that asks for the restricted standard lets in who meets it, and names what the other lacks', async () => {
  expect(await processStatus('fit', 'strict')).toMatchObject({ CapBnd: '0000000000000000', NoNewPrivs: '1', Seccomp: '2' })
  await lab.write({ 'lax.yaml': [app('lax', { namespace: 'strict' })] })
  const told = await lab.until('it is told', ({ sources }) => sources[0]?.problems.find((one) => one.includes('lax.yaml')))
  expect(told).toContain('policy restricted, which the label of its namespace asks for,')
  const { code, output } = await lab.trireme('validate', lab.tree, ...ALLOWED)
  expect(code).toBe(1)
  for (const lacking of ['allowPrivilegeEscalation to false', 'runAsNonRoot of', 'profile RuntimeDefault', 'drop ALL'])
    expect(output).toContain(lacking)
  const { workloads } = await lab.status()
  expect(workloads.filter(({ namespace }) => namespace === 'strict')).toMatchObject([{ name: 'fit', healthy: true }])
})
