/** What a namespace and a node let in, and where a Service without a selector leads, on the real engine. */

import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'

const lab = new DaemonLab('admission')
const key = (name: string): string => `Deployment/default/${name}`
const named = (name: string) => ({ name, namespace: 'default' })

/** As good as two serial ports: nothing else is called like them, and a container sees none that it has not been given. */
const ports = ['a', 'b'].map((one) => `/dev/trireme-${process.pid}-${one}`)

const nodeFlags = [
  ...['--node-label', 'disk=ssd', '--node-taint', 'dedicated=db:NoSchedule'],
  ...ports.flatMap((port) => ['--node-resource', `example.com/serial=${port}`]),
]

beforeAll(async () => {
  for (const port of ports) execFileSync('mknod', [port, 'c', '1', '3'])
  await lab.write({ 'web.yaml': [app('web'), service('web')] })
  await lab.start(...nodeFlags, '--prune-max-share', '1')
})

afterAll(async () => {
  await lab.remove()
  for (const port of ports) await rm(port, { force: true })
})

test('a taint keeps pods away that do not tolerate it, and says so; who tolerates it runs', async () => {
  const taint = await lab.until('it is Pending', ({ workloads }) =>
    workloads.find(({ key: own, pods }) => own === key('web') && pods.some(({ reason }) => reason === 'Unschedulable')),
  )
  expect(taint.message).toContain('0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: db}.')
  const tolerations = [{ key: 'dedicated', operator: 'Exists' }]
  await lab.write({ 'web.yaml': [app('web', { pod: { tolerations, nodeSelector: { disk: 'ssd' } } }), service('web')] })
  await lab.untilHealthy(key('web'))
})

const tolerations = [{ operator: 'Exists' }]

test('a quota holds back what is too much, and its use is in the status', async () => {
  const quota = (pods: string) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: named('small'),
    spec: { hard: { pods } },
  })
  await lab.write({ 'quota.yaml': [quota('2')], 'many.yaml': [app('many', { replicas: 2, pod: { tolerations } })] })
  const full = await lab.until('one waits for room', ({ workloads, quotas }) => {
    const many = workloads.find((each) => each.key === key('many'))
    return many?.ready === 1 && quotas[0]?.resources[0]?.used === '2' ? many : undefined
  })
  expect(full.message).toContain('exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2')
  await lab.write({ 'quota.yaml': [quota('3')] })
  await lab.untilHealthy(key('many'))
  await lab.write({ 'quota.yaml': null, 'many.yaml': null })
})

test('a unit of the node is one pod’s, over a restart of its container too, and free once the pod is gone', async () => {
  const asking = (name: string, replicas: number) =>
    app(name, { replicas, pod: { tolerations }, container: { resources: { limits: { 'example.com/serial': '1' } } } })
  const held = async (name: string) =>
    Promise.all((await lab.pods(key(name))).map(async (pod) => (await lab.exec(pod, 'app', 'echo /dev/trireme-*')).trim()))
  await lab.write({ 'serial.yaml': [asking('serial', 2)] })
  const { pods } = await lab.untilHealthy(key('serial'))
  expect((await held('serial')).sort()).toEqual(ports)
  await lab.write({ 'late.yaml': [asking('late', 1)] })
  const late = await lab.until('there is none left', ({ workloads }) =>
    workloads.find((each) => each.key === key('late') && each.pods.some(({ reason }) => reason === 'Unschedulable')),
  )
  expect(late.message).toContain('0/1 nodes are available: 1 Insufficient example.com/serial.')
  const before = await held('serial')
  await lab.docker('kill', await lab.container(pods[0]!, 'app'))
  await lab.until('it runs again', ({ workloads }) =>
    workloads.find(
      (each) => each.key === key('serial') && each.ready === 2 && each.pods.some((pod) => pod.containers[0]!.restarts > 0),
    ),
  )
  expect(await held('serial')).toEqual(before)
  await lab.write({ 'serial.yaml': [asking('serial', 1)] })
  await lab.untilHealthy(key('late'))
  expect([...(await held('serial')), ...(await held('late'))].sort()).toEqual(ports)
  await lab.write({ 'serial.yaml': null, 'late.yaml': null })
})

test('a pod that requests more than is left of the node waits, and starts once there is room; what runs is left alone', async () => {
  const { nodes } = await lab.status()
  const half = Math.ceil(nodes[0]!.allocatable.cpuCores * 600)
  const requesting = (name: string) =>
    app(name, { pod: { tolerations }, container: { resources: { requests: { cpu: `${half}m` } } } })
  await lab.write({ 'first.yaml': [requesting('first')] })
  const first = await lab.untilHealthy(key('first'))
  await lab.write({ 'second.yaml': [requesting('second')] })
  const second = await lab.until('there is no room', ({ workloads }) =>
    workloads.find((each) => each.key === key('second') && each.pods.some(({ reason }) => reason === 'Unschedulable')),
  )
  expect(second.message).toContain('0/1 nodes are available: 1 Insufficient cpu (it requests ')
  // What a daemon would not do is no part of a plan.
  const planned = await lab.trireme('plan', ...lab.flags(), ...nodeFlags)
  expect(planned.output).not.toMatch(/create second/)
  const after = await lab.status()
  expect(after.nodes[0]!.requested.cpuCores).toBeCloseTo(half / 1000)
  expect(after.workloads.find((each) => each.key === key('first'))?.pods[0]?.uid).toBe(first.pods[0]?.uid)
  await lab.write({ 'first.yaml': null })
  await lab.untilHealthy(key('second'))
  await lab.write({ 'second.yaml': null })
})

test('a LimitRange gives a container its limit, which Docker enforces', async () => {
  const limits = [{ type: 'Container', default: { memory: '48Mi' } }]
  const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: named('bounds'), spec: { limits } }
  await lab.write({ 'range.yaml': [range], 'bound.yaml': [app('bound', { pod: { tolerations } })] })
  await lab.untilHealthy(key('bound'))
  const [pod] = await lab.pods(key('bound'))
  expect(pod?.containers[0]?.limits.memoryBytes).toBe(48 * 2 ** 20)
  const limit = 'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes'
  expect(await lab.exec(pod!, 'app', limit)).toBe(String(48 * 2 ** 20))
  await lab.write({ 'range.yaml': null, 'bound.yaml': null })
  await lab.until('it is gone', ({ workloads }) => !workloads.some((each) => each.key === key('bound')))
})

test('a container waits for its seccomp profile, and is then bound by it', async () => {
  const seccompProfile = { type: 'Localhost', localhostProfile: 'team/no-links.json' }
  await lab.write({ 'profiled.yaml': [app('profiled', { pod: { tolerations, securityContext: { seccompProfile } } })] })
  const waiting = await lab.until('it says what is missing', ({ workloads }) =>
    workloads.find((each) => each.key === key('profiled') && each.message.includes('no-links.json')),
  )
  expect(waiting.message).toContain(`${lab.data}/seccomp/team/no-links.json is not there`)
  await mkdir(`${lab.data}/seccomp/team`, { recursive: true })
  const syscalls = [{ names: ['symlink', 'symlinkat'], action: 'SCMP_ACT_ERRNO' }]
  await writeFile(`${lab.data}/seccomp/team/no-links.json`, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }))
  await lab.untilHealthy(key('profiled'))
  const [pod] = await lab.pods(key('profiled'))
  expect(await lab.exec(pod!, 'app', 'ln -s /tmp /tmp/a 2>&1 || touch /tmp/b && ls /tmp/b')).toMatch(
    /not permitted[\s\S]*\/tmp\/b/,
  )
  await lab.write({ 'profiled.yaml': null })
})

test('a pod that writes more than its ephemeral-storage limit is evicted, and another takes its place', async () => {
  const lifecycle = { postStart: { exec: { command: ['sh', '-c', 'dd if=/dev/zero of=/large bs=1M count=8'] } } }
  const resources = { limits: { 'ephemeral-storage': '4Mi' } }
  await lab.write({ 'writer.yaml': [app('writer', { pod: { tolerations }, container: { lifecycle, resources } })] })
  await lab.until('it was evicted', async () => {
    const events = await lab.events()
    return events.some(
      ({ object, message }) => object === key('writer') && /Evicted: container app has written \d+Mi/.test(message),
    )
  })
  await lab.write({ 'writer.yaml': null })
})

test('a Service without a selector leads to the addresses that Git gives', async () => {
  const server = createServer((_, response) => response.end('outside\n'))
  const gateway = await lab.docker(
    'network',
    'inspect',
    `trireme-${lab.cluster}`,
    '--format',
    '{{(index .IPAM.Config 0).Gateway}}',
  )
  await new Promise<void>((listening) => server.listen(0, gateway, listening))
  try {
    const { port } = server.address() as AddressInfo
    const bare = { apiVersion: 'v1', kind: 'Service', metadata: named('outside'), spec: { ports: [{ port: 80 }] } }
    const subsets = [{ addresses: [{ ip: gateway }], ports: [{ port }] }]
    await lab.write({ 'outside.yaml': [bare, { apiVersion: 'v1', kind: 'Endpoints', metadata: named('outside'), subsets }] })
    await lab.untilHealthy(key('web'))
    const [pod] = await lab.pods(key('web'))
    const answer = await lab.until('it answers by its name', async () => {
      const said = await lab.exec(pod!, 'app', 'wget -q -O - http://outside/ || true')
      return said.includes('outside') ? said : undefined
    })
    expect(answer).toContain('outside')
  } finally {
    server.close()
  }
})
