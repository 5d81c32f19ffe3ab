/** Volumes on the real engine: data that outlives everything, parts of volumes, files that tell, and files that change. */
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, claim, configMap, keptFor, secret } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'

const lab = new DaemonLab('volumes')
const key = (name: string, namespace = 'default') => `Deployment/${namespace}/${name}`
const dataVolume = `trireme-${lab.cluster}-claim-default_data`
/** folders of this machine that are given to pods */
const host = join(lab.folder, 'host')

const dataVolumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]

/** A database, as far as its volume goes. */
const store = (version: string) =>
  app('store', {
    spec: { strategy: { type: 'Recreate' } },
    pod: { volumes: dataVolumes, securityContext: { runAsUser: 1000, fsGroup: 2000 } },
    container: {
      env: [
        { name: 'PORTS', value: '8080' },
        { name: 'VERSION', value: version },
      ],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    },
  })

/** Parts of a claim and of an emptyDir; one is named by a variable, one is a file of a ConfigMap. */
const parts = app('parts', {
  pod: {
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'parts' } },
      { name: 'scratch', emptyDir: {} },
      { name: 'conf', configMap: { name: 'settings' } },
    ],
  },
  container: {
    env: [
      { name: 'PORTS', value: '8080' },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    volumeMounts: [
      { name: 'data', mountPath: '/data', subPath: 'db/main' },
      { name: 'scratch', mountPath: '/logs', subPathExpr: 'logs/$(POD)' },
      { name: 'conf', mountPath: '/etc/app.conf', subPath: 'app.conf' },
    ],
  },
})

/** What a pod is told, and files that change in place. */
const told = app('told', {
  pod: {
    volumes: [
      {
        name: 'all',
        projected: {
          sources: [
            { configMap: { name: 'settings', items: [{ key: 'app.conf', path: 'conf/app' }] } },
            { secret: { name: 'keys' } },
            { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          ],
        },
      },
      {
        name: 'about',
        downwardAPI: {
          items: [
            { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
            { path: 'memory', resourceFieldRef: { containerName: 'app', resource: 'limits.memory', divisor: '1Mi' } },
          ],
        },
      },
      { name: 'own', ephemeral: { volumeClaimTemplate: { spec: claim('x').spec } } },
    ],
  },
  container: {
    resources: { limits: { memory: '64Mi' } },
    env: [
      { name: 'PORTS', value: '8080' },
      { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
    ],
    volumeMounts: [
      { name: 'all', mountPath: '/all' },
      { name: 'about', mountPath: '/about' },
      { name: 'own', mountPath: '/own' },
    ],
  },
})

const onNode = (namespace: string) =>
  app('node', {
    namespace,
    pod: {
      volumes: [
        { name: 'given', hostPath: { path: join(host, 'given'), type: 'Directory' } },
        { name: 'made', hostPath: { path: join(host, 'made'), type: 'DirectoryOrCreate' } },
      ],
    },
    container: {
      volumeMounts: [
        { name: 'given', mountPath: '/given', readOnly: true },
        { name: 'made', mountPath: '/made' },
      ],
    },
  })

beforeAll(async () => {
  mkdirSync(join(host, 'given'), { recursive: true })
  writeFileSync(join(host, 'given', 'hello'), 'of the node')
  await lab.write({
    'data.yaml': [claim('data')],
    'store.yaml': [store('1')],
    'parts.yaml': [claim('parts'), parts],
    'told.yaml': [configMap('settings', { 'app.conf': 'one' }), secret('keys', { token: 'a secret of Git' }), told],
    'node.yaml': [onNode('trusted'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'trusted' } }],
  })
  await lab.start('--allow', 'trusted=hostPath')
})

afterAll(async () => {
  await lab.remove()
})

async function inPod(name: string, script: string, namespace = 'default'): Promise<string> {
  const { pods } = await lab.untilHealthy(key(name, namespace))
  return lab.exec(pods[0]!, 'app', script)
}

test('the data of a claim outlives a roll, its removal from Git, and comes back with it', async () => {
  await inPod('store', 'echo kept > /data/file')
  expect(await inPod('store', 'stat -c "%u:%g %a" /data /data/file | tr "\\n" ,')).toBe('0:2000 2777,1000:2000 644,')
  await lab.write({ 'store.yaml': [store('2')] })
  await lab.untilTrue('version 2', async () => (await inPod('store', 'echo $VERSION')) === '2')
  expect(await inPod('store', 'cat /data/file')).toBe('kept')
  await lab.write({ 'store.yaml': null, 'data.yaml': null })
  await lab.until('the workload is gone', ({ workloads }) => workloads.every(({ key: one }) => one !== key('store')))
  await lab.until('the claim is retained', ({ claims }) =>
    claims.find(({ name, phase, volume }) => name === 'data' && phase === 'Retained' && volume === dataVolume),
  )
  expect(await lab.volumes()).toContain(dataVolume)
  await lab.write({ 'store.yaml': [store('3')] })
  await lab.until('it waits for its claim', ({ workloads }) =>
    workloads.find(({ key: one, message }) => one === key('store') && message.includes('PersistentVolumeClaim default/data')),
  )
  await lab.write({ 'data.yaml': [claim('data')] })
  expect(await inPod('store', 'cat /data/file')).toBe('kept')
  const bound = (await lab.status()).claims.find(({ name }) => name === 'data')
  expect(bound).toMatchObject({ phase: 'Bound', volume: dataVolume, pods: [expect.stringMatching(/^store-/)] })
})

test('parts of volumes are made, written and found again', async () => {
  await inPod('parts', 'echo row > /data/table; echo line > /logs/out')
  expect(await inPod('parts', 'cat /etc/app.conf')).toBe('one')
  const { pods } = await lab.untilHealthy(key('parts'))
  const [pod] = pods
  expect(await lab.exec(pod!, 'POD', 'cat /trireme/data/db/main/table')).toBe('row')
  expect(await lab.exec(pod!, 'POD', `cat /trireme/scratch/logs/${pod!.name}/out`)).toBe('line')
})

test('a link in the way of a part is never followed', async () => {
  const { pods } = await lab.untilHealthy(key('parts'))
  const [pod] = pods
  await lab.exec(pod!, 'POD', 'cd /trireme/data && mv db aside && ln -s / db')
  await lab.docker('kill', await lab.container(pod!, 'app'))
  await lab.until('it says why it does not start', ({ workloads }) =>
    workloads.find(({ key: one, message }) => one === key('parts') && message.includes('leads over the link db')),
  )
  await lab.exec(pod!, 'POD', 'cd /trireme/data && rm db && mv aside db')
  expect(await inPod('parts', 'cat /data/table')).toBe('row')
})

test('a part is not mounted while another container could exchange it', async () => {
  const writer = (replicas: number) =>
    app('writer', {
      replicas,
      pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'parts' } }] },
      container: { volumeMounts: [{ name: 'data', mountPath: '/whole' }] },
    })
  await lab.write({ 'writer.yaml': [writer(1)] })
  await lab.untilHealthy(key('writer'))
  const [pod] = (await lab.untilHealthy(key('parts'))).pods
  await lab.docker('kill', await lab.container(pod!, 'app'))
  await lab.until('it says who is in the way', ({ workloads }) =>
    workloads.find(
      ({ key: one, message }) => one === key('parts') && /k8s_app_writer-.* can write to the folder above/.test(message),
    ),
  )
  await lab.write({ 'writer.yaml': [writer(0)] })
  expect(await inPod('parts', 'cat /data/table')).toBe('row')
})

test('a claim takes the PersistentVolume that is kept for it, with what is in it', async () => {
  const reader = app('reader', {
    namespace: 'trusted',
    pod: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'given', readOnly: true } }] },
    container: { volumeMounts: [{ name: 'd', mountPath: '/d' }] },
  })
  await lab.write({ 'given.yaml': [...keptFor('given', { path: join(host, 'given') }, 'trusted'), reader] })
  expect(await inPod('reader', 'cat /d/hello; echo x > /d/x || echo refused', 'trusted')).toContain('of the noderefused')
  const { claims } = await lab.status()
  expect(claims.find(({ name }) => name === 'given')).toMatchObject({ phase: 'Bound', persistentVolume: 'given' })
  expect((await lab.trireme('status', '--server', lab.url)).output).toMatch(/trusted +given +Bound +1Gi +manual/)
})

test('a PersistentVolume makes the folder of the node that it is in, and the data is there', async () => {
  const writer = app('fresh', {
    namespace: 'trusted',
    pod: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'fresh' } }] },
    container: {
      volumeMounts: [
        { name: 'd', mountPath: '/d' },
        { name: 'd', mountPath: '/part', subPath: 'a/part' },
      ],
    },
  })
  await lab.write({ 'fresh.yaml': [...keptFor('fresh', { path: join(host, 'fresh/data') }, 'trusted'), writer] })
  await inPod('fresh', 'echo whole > /d/file; echo part > /part/file', 'trusted')
  expect(readFileSync(join(host, 'fresh/data/file'), 'utf8')).toBe('whole\n')
  expect(readFileSync(join(host, 'fresh/data/a/part/file'), 'utf8')).toBe('part\n')
  const { claims } = await lab.status()
  expect(claims.find(({ name }) => name === 'fresh')).toMatchObject({ phase: 'Bound', pods: [expect.stringMatching(/^fresh-/)] })
})

test('claims go with the pods and with the set of a StatefulSet that says so, and with no other', async () => {
  const set = (replicas: number) => {
    const { spec, ...rest } = app('scaled', {
      container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
    }) as { spec: { selector: object; template: object } }
    const { selector, template } = spec
    const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' }
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: claim('x').spec }]
    const own = { replicas, selector, template, podManagementPolicy: 'Parallel', volumeClaimTemplates }
    return { ...rest, kind: 'StatefulSet', spec: { ...own, serviceName: '', persistentVolumeClaimRetentionPolicy } }
  }
  const left = async () =>
    (await lab.volumes())
      .filter((name) => name.includes('data-scaled'))
      .map((name) => name.replace(/.*_data-/, ''))
      .join(' ')
  await lab.write({ 'scaled.yaml': [set(3)] })
  await lab.untilHealthy('StatefulSet/default/scaled')
  expect(await left()).toBe('scaled-0 scaled-1 scaled-2')
  await lab.write({ 'scaled.yaml': [set(1)] })
  await lab.untilTrue('one claim is left', async () => (await left()) === 'scaled-0')
  await lab.write({ 'scaled.yaml': null })
  await lab.untilTrue('none is left', async () => (await left()) === '')
  await lab.until('the set is gone', ({ workloads }) => workloads.every(({ key: one }) => one !== 'StatefulSet/default/scaled'))
  expect(await lab.volumes()).toContain(dataVolume)
})

test('a second pod waits for a claim that is for one', async () => {
  const user = (name: string, replicas: number) =>
    app(name, {
      replicas,
      pod: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'alone' } }] },
      container: { volumeMounts: [{ name: 'd', mountPath: '/d' }] },
    })
  await lab.write({ 'alone.yaml': [claim('alone', { accessModes: ['ReadWriteOncePod'] }), user('first', 1)] })
  await lab.untilHealthy(key('first'))
  await lab.write({ 'second.yaml': [user('second', 1)] })
  await lab.until('the second waits', ({ workloads }) =>
    workloads.find(({ key: one, message }) => one === key('second') && message.includes('ReadWriteOncePod access mode')),
  )
  await lab.write({ 'alone.yaml': [claim('alone', { accessModes: ['ReadWriteOncePod'] }), user('first', 0)] })
  await lab.untilHealthy(key('second'))
  await lab.write({ 'alone.yaml': null, 'second.yaml': null })
})

test('a pod whose emptyDir on the disk grows over its limit is evicted, and the next one is well', async () => {
  const greedy = app('greedy', {
    pod: { volumes: [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }] },
    container: { volumeMounts: [{ name: 'cache', mountPath: '/cache' }] },
  })
  await lab.write({ 'greedy.yaml': [greedy] })
  const [before] = (await lab.untilHealthy(key('greedy'))).pods
  await lab.exec(before!, 'app', 'dd if=/dev/zero of=/cache/file bs=1M count=2')
  const told = 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi".'
  await lab.untilTrue(
    'it is told',
    async () => (await lab.events()).some(({ message }) => message.includes(told)),
    // It is looked at once a minute.
    120_000,
  )
  const [after] = (await lab.untilHealthy(key('greedy'))).pods
  expect(after!.uid).not.toBe(before!.uid)
  expect(await lab.exec(after!, 'app', 'ls /cache')).toBe('')
  await lab.write({ 'greedy.yaml': null })
})

test('an emptyDir of huge pages is made of them, as many as its pod may have', async () => {
  const huge = app('huge', {
    pod: { volumes: [{ name: 'h', emptyDir: { medium: 'HugePages-2Mi' } }] },
    container: {
      resources: { limits: { memory: '64Mi', 'hugepages-2Mi': '4Mi' } },
      volumeMounts: [{ name: 'h', mountPath: '/huge' }],
    },
  })
  await lab.write({ 'huge.yaml': [huge] })
  // Whether the node has set any aside is its own business: the file system is there without.
  expect(await inPod('huge', 'grep " /huge " /proc/mounts')).toMatch(/ hugetlbfs .*pagesize=2M,size=4194304/)
  expect(await inPod('huge', 'stat -c %a /huge; mkdir /huge/own')).toBe('777')
  await lab.write({ 'huge.yaml': null })
})

test('files tell a pod about itself, and a Secret among them is in memory', async () => {
  const [pod] = (await lab.untilHealthy(key('told'))).pods
  expect(await inPod('told', 'cat /all/conf/app /all/token; echo; cat /all/labels')).toContain('onea secret of Git\napp="told"')
  expect(await inPod('told', 'cat /about/name; echo -$LIMIT-; cat /about/memory')).toBe(`${pod!.name}-64-\n64`)
  expect(await inPod('told', 'grep " /all " /proc/mounts | cut -d " " -f 1')).toBe('tmpfs')
  expect(await inPod('told', 'echo x > /own/file && cat /own/file')).toBe('x')
})

test('a token of a ServiceAccount is what Kubernetes gives, can be verified, and is exchanged under its reader', async () => {
  const teller = app('teller', {
    pod: {
      serviceAccountName: 'teller',
      securityContext: { runAsUser: 1000, fsGroup: 2000 },
      volumes: [{ name: 'id', projected: { sources: [{ serviceAccountToken: { path: 'own/token', audience: 'vault' } }] } }],
    },
    container: { volumeMounts: [{ name: 'id', mountPath: '/id', readOnly: true }] },
  })
  const read = () => lab.exec(pod!, 'app', 'cat /id/own/token')
  await lab.write({ 'teller.yaml': [teller] })
  await lab.until('it waits for its account', ({ workloads }) =>
    workloads.find(({ key: one, message }) => one === key('teller') && message.includes('ServiceAccount default/teller')),
  )
  await lab.write({ 'account.yaml': [{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'teller' } }] })
  const [pod] = (await lab.untilHealthy(key('teller'))).pods
  expect(await lab.exec(pod!, 'app', 'stat -c "%u:%g %a" /id/own/token; grep " /id " /proc/mounts | cut -d " " -f 1')).toBe(
    '1000:2000 640\ntmpfs',
  )
  const first = await read()
  expect(await claimsOf(first)).toMatchObject({
    aud: ['vault'],
    iss: lab.url,
    sub: 'system:serviceaccount:default:teller',
    'kubernetes.io': { namespace: 'default', pod: { name: pod!.name, uid: pod!.uid }, serviceaccount: { name: 'teller' } },
  })
  expect(await lab.docker('inspect', await lab.container(pod!, 'app'), await lab.container(pod!, 'POD'))).not.toContain(first)
  // A new daemon knows the age of no token; and with its key gone, nothing that was signed before can be verified.
  await lab.kill('SIGTERM')
  rmSync(join(lab.data, 'token.key'))
  await lab.start('--allow', 'trusted=hostPath')
  await lab.untilTrue('there is another token', async () => (await read()) !== first)
  expect(await claimsOf(await read())).toMatchObject({ sub: 'system:serviceaccount:default:teller' })
  await expect(claimsOf(first)).rejects.toThrow('no key')
  expect(await lab.exec(pod!, 'app', 'stat -c "%u:%g %a" /id/own/token')).toBe('1000:2000 640')
  const [after] = (await lab.untilHealthy(key('teller'))).pods
  expect({ uid: after!.uid, restarts: after!.restarts }).toEqual({ uid: pod!.uid, restarts: 0 })
  await lab.write({ 'teller.yaml': null, 'account.yaml': null })
})

/** What a token says, once it is verified as a stranger would. */
async function claimsOf(token: string): Promise<object> {
  const { issuer, jwks_uri } = JSON.parse((await lab.get('/.well-known/openid-configuration')).text) as Record<string, string>
  const { keys } = (await (await fetch(jwks_uri!)).json()) as { keys: (JsonWebKey & { kid: string })[] }
  const [header = '', claims = '', signature = ''] = token.split('.')
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  const jwk = keys.find(({ kid }) => kid === parse(header).kid)
  if (jwk === undefined) throw new Error('no key')
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  expect(verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
  const said = parse(claims)
  expect(said).toMatchObject({ iss: issuer, exp: Number(said.iat) + 3600 })
  expect(Math.abs(Number(said.iat) - Date.now() / 1000)).toBeLessThan(600)
  return said
}

test('a folder of the node is refused, unless the operator allows it', async () => {
  await lab.write({ 'refused.yaml': [onNode('default')] })
  await lab.until(
    'both folders are refused',
    ({ sources }) => sources[0]?.problems.filter((text) => text.includes('policy baseline refuses hostPath')).length === 2,
  )
  await lab.write({ 'refused.yaml': null })
  expect(await inPod('node', 'cat /given/hello; echo written > /made/file', 'trusted')).toBe('of the node')
  expect(readFileSync(join(host, 'made', 'file'), 'utf8')).toBe('written\n')
  expect(await inPod('node', 'echo x > /given/file || echo refused', 'trusted')).toContain('refused')
  expect(existsSync(join(host, 'given', 'file'))).toBe(false)
})

/** Reads both files of one version, over and over, and notes what it sees; a version that goes meanwhile is read anew. */
const READER = `while :; do
  v=$(readlink /conf/..data)
  a=$(cat "/conf/$v/app.conf" 2>/dev/null) && b=$(cat "/conf/$v/dir/more" 2>/dev/null) && echo "\${#a} \${#b}"
done > /tmp/seen 2>&1 & echo $! > /tmp/reader`

test('a workload that opts out of rolling gets changed files in place, all of them at one moment', async () => {
  const live = (value: string) => [
    configMap('live', { 'app.conf': value, more: value, ...(value === '1' ? { old: 'x' } : { new: 'y' }) }),
    secret('live', { '.token': value }),
  ]
  const container = {
    volumeMounts: [
      { name: 'conf', mountPath: '/conf' },
      { name: 'conf', mountPath: '/part', subPath: 'app.conf' },
      { name: 'keys', mountPath: '/keys' },
    ],
  }
  const projected = (key: string, path: string, optional = false) => ({
    configMap: { name: 'live', optional, items: [{ key, path, mode: 0o440 }] },
  })
  const sources = [
    projected('app.conf', 'app.conf'),
    projected('more', 'dir/more'),
    projected('old', 'old', true),
    projected('new', 'new', true),
  ]
  const volumes = [
    { name: 'conf', projected: { sources } },
    { name: 'keys', secret: { secretName: 'live', defaultMode: 0o440 } },
  ]
  const opted = app('opted', { pod: { volumes, securityContext: { fsGroup: 2000 } }, container }) as {
    spec: { template: { metadata: object } }
  }
  Object.assign(opted.spec.template.metadata, { annotations: { 'trireme.dev/roll-on-config-change': 'false' } })
  await lab.write({ 'opted.yaml': [opted], 'live.yaml': live('1') })
  const [before] = (await lab.untilHealthy(key('opted'))).pods
  const inApp = (script: string) => lab.exec(before!, 'app', script)
  const layout = () =>
    inApp('cd /conf && ls -A | grep -v "^\\.\\.2" | while read -r name; do echo "$name>$(readlink "$name")"; done')
  const version = await inApp('readlink /conf/..data')
  expect(version).toMatch(/^\.\.\d{4}(_\d\d){5}\.\d{3}$/)
  expect(await layout()).toBe(`..data>${version}\napp.conf>..data/app.conf\ndir>..data/dir\nold>..data/old`)
  expect(await inApp('stat -Lc "%u:%g %a" /conf/app.conf /conf/dir/more /conf/dir /conf/..data /conf')).toBe(
    '0:2000 440\n0:2000 440\n0:2000 755\n0:2000 755\n0:2000 755',
  )
  expect(await inApp('ls -A /keys | grep -v "^\\.\\.2"; cat /keys/.token; grep " /keys " /proc/mounts | cut -d " " -f 1')).toBe(
    '..data\n.token\n1tmpfs',
  )

  const long = '2'.repeat(100_000)
  await inApp(READER)
  await lab.write({ 'live.yaml': live(long) })
  await lab.until('the new value is there', async () => (await inApp('cat /conf/app.conf')) === long)
  await lab.until('the new secret is there', async () => (await inApp('cat /keys/.token')) === long)
  const next = await inApp('readlink /conf/..data')
  expect(next).not.toBe(version)
  await lab.until('the old version is gone', async () => (await inApp('ls -A /conf | grep "^\\.\\.2"')) === next)
  expect(await layout()).toBe(`..data>${next}\napp.conf>..data/app.conf\ndir>..data/dir\nnew>..data/new`)
  expect(await inApp('cat /part')).toBe('1')
  await lab.until('the reader has seen it', async () => (await inApp('sort -u /tmp/seen')).includes('100000'))
  expect(await inApp('kill $(cat /tmp/reader); sort -u /tmp/seen')).toBe('1 1\n100000 100000')
  const [after] = (await lab.untilHealthy(key('opted'))).pods
  expect({ uid: after!.uid, restarts: after!.restarts }).toEqual({ uid: before!.uid, restarts: 0 })
  const mended = async () =>
    (await lab.events()).filter(({ reason, message }) => reason === 'DriftMended' && message.includes('opted'))
  expect(await mended()).toEqual([])

  const edits = [
    ['rm ..data/app.conf && echo x > ..data/app.conf', 'app.conf'],
    ['rm app.conf && echo x > app.conf && rm dir && ln -sfn / ..data', '..data'],
  ] as const
  for (const [edit, named] of edits) {
    const damaged = await inApp('readlink /conf/..data')
    await lab.exec(before!, 'POD', `cd /trireme/conf && ${edit}`)
    const isMended = async () =>
      (await inApp('readlink /conf/..data')) !== damaged && (await inApp('cat /conf/app.conf /conf/dir/more')) === long + long
    // One volume after another is read, over half a minute.
    await lab.untilTrue(`it is mended: ${edit}`, isMended, 120_000)
    expect(await layout()).toBe(
      `..data>${await inApp('readlink /conf/..data')}\napp.conf>..data/app.conf\ndir>..data/dir\nnew>..data/new`,
    )
    await lab.until('it is told', async () => (await mended()).some(({ message }) => message.includes(named)))
  }
  rmSync(host, { recursive: true, force: true })
})
