/** From commits to what runs: what a commit changes, and what a bad one does not. */
import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, configMap, secret, service } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'

const lab = new DaemonLab('gitops', { source: 'git' })
const web = 'Deployment/default/web'
const side = 'Deployment/default/side'

/** Rolls with `release`; fails at once when that is `broken`. */
function release(name: string, version: string, options: Parameters<typeof app>[1] = {}): object {
  const script = version === 'broken' ? 'echo starting; echo fatal: no such table: orders; exit 3' : 'exec sh /stub.sh'
  return app(name, {
    replicas: 2,
    ...options,
    spec: { progressDeadlineSeconds: 4, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }, ...options.spec },
    container: {
      command: ['sh', '-c', script],
      readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
      env: [
        { name: 'PORTS', value: '8080' },
        { name: 'RELEASE', value: version },
      ],
      ...options.container,
    },
  })
}

beforeAll(async () => {
  await lab.init()
  const sha = await lab.write({
    'web.yaml': [release('web', '1'), service('web')],
    'side.yaml': [release('side', '1', { replicas: 1 })],
  })
  await lab.start()
  await lab.untilRevision(sha)
})

afterAll(async () => {
  await lab.remove()
})

async function uids(key: string): Promise<string[]> {
  return (await lab.pods(key)).map(({ uid }) => uid).sort()
}

/** The RELEASE that all pods of a workload run with. */
async function releases(key: string): Promise<string> {
  const pods = (await lab.pods(key)).filter(({ terminating }) => !terminating)
  const found = await Promise.all(pods.map((pod) => lab.exec(pod, 'app', 'echo $RELEASE')))
  return [...new Set(found)].join()
}

async function source() {
  return (await lab.status()).sources[0]!
}

async function untilError(pattern: RegExp): Promise<string> {
  return lab.until(`error ${pattern}`, ({ sources }) => (pattern.test(sources[0]?.error ?? '') ? sources[0]?.error : undefined))
}

test('a commit that changes nothing rendered changes nothing running', async () => {
  const before = await lab.containers()
  await lab.untilRevision(await lab.write({ 'README.md': 'not a manifest' }))
  expect(await lab.containers()).toEqual(before)
})

test('a new commit rolls what it changed, and that alone', async () => {
  const other = await uids(side)
  await lab.untilRevision(await lab.write({ 'web.yaml': [release('web', '2'), service('web')] }))
  expect(await releases(web)).toBe('2')
  expect(await uids(side)).toEqual(other)
})

test('a newer commit supersedes a running rollout', async () => {
  const slow = { container: { readinessProbe: { exec: { command: ['test', '-e', '/never'] }, periodSeconds: 1 } } }
  const stuck = await lab.write({ 'web.yaml': [release('web', 'stuck', slow), service('web')] })
  await lab.until('the stuck release is on its way', ({ workloads }) =>
    workloads.some(({ key, updated }) => key === web && updated > 0),
  )
  const sha = await lab.write({ 'web.yaml': [release('web', '3'), service('web')] })
  await lab.untilRevision(sha)
  expect(await releases(web)).toBe('3')
  expect((await source()).healthy).not.toBe(stuck)
})

test('a failing rollout keeps the old pods and says why, with the last line of its log; a revert heals it', async () => {
  const before = await uids(web)
  const sha = await lab.write({ 'web.yaml': [release('web', 'broken'), service('web')] })
  const failed = await lab.until('the rollout has failed', ({ workloads }) =>
    workloads.find(({ key, condition }) => key === web && condition === 'Failed'),
  )
  expect(failed.message).toContain('fatal: no such table: orders')
  expect(failed.message).toMatch(/exited with 3/)
  expect(failed).toMatchObject({ available: 2, healthy: false })
  expect(await uids(web)).toEqual(expect.arrayContaining(before))
  expect(await source()).toMatchObject({ attempted: sha, applied: sha })
  expect((await source()).healthy).not.toBe(sha)
  await lab.git('revert', '--no-edit', 'HEAD')
  await lab.untilRevision(await lab.commit('Revert'))
  expect(await uids(web)).toEqual(before)
})

test('an image that cannot be pulled keeps the old pods and says so', async () => {
  const before = await uids(web)
  await lab.write({ 'web.yaml': [release('web', '4', { image: 'localhost:1/no-such-image:9' }), service('web')] })
  const waiting = await lab.until('told', ({ workloads }) =>
    workloads.find(({ key, pods }) => key === web && pods.some(({ reason }) => /ImagePull/.test(reason))),
  )
  expect(waiting.message).toMatch(/localhost:1\/no-such-image:9/)
  expect(waiting.available).toBe(2)
  await lab.untilRevision(await lab.write({ 'web.yaml': [release('web', '3'), service('web')] }))
  expect(await uids(web)).toEqual(before)
})

test('a changed ConfigMap rolls the pods that use it, and an unchanged one none', async () => {
  const using = (name: string) =>
    release(name, '1', {
      replicas: 1,
      container: { envFrom: [{ configMapRef: { name: 'settings' } }], command: ['sh', '/stub.sh'] },
    })
  await lab.untilRevision(await lab.write({ 'conf.yaml': [configMap('settings', { COLOUR: 'red' }), using('conf')] }))
  const [first] = await lab.pods('Deployment/default/conf')
  expect(await lab.exec(first!, 'app', 'echo $COLOUR')).toBe('red')
  const others = [...(await uids(web)), ...(await uids(side))]
  await lab.untilRevision(await lab.write({ 'conf.yaml': [configMap('settings', { COLOUR: 'blue' }), using('conf')] }))
  const [second] = await lab.pods('Deployment/default/conf')
  expect(await lab.exec(second!, 'app', 'echo $COLOUR')).toBe('blue')
  expect([...(await uids(web)), ...(await uids(side))]).toEqual(others)
})

test('a missing Secret is waited for by name, and the application goes on when it comes', async () => {
  const needy = release('needy', '1', {
    replicas: 1,
    container: {
      command: ['sh', '-c', 'test "$TOKEN" && exec sh /stub.sh'],
      env: [
        { name: 'PORTS', value: '8080' },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'made-later', key: 'token' } } },
      ],
    },
  })
  const sha = await lab.write({ 'needy.yaml': [needy] })
  const waiting = await lab.until('it waits', ({ workloads }) =>
    workloads.find(({ key, condition }) => key === 'Deployment/default/needy' && condition === 'Waiting'),
  )
  expect(waiting.message).toMatch(/Secret.*made-later/)
  expect((await source()).healthy).not.toBe(sha)
  const next = await lab.write({ 'made-later.yaml': [secret('made-later', { token: 'a-secret-value' })] })
  await lab.untilRevision(next)
  expect(lab.log().match(/ create needy-\S+\/app/g)).toHaveLength(1)
  for (const text of [lab.log(), (await lab.get('/api/v1/status')).text, (await lab.get('/api/v1/events')).text])
    expect(text).not.toContain('a-secret-value')
})

test('a file that breaks keeps its objects, while others roll', async () => {
  const before = await uids(side)
  await lab.write({ 'side.yaml': 'kind: Deployment\n  metadata: [', 'web.yaml': [release('web', '5'), service('web')] })
  await lab.until('web has rolled', ({ workloads }) =>
    workloads.some(({ key, healthy, sets }) => key === web && healthy && sets.length > 1),
  )
  await lab.untilTrue('web is new', async () => (await releases(web)) === '5')
  const { problems } = await source()
  expect(problems.join('\n')).toMatch(/side\.yaml:\d+/)
  expect(await uids(side)).toEqual(before)
  await lab.untilRevision(await lab.write({ 'side.yaml': [release('side', '1', { replicas: 1 })] }))
  expect(await uids(side)).toEqual(before)
})

test('what left Git goes once the rest is healthy', async () => {
  const [pod] = await lab.pods('Deployment/default/needy')
  const sha = await lab.write({
    'needy.yaml': null,
    'made-later.yaml': null,
    'web.yaml': [release('web', 'broken'), service('web')],
  })
  await lab.until('the rollout has failed', ({ workloads }) =>
    workloads.some(({ key, condition }) => key === web && condition === 'Failed'),
  )
  const held = (await source()).pruneHeld.join('\n')
  expect(held).toMatch(/Deployment\/default\/needy: waits for health: .*Deployment\/default\/web/)
  expect((await uids('Deployment/default/needy'))[0]).toBe(pod!.uid)
  expect(sha).not.toBe('')
  await lab.untilRevision(await lab.write({ 'web.yaml': [release('web', '5'), service('web')] }))
  await lab.until('gone', ({ workloads }) => !workloads.some(({ name }) => name === 'needy'))
  expect(await lab.containers(`io.kubernetes.pod.uid=${pod!.uid}`)).toEqual([])
})

/** A commit that is refused as a whole: told, nothing changed, and the next good one goes on. */
async function refused(pattern: RegExp, act: () => Promise<unknown>, mend: () => Promise<string>): Promise<void> {
  const before = await lab.containers()
  await act()
  await untilError(pattern)
  expect(await lab.containers()).toEqual(before)
  await lab.untilRevision(await mend())
  await lab.until('no error is left', ({ sources }) => sources[0]?.error === '')
  expect(await lab.containers()).toEqual(before)
}

test('an empty tree is refused', async () => {
  await refused(
    /no objects|empty|renders nothing/i,
    async () => {
      await lab.git('rm', '-q', '-r', '.')
      await lab.commit('Remove everything')
    },
    async () => {
      await lab.git('revert', '--no-edit', 'HEAD')
      return lab.commit('Again')
    },
  )
})

test('more than the ceiling is not pruned without confirmation', async () => {
  const before = await lab.containers()
  await lab.git('rm', '-q', 'web.yaml', 'conf.yaml')
  const sha = await lab.commit('Remove most')
  const held = await lab.until('held', ({ sources }) =>
    sources[0]?.attempted === sha && sources[0].pruneHeld.length > 0 ? sources[0].pruneHeld.join('\n') : undefined,
  )
  expect(held).toMatch(/would be pruned, more than 50%/)
  expect(await lab.containers()).toEqual(before)
  await lab.git('revert', '--no-edit', 'HEAD')
  await lab.untilRevision(await lab.commit('Back'))
  expect(await lab.containers()).toEqual(before)
})

test('a repository that is gone', async () => {
  await refused(
    /./,
    async () => {
      renameSync(lab.bare, `${lab.bare}.away`)
      await lab.sync()
    },
    async () => {
      renameSync(`${lab.bare}.away`, lab.bare)
      await lab.sync()
      return lab.git('rev-parse', 'HEAD')
    },
  )
})

test('a branch that is deleted', async () => {
  await refused(
    /main/,
    async () => {
      await lab.gitBare('update-ref', '-d', 'refs/heads/main')
      await lab.sync()
    },
    async () => {
      await lab.git('push', '-q', 'origin', 'main')
      await lab.sync()
      return lab.git('rev-parse', 'HEAD')
    },
  )
})

test('a force-push is followed and told', async () => {
  await lab.git('reset', '-q', '--soft', 'HEAD~1')
  const sha = await lab.commit('Another history', '--force')
  await lab.untilEvent('HistoryRewritten', /force-pushed/)
  await lab.untilRevision(sha)
})

/** Aliases that would unfold to a billion values. */
const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefghi'[i]}`).join()}]`).join('\n')}\n`

for (const { name, files, told } of [
  {
    name: 'an unknown kind',
    files: { 'bad.yaml': [{ apiVersion: 'v1', kind: 'Podd', metadata: { name: 'x' } }] },
    told: /bad\.yaml:\d+.*Podd/,
  },
  {
    name: 'an unknown field, with the nearest one',
    files: { 'bad.yaml': [release('bad', '1', { container: { imagePulPolicy: 'Never' } })] },
    told: /bad\.yaml:\d+.*imagePulPolicy.*imagePullPolicy/,
  },
  {
    name: 'an unknown value',
    files: { 'bad.yaml': [release('bad', '1', { container: { imagePullPolicy: 'Sometimes' } })] },
    told: /bad\.yaml:\d+.*(imagePullPolicy.*Sometimes|Sometimes.*imagePullPolicy)/,
  },
  {
    name: 'a wrong type',
    files: { 'bad.yaml': [release('bad', '1', { spec: { replicas: 'three' } })] },
    told: /bad\.yaml:\d+.*replicas/,
  },
  {
    name: 'an invalid selector',
    files: { 'bad.yaml': [release('bad', '1', { spec: { selector: { matchLabels: { app: 'somebody-else' } } } })] },
    told: /bad\.yaml:\d+.*selector/,
  },
  {
    name: 'an object twice',
    files: { 'bad.yaml': [configMap('settings', { COLOUR: 'green' })] },
    told: /(bad|conf)\.yaml:\d+.*settings/,
  },
  {
    name: 'a key twice',
    files: { 'bad.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {}\ndata: {}\n' },
    told: /bad\.yaml:5.*data/,
  },
  { name: 'an alias bomb', files: { 'bad.yaml': bomb }, told: /bad\.yaml.*alias/ },
  { name: 'a binary file', files: { 'bad.yaml': Buffer.from([0, 1, 2, 3, 0xff, 0xfe, 0, 0]) }, told: /bad\.yaml/ },
  {
    name: 'a privileged pod',
    files: { 'bad.yaml': [release('bad', '1', { container: { securityContext: { privileged: true } } })] },
    told: /bad\.yaml:\d+.*privileged/,
  },
])
  test(`bad input is refused by name, and the rest runs: ${name}`, async () => {
    const before = await lab.containers('trireme.role=pod')
    const sha = await lab.write(files)
    const problems = await lab.until('told', ({ sources }) =>
      sources[0]?.attempted === sha && sources[0].problems.length > 0 ? sources[0].problems.join('\n') : undefined,
    )
    expect(problems).toMatch(told)
    expect(await lab.containers('trireme.role=pod')).toEqual(before)
    expect((await lab.status()).workloads.filter(({ healthy }) => !healthy)).toEqual([])
    await lab.untilRevision(await lab.write({ 'bad.yaml': null }))
    expect((await source()).problems).toEqual([])
  })

test('links out of the tree and a file of 100 MB are refused by name, and the rest runs', async () => {
  const before = await lab.containers('trireme.role=pod')
  symlinkSync('/etc/passwd', join(lab.tree, 'link.yaml'))
  symlinkSync('..', join(lab.tree, 'up'))
  writeFileSync(join(lab.tree, 'huge.yaml'), Buffer.alloc(100 << 20, 'a'))
  const sha = await lab.commit('Hostile')
  const problems = await lab.until('told', ({ sources }) =>
    sources[0]?.attempted === sha && sources[0].problems.length > 0 ? sources[0].problems.join('\n') : undefined,
  )
  expect(problems).toMatch(/link\.yaml/)
  expect(problems).toMatch(/huge\.yaml/)
  // A link that is no manifest is a word in the log, no error.
  expect(lab.log()).toMatch(/up:1: a symbolic link/)
  expect(problems).not.toMatch(/root:/)
  expect(await lab.containers('trireme.role=pod')).toEqual(before)
  await lab.untilRevision(await lab.write({ 'link.yaml': null, up: null, 'huge.yaml': null }))
})

test('plan shows what a commit would do and does nothing; validate names what is wrong', async () => {
  await lab.kill('SIGTERM')
  const before = await lab.containers()
  expect((await lab.trireme('plan', ...lab.flags())).code).toBe(0)
  await lab.write({ 'web.yaml': [release('web', '6'), service('web')] })
  const planned = await lab.trireme('plan', ...lab.flags())
  expect(planned.code).toBe(1)
  expect(planned.output).toMatch(/RELEASE|value/)
  expect(await lab.containers()).toEqual(before)
  expect((await lab.trireme('validate', lab.tree)).code).toBe(0)
  const bad = join(lab.folder, 'bad.yaml')
  writeFileSync(bad, JSON.stringify(release('bad', '1', { spec: { replica: 3 } })))
  const validated = await lab.trireme('validate', bad)
  expect(validated.code).not.toBe(0)
  expect(validated.output).toMatch(/bad\.yaml:1.*replica[\s\S]*replicas/)
})

test('run --once ends with 0 when the commit is healthy, and with 1 and the reason when it is not', async () => {
  const good = await lab.once()
  expect(good).toMatchObject({ code: 0 })
  expect(await lab.docker('ps', '-q', '--filter', `label=trireme.cluster=${lab.cluster}`)).not.toBe('')
  await lab.write({ 'web.yaml': [release('web', 'broken'), service('web')] })
  const bad = await lab.once()
  expect(bad.code).toBe(1)
  expect(bad.output).toMatch(/web.*fatal: no such table: orders/)
  const elsewhere = await lab.once('--path', 'no/such/folder')
  expect(elsewhere.code).toBe(1)
  expect(elsewhere.output).toMatch(/no\/such\/folder/)
  const nobody = await lab.once('--branch', 'no-such-branch')
  expect(nobody.code).toBe(1)
  expect(nobody.output).toMatch(/no-such-branch/)
})

test('down removes everything of this cluster', async () => {
  const ended = await lab.trireme(
    'down',
    '--yes',
    '--volumes',
    '--docker',
    'unix:///var/run/docker.sock',
    '--cluster',
    lab.cluster,
  )
  expect(ended).toMatchObject({ code: 0 })
  expect(await lab.containers()).toEqual([])
  expect(await lab.volumes()).toEqual([])
  expect(await lab.docker('network', 'ls', '-q', '--filter', `label=trireme.cluster=${lab.cluster}`)).toBe('')
})
