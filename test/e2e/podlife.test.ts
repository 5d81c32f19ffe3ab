/** The life of a pod on the real engine: init containers, sidecars, deadlines, and what a pod shares. */
import { readlinkSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, configMap, STUB, secret, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'

const lab = new DaemonLab('podlife')
const key = (name: string, kind = 'Deployment') => `${kind}/default/${name}`
const ALLOWED = ['--allow', 'default=hostNetwork,hostPID,hostIPC']
const volumes = [{ name: 'log', emptyDir: {} }]
const volumeMounts = [{ name: 'log', mountPath: '/log' }]

/** A container that runs a script, with a volume at /log that it shares with its pod. */
function script(name: string, text: string, more: object = {}): object {
  return { name, image: STUB, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', text], volumeMounts, ...more }
}

function sidecar(name: string, text: string, more: object = {}): object {
  return script(name, text, { restartPolicy: 'Always', ...more })
}

function pod(name: string, spec: object): object {
  const base = { restartPolicy: 'Never', terminationGracePeriodSeconds: 2, volumes }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { kind: name } },
    spec: { ...base, ...spec },
  }
}

async function onlyPod(name: string, kind = 'Deployment') {
  const [found, ...others] = await lab.pods(key(name, kind))
  if (found === undefined || others.length > 0) throw new Error(`${name} has ${others.length + Number(found !== undefined)} pods`)
  return found
}

beforeAll(async () => {
  // Without any object at all everything would stay as it is.
  await lab.write({ 'keep.yaml': [configMap('keep', {})] })
  await lab.start(...ALLOWED)
})
afterAll(() => lab.remove())

test('init containers run in order, again when they fail, a sidecar serves those after it, and it stops last', async () => {
  const serve = 'echo proxy >> /log/order; exec sh /stub.sh'
  const initContainers = [
    script('first', 'echo first >> /log/order; test -e /log/tried || { touch /log/tried; echo not yet; exit 3; }'),
    sidecar('proxy', serve, {
      env: [{ name: 'PORTS', value: '9000' }],
      startupProbe: { httpGet: { path: '/', port: 9000 }, periodSeconds: 1, failureThreshold: 30 },
    }),
    script('second', 'wget -q -O /dev/null http://127.0.0.1:9000/ && echo second >> /log/order'),
  ]
  const container = { command: ['sh', '-c', 'echo app >> /log/order; exec sh /stub.sh'], volumeMounts }
  await lab.write({ 'ordered.yaml': [app('ordered', { pod: { initContainers, volumes }, container })] })
  await lab.untilHealthy(key('ordered'))
  const found = await onlyPod('ordered')
  expect((await lab.exec(found, 'app', 'cat /log/order')).split('\n')).toEqual(['first', 'first', 'proxy', 'second', 'app'])
  expect(found.initContainers.map(({ name, state, ready, restarts }) => [name, state, ready, restarts])).toEqual([
    ['first', 'terminated', true, 1],
    ['proxy', 'running', true, 0],
    ['second', 'terminated', true, 0],
  ])
  const labels = `namespace="default",pod="${found.name}",uid="${found.uid}",container="first"`
  expect(await lab.metric(`kube_pod_init_container_status_restarts_total{${labels}}`)).toBe(1)

  const since = String(Math.floor(Date.now() / 1000))
  await lab.write({ 'ordered.yaml': null })
  await lab.until('it is gone', ({ workloads }) => !workloads.some((workload) => workload.key === key('ordered')))
  const filters = ['--filter', `label=io.kubernetes.pod.uid=${found.uid}`, '--filter', 'event=die']
  const until = String(Math.floor(Date.now() / 1000) + 1)
  const format = '{{index .Actor.Attributes "io.kubernetes.container.name"}}'
  const died = await lab.docker('events', '--since', since, '--until', until, ...filters, '--format', format)
  expect(died.split('\n').filter((name) => name === 'app' || name === 'proxy')).toEqual(['app', 'proxy'])
})

test('a daemon that is killed runs no init container again that has completed meanwhile, removed or not', async () => {
  const text = 'echo run >> /log/runs; until test -e /log/go; do usleep 50000; done'
  const pod = { initContainers: [script('wait', text)], volumes }
  await lab.write({ 'killed.yaml': [app('killed', { pod, container: { volumeMounts } })] })
  const { uid } = await lab.until('the init container runs', ({ workloads }) =>
    workloads
      .find((one) => one.key === key('killed'))
      ?.pods.find(({ initContainers: [one], reason }) => one?.state === 'running' && reason === 'Init:0/1'),
  )
  await lab.kill()
  await lab.exec({ uid }, 'wait', 'touch /log/go')
  const init = await lab.container({ uid }, 'wait')
  await lab.untilTrue(
    'it has completed',
    async () => (await lab.docker('inspect', '--format', '{{.State.Status}}', init)) === 'exited',
  )
  await lab.start(...ALLOWED)
  await lab.untilHealthy(key('killed'))
  const before = await onlyPod('killed')
  expect(before.uid).toBe(uid)
  await lab.kill()
  await lab.docker('rm', init)
  await lab.start(...ALLOWED)
  await lab.untilHealthy(key('killed'))
  const after = await onlyPod('killed')
  expect([after.uid, after.readySince]).toEqual([before.uid, before.readySince])
  expect(await lab.exec(after, 'app', 'cat /log/runs')).toBe('run')
  await lab.write({ 'killed.yaml': null })
})

test('a pod that does not restart is done with its main container, and its sidecar is stopped', async () => {
  const initContainers = [sidecar('logs', 'exec sh /stub.sh')]
  await lab.write({ 'task.yaml': [pod('task', { initContainers, containers: [script('main', 'echo done')] })] })
  const done = await lab.until('it has succeeded', ({ workloads }) =>
    workloads.find((one) => one.key === key('task', 'Pod'))?.pods.find(({ phase }) => phase === 'Succeeded'),
  )
  expect(done.initContainers.map(({ state }) => state)).toEqual(['terminated'])
  expect(await lab.docker('inspect', '--format', '{{.State.Status}}', await lab.container(done, 'logs'))).toBe('exited')
  await lab.untilHealthy(key('task', 'Pod'))
  await lab.write({ 'task.yaml': null })
})

test('a sidecar does not hold a Job open, and an init container comes before each of its pods', async () => {
  const initContainers = [sidecar('logs', 'exec sh /stub.sh'), script('before', 'touch /log/ready')]
  const containers = [script('main', 'test -e /log/ready && echo done')]
  const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 2, volumes, initContainers, containers }
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'sums', namespace: 'default' },
    spec: { completions: 2, template: { spec } },
  }
  await lab.write({ 'sums.yaml': [job] })
  const { pods } = await lab.untilHealthy(key('sums', 'Job'))
  expect(pods.map(({ phase, initContainers: all }) => [phase, ...all.map(({ state }) => state)])).toEqual(
    Array.from({ length: 2 }, () => ['Succeeded', 'terminated', 'terminated']),
  )
  await lab.write({ 'sums.yaml': null })
})

test('a pod that is not done by its deadline has failed, and a failed init container ends one that does not restart', async () => {
  await lab.write({
    'late.yaml': [
      pod('late', { activeDeadlineSeconds: 5, restartPolicy: 'Always', containers: [script('main', 'exec sh /stub.sh')] }),
    ],
    'broken.yaml': [
      pod('broken', { initContainers: [script('check', 'exit 4')], containers: [script('main', 'exec sh /stub.sh')] }),
    ],
  })
  const failed = (name: string) =>
    lab.until(`${name} has failed`, ({ workloads }) =>
      workloads.find((one) => one.key === key(name, 'Pod'))?.pods.find(({ phase }) => phase === 'Failed'),
    )
  expect(await failed('late')).toMatchObject({ reason: 'DeadlineExceeded', containers: [{ state: 'terminated' }] })
  expect(await failed('broken')).toMatchObject({
    reason: 'Init:Error',
    message: 'init container check exited with 4',
    containers: [{ containerId: '' }],
  })
  await lab.write({ 'late.yaml': null, 'broken.yaml': null })
})

test('containers that share their processes see each other, and what nobody waits for is reaped', async () => {
  const orphan = 'sh -c "sleep 0.2 & exec sleep 0.1"'
  const initContainers = [sidecar('helper', `${orphan}; exec sleep 1000`)]
  const container = { lifecycle: { stopSignal: 'SIGQUIT' }, command: ['sh', '-c', 'trap "exit 0" QUIT; sh /stub.sh & wait'] }
  const spec = { initContainers, volumes, shareProcessNamespace: true, subdomain: 'names', setHostnameAsFQDN: true }
  await lab.write({ 'shared.yaml': [app('shared', { pod: spec, container })] })
  await lab.untilHealthy(key('shared'))
  const found = await onlyPod('shared')
  const processes = () => lab.exec(found, 'app', 'ps -o pid,stat,args')
  expect(await processes()).toContain('sleep 1000')
  await lab.untilTrue('the orphan has ended', async () => !(await processes()).includes('sleep 0.2'))
  expect(await processes()).not.toMatch(/^\s*\d+\s+Z/m)
  expect(await lab.exec(found, 'app', 'hostname')).toBe(`${found.name}.names.default.svc.cluster.local`)
  expect(await lab.docker('inspect', '--format', '{{.Config.StopSignal}}', await lab.container(found, 'app'))).toBe('SIGQUIT')
  await lab.write({ 'shared.yaml': null })
  await lab.until('it is gone', ({ workloads }) => !workloads.some((workload) => workload.key === key('shared')))
})

test('a runtime is asked of the engine, and one that it does not have is waited for', async () => {
  await lab.write({
    'runc.yaml': [app('runc', { pod: { runtimeClassName: 'runc', hostnameOverride: 'other.example.com' } })],
    'vm.yaml': [app('vm', { pod: { runtimeClassName: 'kata' } })],
  })
  await lab.untilHealthy(key('runc'))
  expect(await lab.exec(await onlyPod('runc'), 'app', 'hostname')).toBe('other.example.com')
  const waiting = await lab.until('it says what it waits for', ({ workloads }) =>
    workloads.find(({ key: one, message }) => one === key('vm') && message.includes('no container runtime kata')),
  )
  expect(waiting.pods[0]).toMatchObject({ phase: 'Pending', reason: 'CreateContainerConfigError' })
  await lab.write({ 'runc.yaml': null, 'vm.yaml': null })
})

test('the message of a container that has ended is told without secrets, and its log is found by label', async () => {
  const env = [{ name: 'HUSH', valueFrom: { secretKeyRef: { name: 'hush', key: 'word' } } }]
  const said = 'echo "cannot open the door with $HUSH"'
  await lab.write({
    'hush.yaml': [secret('hush', { word: 'open-sesame-4711' })],
    'file.yaml': [
      pod('file', { containers: [script('main', `${said} > /log/last; exit 1`, { env, terminationMessagePath: '/log/last' })] }),
    ],
    'log.yaml': [
      pod('log', {
        initContainers: [script('before', 'echo prepared')],
        containers: [script('main', `${said}; exit 1`, { env, terminationMessagePolicy: 'FallbackToLogsOnError' })],
      }),
    ],
  })
  for (const name of ['file', 'log']) {
    const told = await lab.until(`${name} has left its message`, ({ workloads }) =>
      workloads
        .find((one) => one.key === key(name, 'Pod'))
        ?.pods.flatMap(({ containers }) => containers)
        .find(({ lastTermination }) => (lastTermination?.message ?? '') !== ''),
    )
    expect(told.lastTermination).toMatchObject({ reason: 'Error', exitCode: 1 })
    expect(told.lastTermination?.message).toMatch(/^cannot open the door with \[redacted[^\]]*\]$/)
  }
  const logs = await lab.trireme(
    'logs',
    '-l',
    'kind in (log, none)',
    '--all-containers',
    '--timestamps',
    '--since',
    '1h',
    '-s',
    lab.url,
  )
  expect(logs.code).toBe(0)
  const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`
  expect(logs.output).toMatch(new RegExp(`^\\[log/before\\] ${time} prepared$`, 'm'))
  expect(logs.output).toMatch(new RegExp(`^\\[log/main\\] ${time} cannot open the door with \\[redacted`, 'm'))
  await lab.write({ 'file.yaml': null, 'log.yaml': null, 'hush.yaml': null })
})

test('where the operator allows it, a pod has the network, the processes and the memory of its node', async () => {
  const container = { env: [{ name: 'PORTS', value: '18473' }], ports: [{ name: 'http', containerPort: 18473 }] }
  const spec = { hostNetwork: true, hostPID: true, hostIPC: true, dnsPolicy: 'ClusterFirstWithHostNet' }
  await lab.write({ 'node.yaml': [app('node', { pod: spec, container }), service('node')] })
  await lab.untilHealthy(key('node'))
  const found = await onlyPod('node')
  const { clusterIP } = await lab.service('Service/default/node')
  const host = (await lab.docker('info', '--format', '{{.Name}}')).trim()
  await lab.untilTrue(
    'it answers at its Service',
    async () => (await (await fetch(`http://${clusterIP}/`)).text()).trim() === host,
  )
  const peer = app('peer', { container: { command: ['sh', '-c', 'wget -q -O - http://node/ && exec sh /stub.sh'] } })
  await lab.write({ 'peer.yaml': [peer] })
  await lab.untilHealthy(key('peer'))
  for (const kind of ['net', 'pid', 'ipc'])
    expect(await lab.exec(found, 'app', `readlink /proc/self/ns/${kind}`), kind).toBe(readlinkSync(`/proc/self/ns/${kind}`))
  await lab.write({ 'node.yaml': null, 'peer.yaml': null })
})

test('a pod is ready and served once its readiness gate is open, over a restart of the daemon, until it is closed', async () => {
  const readinessGates = [{ conditionType: 'example.com/warm' }]
  await lab.write({ 'gated.yaml': [app('gated', { pod: { readinessGates } }), service('gated')] })
  await lab.until('it waits for its gate', ({ workloads }) =>
    workloads.some(
      (each) => each.key === key('gated') && each.message.includes('readiness gate "example.com/warm" does not exist'),
    ),
  )
  const found = await onlyPod('gated')
  const say = async (status: string, type = 'example.com/warm'): Promise<number> => {
    const query = new URLSearchParams({ pod: `default/${found.name}`, type, status })
    return (await fetch(`${lab.url}/api/v1/conditions?${query}`, { method: 'POST' })).status
  }
  const routed = async (): Promise<boolean> => (await lab.service('Service/default/gated')).endpoints.some(({ ready }) => ready)
  expect(await routed()).toBe(false)
  expect(await say('True', 'example.com/other')).toBe(400)
  expect(await say('True')).toBe(200)
  await lab.untilHealthy(key('gated'))
  await lab.untilTrue('it is served', routed)
  await lab.kill()
  await lab.start(...ALLOWED)
  await lab.untilHealthy(key('gated'))
  expect((await onlyPod('gated')).uid).toBe(found.uid)
  expect(await say('False')).toBe(200)
  await lab.untilTrue('it is not served any more', async () => !(await routed()))
  await lab.write({ 'gated.yaml': null })
})
