/** Images from a registry, pulled by the real engine: policies, credentials, missing tags, and registries that fail. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, STUB, secret } from '../support/apps.ts'
import { DaemonLab } from '../support/daemon.ts'
import { Registry } from '../support/registry.ts'

const lab = new DaemonLab('pull')
const PASSWORD = 'open-sesame-4711'
const WRONG = 'wrong-guess-0815'
let registry: Registry
let hanging: Registry

beforeAll(async () => {
  const container = await lab.docker('create', STUB)
  const layer = execFileSync('docker', ['export', container], { maxBuffer: 1 << 26 })
  await lab.docker('rm', container)
  const config = { Env: ['PATH=/bin', 'PORTS=8080', 'PATHS=/'], Cmd: ['/bin/sh', '/stub.sh'] }
  ;[registry, hanging] = await Promise.all([new Registry({ layer, config }).open(), new Registry({ layer, config }).open()])
  await lab.start()
})

afterAll(async () => {
  await Promise.all([registry, hanging].map((one) => one?.close()))
  await lab.remove()
  for (const host of [registry?.host, hanging?.host]) {
    const images = await lab.docker('image', 'ls', '--format', '{{.ID}}', '--filter', `reference=${host}/*`)
    if (images !== '') await lab.docker('image', 'rm', '--force', ...new Set(images.split('\n')))
  }
})

/** A Deployment of one image. */
function from(
  name: string,
  image: string,
  policy: string,
  more: { readonly replicas?: number; readonly pod?: object } = {},
): object {
  return app(name, { ...more, image, container: { imagePullPolicy: policy } })
}

/** The `version` labels of the images that the ready pods of a workload were made from. */
async function versions(name: string): Promise<string[]> {
  const ready = (await lab.pods(`Deployment/default/${name}`)).filter((pod) => pod.ready && !pod.terminating)
  const ids = await Promise.all(ready.map((pod) => lab.container(pod, 'app')))
  return Promise.all(ids.map((id) => lab.docker('inspect', '--format', '{{.Config.Labels.version}}', id)))
}

/** Waits until a pod of the workload waits for that reason; returns what it says. */
function waiting(name: string, reason: string): Promise<string> {
  return lab.until(`${name}: ${reason}`, ({ workloads }) => {
    const pods = workloads.find(({ key }) => key === `Deployment/default/${name}`)?.pods ?? []
    return pods.find((pod) => pod.reason === reason)?.message
  })
}

test('IfNotPresent pulls what is missing once for all pods, and nothing that is there', async () => {
  const image = registry.push('stub', 'missing')
  await lab.write({
    'ifnotpresent.yaml': [from('fresh', image, 'IfNotPresent', { replicas: 2 }), from('local', STUB, 'IfNotPresent')],
  })
  await lab.untilHealthy('Deployment/default/fresh')
  await lab.untilHealthy('Deployment/default/local')
  expect(registry.pulls('stub', 'missing')).toBe(1)
  registry.push('stub', 'missing', '2')
  await lab.write({ 'more.yaml': [from('again', image, 'IfNotPresent')] })
  await lab.untilHealthy('Deployment/default/again')
  expect(registry.pulls('stub', 'missing')).toBe(1)
  expect(await versions('again')).toEqual(['1'])
})

test('Never runs what is there, and says so of what is not without asking anybody', async () => {
  const image = registry.push('stub', 'never')
  await lab.write({ 'never.yaml': [from('there', STUB, 'Never'), from('absent', image, 'Never')] })
  await lab.untilHealthy('Deployment/default/there')
  expect(await waiting('absent', 'ErrImageNeverPull')).toMatch(/is not on this node, and imagePullPolicy is Never/)
  expect(registry.pulls('stub', 'never')).toBe(0)
})

test('Always pulls a tag that has moved once a rollout, and not for restarts or more replicas', async () => {
  const image = registry.push('stub', 'moving')
  const key = 'Deployment/default/moving'
  await lab.write({ 'always.yaml': [from('moving', image, 'Always', { replicas: 2 })] })
  await lab.untilHealthy(key)
  expect(registry.pulls('stub', 'moving')).toBe(1)
  registry.push('stub', 'moving', '2')

  const [pod] = await lab.pods(key)
  await lab.docker('kill', await lab.container(pod!, 'app'))
  await lab.until('the container runs again', async () =>
    (await lab.pods(key)).some(({ restarts, ready }) => restarts === 1 && ready),
  )
  await lab.write({ 'always.yaml': [from('moving', image, 'Always', { replicas: 3 })] })
  await lab.until('three are ready', ({ workloads }) => workloads.find((one) => one.key === key && one.ready === 3))
  expect(registry.pulls('stub', 'moving')).toBe(1)
  expect(await versions('moving')).toEqual(['1', '1', '1'])

  const rolled = { replicas: 3, pod: { terminationGracePeriodSeconds: 1 } }
  await lab.write({ 'always.yaml': [from('moving', image, 'Always', rolled)] })
  // A pod may go while it is looked at.
  const seen = () => versions('moving').catch((): string[] => [])
  await lab.until('the new version runs', async () => (await seen()).join() === '2,2,2')
  await lab.untilHealthy(key)
  expect(registry.pulls('stub', 'moving')).toBe(2)
})

/** A pull secret for the registry. */
function login(name: string, password: string): object {
  const auth = Buffer.from(`robot:${password}`).toString('base64')
  const config = JSON.stringify({ auths: { [registry.host]: { auth } } })
  return { ...secret(name, { '.dockerconfigjson': config }), type: 'kubernetes.io/dockerconfigjson' }
}

test('imagePullSecrets: right credentials pull, wrong ones and none say why, missing tags too, and all heal; no secret is told', async () => {
  registry.require({ username: 'robot', password: PASSWORD })
  const image = registry.push('stub', 'private')
  const absent = `${registry.host}/stub:absent`
  const using = (name: string) => ({ pod: { imagePullSecrets: [{ name }] } })
  const wanting = (password: string): object[] => [
    login('right', PASSWORD),
    login('other', password),
    from('granted', image, 'Always', using('right')),
    from('denied', image, 'Always', using('other')),
    from('nobody', image, 'Always'),
    from('tagless', absent, 'Always', using('right')),
  ]
  await lab.write({ 'secrets.yaml': wanting(WRONG) })
  await lab.untilHealthy('Deployment/default/granted')
  for (const reason of ['ErrImagePull', 'ImagePullBackOff']) {
    const [denied, nobody, missing] = await Promise.all(['denied', 'nobody', 'tagless'].map((name) => waiting(name, reason)))
    expect(denied).toMatch(/unauthorized|authentication required/)
    expect(nobody).toMatch(/no basic auth credentials|unauthorized|authentication required/)
    expect(missing).toMatch(/manifest unknown|not found/)
  }
  expect((await lab.workload('Deployment/default/granted')).healthy).toBe(true)

  registry.push('stub', 'absent')
  await lab.write({ 'secrets.yaml': [...wanting(PASSWORD).slice(0, 4), from('tagless', absent, 'Always', using('right'))] })
  await lab.untilHealthy('Deployment/default/denied')
  await lab.untilHealthy('Deployment/default/tagless')
  registry.require(undefined)
  await expectUntold(PASSWORD, WRONG)
})

/** Neither the passwords nor what carries them is in anything that the daemon says, keeps or leaves in the engine. */
async function expectUntold(...passwords: readonly string[]): Promise<void> {
  const told = await Promise.all(
    ['/api/v1/status', '/api/v1/events?limit=1000', '/metrics', '/readyz'].map((path) => lab.get(path)),
  )
  const containers = await lab.docker('inspect', ...(await lab.containers()))
  const kept = readdirSync(lab.data)
    .filter((file) => file.startsWith('trireme.db'))
    .map((file) => readFileSync(join(lab.data, file), 'latin1'))
  const all = [lab.log(), ...told.map(({ text }) => text), containers, ...kept].join('\n')
  for (const password of passwords)
    for (const form of [password, Buffer.from(`robot:${password}`).toString('base64'), Buffer.from(password).toString('base64')])
      expect(all.includes(form), `${form} is told`).toBe(false)
}

test('a registry that hangs holds up nothing else', async () => {
  const stuck = ['a', 'b', 'c', 'd', 'e'].map((tag) => from(`stuck-${tag}`, hanging.push('stub', tag), 'Always'))
  hanging.silence(true)
  await lab.write({ 'stuck.yaml': stuck })
  await lab.untilTrue('pulls hang', async () => hanging.asked.filter((line) => line.includes('/manifests/')).length >= 3)
  const image = registry.push('stub', 'unstuck')
  await lab.write({ 'hangs.yaml': [from('pulled', image, 'IfNotPresent'), from('beside', STUB, 'IfNotPresent')] })
  await lab.untilHealthy('Deployment/default/beside')
  await lab.untilHealthy('Deployment/default/pulled')
  // It comes to itself: whoever hangs is let go, and the pulls are tried again.
  await hanging.close()
  hanging.silence(false)
  await hanging.open()
  await lab.untilHealthy('Deployment/default/stuck-a')
})

test('running pods restart without their registry, also after the daemon has been restarted', async () => {
  const image = registry.push('stub', 'steady')
  const key = 'Deployment/default/steady'
  await lab.write({ 'outage.yaml': [from('steady', image, 'Always')] })
  await lab.untilHealthy(key)
  await registry.close()
  for (const restarts of [1, 2]) {
    const [pod] = await lab.pods(key)
    await lab.docker('kill', await lab.container(pod!, 'app'))
    await lab.until(`restart ${restarts}`, async () =>
      (await lab.pods(key)).find((one) => one.restarts === restarts && one.ready),
    )
    await lab.kill()
    await lab.start()
    await lab.untilHealthy(key)
  }
  await registry.open()
})
