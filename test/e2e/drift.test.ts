/** Whatever somebody does to the containers behind the daemon's back is mended, and told as drift with its cause. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PodStatus } from '../../src/reconcilers/status.ts'
import { app, configMap, secret, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'

const lab = new DaemonLab('drift')
const web = 'Deployment/default/web'
const files = 'Deployment/default/files'
let foreign = ''
/** uid of the pod whose files are edited */
let edited = ''

beforeAll(async () => {
  await lab.write({
    'app.yaml': [
      app('web', { replicas: 2, container: { resources: { limits: { memory: '64Mi', cpu: '500m' } } } }),
      service('web', { type: 'NodePort' }),
      configMap('settings', { 'app.conf': 'as in Git', 'other.conf': 'untouched' }),
      secret('keys', { token: 'a secret of Git' }),
      app('files', {
        pod: {
          volumes: [
            { name: 'conf', configMap: { name: 'settings' } },
            { name: 'keys', secret: { secretName: 'keys' } },
          ],
        },
        container: {
          volumeMounts: [
            { name: 'conf', mountPath: '/conf' },
            { name: 'keys', mountPath: '/keys' },
          ],
        },
      }),
    ],
  })
  // Named as one of ours would be, and without our cluster's label: not ours.
  foreign = await lab.docker(
    'run',
    '-d',
    '--name',
    `k8s_app_${lab.cluster}_foreign`,
    '--label',
    'trireme.role=pod',
    'trireme/stub:1',
  )
  await lab.start()
  await lab.untilHealthy(web)
  // Volumes are read back in slow rounds: what is edited here is looked at in the last test.
  const [pod] = (await lab.untilHealthy(files)).pods as [PodStatus]
  edited = pod.uid
  const byHand = join(lab.folder, 'by-hand')
  writeFileSync(byHand, 'edited by hand\n')
  await lab.docker('cp', byHand, `${await lab.container(pod, 'POD')}:/trireme/conf/app.conf`)
  await lab.exec(pod, 'POD', 'rm /trireme/keys/token')
})

afterAll(async () => {
  await lab.docker('rm', '-f', foreign)
  await lab.remove()
})

/** Does something to a pod of `web` and waits until it is told as this kind of drift, mended, and the workload healthy. */
async function mended(kind: string, cause: RegExp, act: (pod: PodStatus) => Promise<unknown>): Promise<PodStatus> {
  const [pod] = (await lab.untilHealthy(web)).pods as [PodStatus]
  const before = await lab.drift(kind)
  const since = Date.now()
  await act(pod)
  await lab.until(`drift ${kind} counted`, async () => (await lab.drift(kind)) > before)
  await lab.until(`event DriftMended ${cause}`, async () =>
    (await lab.events()).some(({ reason, message, at }) => reason === 'DriftMended' && cause.test(message) && at >= since),
  )
  await lab.untilHealthy(web)
  return pod
}

async function inspect(container: string, format: string): Promise<string> {
  return lab.docker('inspect', '--format', format, container)
}

test('a container that was killed runs again, in the same pod', async () => {
  const pod = await mended('stopped', /stopped or killed from outside/, async (target) =>
    lab.docker('kill', await lab.container(target, 'app')),
  )
  const after = (await lab.pods(web)).find(({ uid }) => uid === pod.uid)
  expect(after?.ip).toBe(pod.ip)
  expect(after?.restarts).toBe(1)
})

test('a paused container goes on', async () => {
  let id = ''
  await mended('paused', /drift: paused/, async (pod) => {
    id = await lab.container(pod, 'app')
    await lab.docker('pause', id)
  })
  expect(await inspect(id, '{{.State.Status}}')).toBe('running')
})

test('a removed container comes back in its pod', async () => {
  const pod = await mended('removed', /container was removed/, async (target) =>
    lab.docker('rm', '-f', await lab.container(target, 'app')),
  )
  expect((await lab.pods(web)).map(({ uid }) => uid)).toContain(pod.uid)
})

test('a renamed container gets its name back', async () => {
  let id = ''
  let name = ''
  await mended('renamed', /drift: name is .*odd/, async (pod) => {
    id = await lab.container(pod, 'app')
    name = await inspect(id, '{{.Name}}')
    await lab.docker('rename', id, `${lab.cluster}-odd`)
  })
  expect(await inspect(id, '{{.Name}}')).toBe(name)
})

test('a changed memory limit is set back in place', async () => {
  let id = ''
  await mended('resources', /memory limit is 32Mi, not 64Mi/, async (pod) => {
    id = await lab.container(pod, 'app')
    await lab.docker('update', '--memory', '32m', '--memory-swap', '32m', id)
  })
  expect(await inspect(id, '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}')).toBe(`${64 << 20} ${64 << 20}`)
})

test('a changed cpu limit is set back in place', async () => {
  let id = ''
  await mended('resources', /cpu limit is 250m, not 500m/, async (pod) => {
    id = await lab.container(pod, 'app')
    await lab.docker('update', '--cpu-quota', '25000', id)
  })
  expect(await inspect(id, '{{.HostConfig.CpuQuota}}')).toBe('50000')
})

test('a pod taken off its network comes back to it with its address', async () => {
  const pod = await mended('network', /not attached to network/, async (target) =>
    lab.docker('network', 'disconnect', `trireme-${lab.cluster}`, await lab.container(target, 'POD')),
  )
  expect(await inspect(await lab.container(pod, 'POD'), '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')).toBe(pod.ip)
  const answer = await fetch(`http://${pod.ip}:8080/`, { headers: { connection: 'close' } })
  expect((await answer.text()).trim()).toBe(pod.name)
})

test('a pod whose sandbox was removed is replaced', async () => {
  const pod = await mended('removed', /sandbox was removed/, async (target) =>
    lab.docker('rm', '-f', await lab.container(target, 'POD')),
  )
  expect((await lab.pods(web)).map(({ uid }) => uid)).not.toContain(pod.uid)
  await lab.untilTrue(
    'nothing of the old pod is left',
    async () => (await lab.containers(`io.kubernetes.pod.uid=${pod.uid}`)).length === 0,
  )
})

test('a pod whose sandbox was killed is replaced', async () => {
  const pod = await mended('stopped', /sandbox exited/, async (target) => lab.docker('kill', await lab.container(target, 'POD')))
  expect((await lab.pods(web)).map(({ uid }) => uid)).not.toContain(pod.uid)
})

test('a paused sandbox goes on', async () => {
  await mended('paused', /drift: paused/, async (pod) => lab.docker('pause', await lab.container(pod, 'POD')))
})

/** Makes a container with labels of one that exists, some changed; returns its id. */
async function imitate(container: string, change: Readonly<Record<string, string>> = {}): Promise<string> {
  const labels = { ...(JSON.parse(await inspect(container, '{{json .Config.Labels}}')) as Record<string, string>), ...change }
  const given = Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`])
  return lab.docker('create', ...given, 'trireme/stub:1')
}

for (const { name, of, change, cause } of [
  { name: 'a copy of a container', of: 'app', change: {}, cause: /extra container carries its labels/ },
  { name: 'a copy of a sandbox', of: 'POD', change: {}, cause: /extra (container|sandbox)/ },
  { name: 'a pod that was never made', of: 'app', change: { 'io.kubernetes.pod.uid': 'made-up' }, cause: /extra pod/ },
  {
    name: 'a container of a workload that was never there',
    of: 'app',
    change: { 'trireme.owner': 'Workflow/default/made-up' },
    cause: /extra/,
  },
  {
    name: 'a container with a role that is not known',
    of: 'app',
    change: { 'trireme.role': 'pirate' },
    cause: /extra container/,
  },
  {
    name: 'a copy of the pod under an unknown container name',
    of: 'app',
    change: { 'io.kubernetes.container.name': 'x' },
    cause: /extra/,
  },
]) {
  test(`an extra container carrying our labels goes: ${name}`, async () => {
    let extra = ''
    const all = await lab.untilHealthy(web).then(() => lab.containers('trireme.role=pod'))
    await mended('extra', cause, async (pod) => {
      extra = await imitate(await lab.container(pod, of), change)
    })
    await lab.untilTrue('the extra container is gone', async () => !(await lab.containers()).includes(extra))
    expect(await lab.containers('trireme.role=pod')).toEqual(all)
  })
}

async function reachable(): Promise<boolean> {
  const { clusterIP } = await lab.service('Service/default/web')
  const answer = await fetch(`http://${clusterIP}/`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(2000) })
  return answer.ok
}

test("the router's rules come back when somebody flushes them", async () => {
  await mended('routes', /rules were changed/, async () => lab.docker('exec', await lab.router(), 'nft', 'flush', 'ruleset'))
  await lab.untilTrue('the Service answers', reachable)
})

/** What the router holds to be its own: its rules and names as they are. It looks a moment after each change. */
const SEALED =
  '. /usr/local/lib/trireme/state.sh; for what in nft dns; do [ "$("$what"_fingerprint)" = "$(cat "$run/$what.sealed")" ] || exit 0; done; echo sealed'

test("the router's names come back when somebody changes them", async () => {
  // What is changed by hand before that is not known to be another's: see the limits in ARCHITECTURE.md.
  await lab.untilTrue('the router has noted what it serves', async () =>
    (await lab.docker('exec', await lab.router(), 'bash', '-c', SEALED)).includes('sealed'),
  )
  const [pod] = (await lab.pods(web)) as [PodStatus]
  await mended('dns', /names were changed/, async () =>
    lab.docker('exec', await lab.router(), 'unbound-control', 'local_data', 'web.default.svc.cluster.local. 5 IN A 10.9.9.9'),
  )
  const { clusterIP } = await lab.service('Service/default/web')
  await lab.untilTrue('the name leads to the Service', async () =>
    (await lab.exec(pod, 'app', 'nslookup web.default.svc.cluster.local')).includes(clusterIP),
  )
})

for (const { name, kind, cause, act } of [
  { name: 'paused', kind: 'paused', cause: /drift: paused/, act: ['pause'] },
  { name: 'stopped', kind: 'stopped', cause: /drift: stopped/, act: ['stop', '-t', '1'] },
  { name: 'killed', kind: 'stopped', cause: /drift: stopped/, act: ['kill'] },
  { name: 'removed', kind: 'removed', cause: /router was removed/, act: ['rm', '-f'] },
])
  test(`a router that was ${name} serves again, and no pod notices`, async () => {
    const pods = await lab.containers('trireme.role=pod')
    await mended(kind, cause, async () => lab.docker(...act, await lab.router()))
    await lab.untilTrue('the Service answers', reachable)
    await lab.until('the router is connected', ({ nodes }) => nodes[0]?.router.connected)
    expect(await lab.containers('trireme.role=pod')).toEqual(pods)
  })

for (const { name, kind, cause, act } of [
  { name: 'paused', kind: 'paused', cause: /drift: paused/, act: ['pause'] },
  { name: 'killed', kind: 'stopped', cause: /drift: stopped/, act: ['kill'] },
  { name: 'removed', kind: 'removed', cause: /edge was removed/, act: ['rm', '-f'] },
])
  test(`an edge that was ${name} publishes again`, async () => {
    await mended(kind, cause, async () => lab.docker(...act, ...(await lab.containers('trireme.role=edge'))))
    const [port] = (await lab.service('Service/default/web')).ports
    await lab.untilTrue('the node port answers', async () => (await fetch(`http://127.0.0.1:${port?.nodePort}/`)).ok)
  })

test('a container that was stopped, and ended well, runs again', async () => {
  // What runs steadily is Docker's to restart, so what rests has been told to.
  await mended('stopped', /stopped or killed from outside \(exit 0\)/, async (pod) => {
    const id = await lab.container(pod, 'app')
    await lab.untilTrue('runs steadily', async () => (await inspect(id, '{{.HostConfig.RestartPolicy.Name}}')) === 'always')
    await lab.docker('stop', '-t', '5', id)
  })
})

test('files edited in a volume, at the start of this file, have been put back', async () => {
  const [pod] = (await lab.pods(files)) as [PodStatus]
  await lab.untilTrue(
    'both volumes are as in Git',
    async () =>
      (await lab.exec(pod, 'app', 'cat /conf/app.conf /conf/other.conf /keys/token')) === 'as in Gituntoucheda secret of Git',
    60_000,
  )
  await lab.until('drift is counted', async () => (await lab.drift('files')) >= 2)
  await lab.untilEvent('DriftMended', /app.conf changed from outside/)
  await lab.untilEvent('DriftMended', /token changed from outside/)
  expect(pod.uid).toBe(edited)
})

test('what is not ours was never touched', async () => {
  expect(await inspect(foreign, '{{.State.Status}} {{.RestartCount}}')).toBe('running 0')
})
