/**
 * Attacks that other deployment tools have suffered from, each tried by name. `elsewhere` names the tests of those that
 * are tried beside the code they are about; docs/security.md has the table of all, and why some do not apply.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maxWebhookBytes } from '../../src/api/webhook.ts'
import { diffCluster } from '../../src/diff/objects.ts'
import { renderDiffs } from '../../src/diff/render.ts'
import { parseRemote } from '../../src/git/url.ts'
import { isWithin } from '../../src/render/layout.ts'
import { renderTree } from '../../src/render/render.ts'
import { rawRequest, startTestApi } from '../support/api.ts'
import { loadText } from '../support/manifests.ts'
import { tools, treeOf } from '../support/trees.ts'
import { FuzzCluster } from './cluster.ts'
import { withinASecond } from './fuzz.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const canary = 'canary-of-this-machine'
const outside = mkdtempSync(join(tmpdir(), 'trireme-attack-'))
writeFileSync(join(outside, 'values.yaml'), `stolen: ${canary}\n`)
afterAll(() => rmSync(outside, { recursive: true }))

// The first use unpacks 60 MB each.
beforeAll(() => Promise.all([tools.kustomize(), tools.helm()]), 120_000)

const pod = (spec: object) => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec })
const container = { name: 'a', image: 'a' }

describe('paths out of the repository', () => {
  const chart = { 'Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n' }

  test('CVE-2022-24348: a chart cannot read values or files of the host', async () => {
    const template = `a: {{ .Files.Get "${outside}/values.yaml" | quote }}\nb: {{ .Files.Get "../../../../..${outside}/values.yaml" | quote }}\n`
    const read = await renderTree(treeOf({ ...chart, 'templates/a.yaml': template }), {}, tools)
    expect(JSON.stringify(read)).not.toContain(canary)
    for (const path of [`${outside}/values.yaml`, `../../../..${outside}/values.yaml`]) {
      const { manifests, problems } = await renderTree(
        treeOf({ ...chart, 'templates/a.yaml': 'a: {{ .Values.stolen }}\n' }),
        { valuesFiles: [path] },
        tools,
      )
      expect([manifests.length, problems.map(({ code }) => code)]).toEqual([0, ['HelmFailed']])
    }
  })

  test.each([
    [`resources: [${outside}]`, 'PathEscape'],
    [`resources: ['../../../../../..${outside}']`, 'PathEscape'],
    [`configMapGenerator: [{name: x, files: ['${outside}/values.yaml']}]`, 'KustomizeFailed'],
    [`patches: [{path: '../../../../../..${outside}/values.yaml'}]`, 'KustomizeFailed'],
  ])('CVE-2022-24877: a kustomization cannot read what is beside the repository: %s', async (text, code) => {
    const rendered = await renderTree(treeOf({ 'kustomization.yaml': text }), {}, tools)
    expect(rendered.problems.map((problem) => problem.code)).toEqual([code])
    expect(JSON.stringify(rendered.manifests)).not.toContain(canary)
  })

  test('a prefix check without a separator: shop-secrets is not within shop', () => {
    expect(isWithin('shop-secrets/a.yaml', 'shop')).toBe(false)
    expect(isWithin('shop/a.yaml', 'shop')).toBe(true)
  })

  test.each([
    ['nfs', 'nfs: {server: "10.0.0.1,bind", path: /etc}', 'nfs.server BadAddress'],
    ['mount options', 'nfs: {server: nfs, path: /etc}\n  mountOptions: ["rw,bind"]', 'mountOptions[0] UnknownValue'],
    [
      'a driver of its own',
      'csi: {driver: local, volumeHandle: x, volumeAttributes: {o: bind, device: /}}',
      'csi.driver UnknownValue',
    ],
    ['a folder', 'hostPath: {path: /}', 'hostPath PolicyViolation'],
    ['a local folder', 'local: {path: /}', 'local PolicyViolation'],
  ])('a PersistentVolume of the node by way of %s', (_, source, problem) => {
    const spec = `accessModes: [ReadWriteOnce]\n  capacity: {storage: 1Gi}\n  ${source}`
    const text = `apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n  ${spec}`
    const { problems } = loadText(text, { allow: { default: ['hostPath'] } })
    expect(problems.map(({ field, code }) => `${field} ${code}`)).toEqual([`spec.${problem}`])
  })

  test.each([
    ['that leads upwards', '/srv/../etc'],
    ['that ends early', '/srv\\0/etc'],
    ['that is another mount', '/srv:/etc:rw'],
    ['that is relative', 'srv'],
    ['that is larger than any', `/${'x'.repeat(5_000_000)}`],
  ])('a place of the node %s', (_, path) => {
    const pod = `spec:\n  containers: [{name: a, image: b}]\n  volumes: [{name: v, hostPath: {path: "${path}", type: FileOrCreate}}]`
    const text = `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n${pod}`
    const { problems } = loadText(text, { allow: { default: ['hostPath'] } })
    expect(problems.map(({ field, code }) => `${field} ${code}`)).toEqual(['spec.volumes[0].hostPath.path BadPath'])
    expect(problems[0]?.message.length).toBeLessThan(500)
  })

  test.each(['{type: none, o: bind, device: /}', '{type: ext4, device: /dev/sda1}', '{type: nfs, o: "addr=x,bind", device: /}'])(
    'a StorageClass whose volumes are the node: %s',
    (parameters) => {
      const text = `apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: c}\nprovisioner: docker.io/local\nparameters: ${parameters}`
      expect(new Set(loadText(text).problems.map(({ code }) => code))).toEqual(new Set(['UnknownValue']))
    },
  )
})

describe('secrets', () => {
  test('CVE-2025-23216: neither a refused Secret nor a changed one is shown in a problem or a diff', () => {
    const secret = (value: string, extra = '') =>
      `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: ${value}}\n${extra}`
    for (const extra of [
      'data: {token: hunter2hunter2}',
      'data: [hunter2hunter2]',
      'stringDatta: {a: hunter2hunter2}',
      'type: {a: hunter2hunter2}',
      'stringData: hunter2hunter2',
    ])
      expect(JSON.stringify(loadText(secret('hunter2hunter2', extra)).problems)).not.toContain('hunter2hunter2')
    const [before, after] = ['hunter2hunter2', 'correcthorse'].map((value) => loadText(secret(value)).objects)
    const live = new Map([...before!].map(([key, { object }]) => [key, object]))
    expect(renderDiffs(diffCluster(before!, after!, live))).not.toMatch(/hunter2|correcthorse|aHVudGVy/)
  })

  test('CVE-2020-5260: a line break in an address cannot ask for the login of another host', () => {
    for (const address of [
      'https://example.org/%0ahost=evil.example/x',
      'https://example.org/\nhost=evil.example/x',
      'https://a%0d%0ahost=evil@example.org/x',
    ])
      expect(() => parseRemote(address, { allowFile: true })).toThrow(/control character/)
  })
})

describe('webhooks', () => {
  const hook = async (body: string | Uint8Array, headers: Record<string, string> = {}) => {
    const api = await startTestApi()
    const { status } = await rawRequest(api, 'POST', '/api/v1/webhook', { body, headers })
    await api.close()
    expect(api.failures).toEqual([])
    return { status, syncs: api.syncs() }
  }

  test('GHSA-jmvp-698c-4x3w: a body without end is cut off before it is kept', async () => {
    expect(await hook(new Uint8Array(maxWebhookBytes + 1))).toEqual({ status: 413, syncs: 0 })
  })

  test.each([
    ['CVE-2025-59531', '{"eventKey":"repo:refs_changed","repository":{"links":{"clone":null}}}'],
    ['CVE-2025-59537', '{"ref":"refs/heads/main","commits":null,"repository":{}}'],
    ['CVE-2025-59538', '{"eventType":"git.push","resource":{"refUpdates":[]}}'],
    ['a list', '[]'],
    ['nothing', ''],
  ])('%s: a body of an odd shape cannot stop the daemon', async (_, body) => {
    expect(await hook(body)).toEqual({ status: 401, syncs: 0 })
    expect(await hook(body, { 'X-Gitlab-Token': 'hook-secret' })).toEqual({ status: 202, syncs: 1 })
  })

  test('SSRF: an address in a payload is never called', async () => {
    let called = 0
    const victim = createServer((socket) => {
      called += 1
      socket.destroy()
    })
    await new Promise<void>((resolve) => victim.listen(0, '127.0.0.1', resolve))
    const { port } = victim.address() as { port: number }
    const url = `http://127.0.0.1:${port}/`
    const body = JSON.stringify({ repository: { clone_url: url, html_url: url, git_http_url: url }, commits_url: url })
    expect((await hook(body, { 'X-Gitlab-Token': 'hook-secret' })).status).toBe(202)
    await new Promise((resolve) => victim.close(resolve))
    expect(called).toBe(0)
  })
})

describe('what a repository says', () => {
  test('YAML bombs: a billion laughs, merged or not, are refused by name', () =>
    withinASecond(() => {
      const level = (name: string, of: string) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${of}`).join(',')}]\n`
      const laughs = `a: &a [lol]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}`
      const merged = `a: &a {x: 1}\nb: &b {<<: [${Array.from({ length: 30 }, () => '*a').join(',')}]}\n`
      for (const bomb of [laughs, merged, '['.repeat(1_000_000), `${'{a: '.repeat(100_000)}`])
        expect(loadText(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${bomb}`).objects.size).toBe(0)
    }))

  test.each([
    ['privileged', { containers: [{ ...container, securityContext: { privileged: true } }] }],
    ['the Docker socket', { containers: [container], volumes: [{ name: 'd', hostPath: { path: '/var/run/docker.sock' } }] }],
    ['the root of the host', { containers: [container], volumes: [{ name: 'd', hostPath: { path: '/' } }] }],
    ['the network of the host', { containers: [container], hostNetwork: true }],
    ['the processes of the host', { containers: [container], hostPID: true }],
    ['a capability', { containers: [{ ...container, securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }] }],
  ])('a repository cannot give itself %s', (_, spec) => {
    const allow = { metadata: 'of the repository changes nothing' }
    const { objects, problems } = loadText(`${pod(spec)}\n---\n${JSON.stringify({ allow })}`)
    expect(objects.size).toBe(0)
    expect(problems.some(({ code }) => code === 'PolicyViolation')).toBe(true)
  })

  test('a repository cannot hide what is refused behind notices', () => {
    const env = Array.from({ length: 150 }, () => ({ name: 'A', value: 'x' }))
    const { objects } = loadText(pod({ containers: [{ ...container, env, securityContext: { privileged: true } }] }))
    expect(objects.size).toBe(0)
  })

  test('javascript: links in annotations are data, served as JSON that no browser takes for a page', async () => {
    const api = await startTestApi()
    const { headers } = await rawRequest(api, 'GET', '/api/v1/status', { headers: { Host: 'localhost' } })
    await api.close()
    expect([headers['content-type'], headers['x-content-type-options']]).toEqual(['application/json; charset=utf-8', 'nosniff'])
  })

  test('one poison object stops no other', async () => {
    const poison = [
      '{',
      'a: *b',
      '- [',
      'kind: Pod\nspec: {containers: [{ports: [{containerPort: {toString: 1}}]}]}\napiVersion: v1',
      '\u0000',
      `a: ${'['.repeat(10_000)}`,
    ]
    const good = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n'
    for (const bad of poison) {
      const { objects } = await new FuzzCluster().commit({
        'bad.yaml': bad,
        'good.yaml': good,
        'both.yaml': `${good.replace('good', 'also')}---\n${bad.replaceAll('\0', '')}`,
      })
      expect([...objects.keys()]).toEqual(['ConfigMap/default/also', 'ConfigMap/default/good'])
    }
  })
})

/** Attack, and the test that tries it beside the code. */
const elsewhere: readonly (readonly [attack: string, file: string, test: string])[] = [
  [
    'CVE-2017-1002101: a link in a volume becomes a mount of the node',
    'test/e2e/volumes.test.ts',
    'a link in the way of a part is never followed',
  ],
  [
    'the same, put there at the last moment',
    'test/unit/reconcilers/places.test.ts',
    'whoever could exchange a part is found, and nobody else',
  ],
  [
    'links out of the tree',
    'test/unit/git/folder.test.ts',
    'links inside are followed; links out, to nothing, in a loop, and what is no file are refused',
  ],
  [
    'links, submodules and LFS pointers in Git',
    'test/unit/git/repository.test.ts',
    'links, submodules, LFS pointers and large files are refused by name; the rest is read',
  ],
  [
    'hooks, filters and configuration of the repository',
    'test/unit/git/repository.test.ts',
    'configuration, hooks, attributes and filters of the repository run nothing',
  ],
  [
    'CVE-2018-17456: an option as the address of a submodule',
    'test/unit/git/repository.test.ts',
    'a commit that git fsck refuses is refused, and nothing changes',
  ],
  [
    'options and ext:: as addresses',
    'test/fuzz/git.test.ts',
    'that are accepted run nothing, are no option and hold no password',
  ],
  ['options as branches', 'test/fuzz/git.test.ts', 'that are accepted are no option, no refspec and no other ref'],
  ['a redirect to another host', 'test/unit/git/network.test.ts', 'is never sent to a host that the server redirects to'],
  ['a redirect to another transport', 'test/unit/git/network.test.ts', 'that redirects to another transport is not followed'],
  ['a login in arguments or logs', 'test/unit/git/network.test.ts', 'from a password file reaches the server and nothing else'],
  ['force-push', 'test/unit/git/repository.test.ts', 'a force-push is noticed once, also when it happened while nobody looked'],
  ['a Git bomb', 'test/fuzz/found.test.ts', 'a repository of a few kilobytes made Git list a thousand million files'],
  ['terminal escapes in commit messages', 'test/unit/git/repository.test.ts', 'a commit message cannot steer the terminal'],
]

test.each(elsewhere)('%s: is tried in %s', (_, file, name) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(name)
})

test('the security page names every attack that has a number', () => {
  const page = readFileSync(join(root, 'docs/security.md'), 'utf8')
  const here = readFileSync(fileURLToPath(import.meta.url), 'utf8')
  for (const [number] of here.matchAll(/(?:CVE-\d{4}-\d+|GHSA(?:-\w{4}){3})/g)) expect(page).toContain(number)
})
