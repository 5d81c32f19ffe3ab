import { expect, test } from 'vitest'
import type { ContainerSpec, SecretRef, TokenRequest } from '../../../src/reconcilers/plan.ts'
import { registryAuth, repositoryOf } from '../../../src/runtime/registryauth.ts'
import { ConfigError, resolveContainer, resolveFiles, resolveText } from '../../../src/runtime/resolve.ts'
import { createVault } from '../../../src/runtime/vault.ts'
import { containerConfig } from '../../support/container.ts'

const vault = createVault(new Uint8Array(32))

const secret = (value: string | Uint8Array, key = 'token', name = 'db'): SecretRef => {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  const digest = vault.digest(bytes)
  vault.put(digest, bytes)
  return { namespace: 'shop', name, key, digest }
}
const lost: SecretRef = { namespace: 'shop', name: 'db', key: 'token', digest: 'hmac-sha256:gone' }

const spec: ContainerSpec = {
  ...containerConfig({ name: 'c', image: 'i' }),
  env: [
    { name: 'PLAIN', value: 'a=b' },
    { name: 'URL', value: { parts: ['pg://u:', secret('s3cret'), '@db'] } },
  ],
  entrypoint: ['run', { parts: ['--token=', secret('s3cret')] }],
  cmd: [],
}

test('a container gets its secrets, everything else stays', () => {
  const { env, entrypoint, ...rest } = resolveContainer(spec, vault)
  const { env: _env, entrypoint: _entrypoint, ...specRest } = spec
  expect(env).toEqual(['PLAIN=a=b', 'URL=pg://u:s3cret@db'])
  expect(entrypoint).toEqual(['run', '--token=s3cret'])
  expect(rest).toEqual(specRest)
})

test('a container is told of Services last, where it has no such variable itself', () => {
  const { env, ...rest } = resolveContainer({ ...spec, links: 'plain=10.88.128.5:80/TCP url=10.88.128.6:53/UDP' }, vault)
  const own = { ...spec, env: [...spec.env, { name: 'URL_SERVICE_HOST', value: 'mine' }], links: 'url=10.88.128.6:53/UDP' }
  expect(env.slice(0, 4)).toEqual([
    'PLAIN=a=b',
    'URL=pg://u:s3cret@db',
    'PLAIN_SERVICE_HOST=10.88.128.5',
    'PLAIN_SERVICE_PORT=80',
  ])
  expect(env).toContain('URL_PORT_53_UDP_ADDR=10.88.128.6')
  expect(rest).not.toHaveProperty('links')
  expect(resolveContainer(own, vault).env.filter((entry) => entry.startsWith('URL_SERVICE_HOST='))).toEqual([
    'URL_SERVICE_HOST=mine',
  ])
})

test('a value that is not known is told by name', () => {
  expect(() => resolveText({ parts: ['a', lost] }, vault)).toThrow(ConfigError)
  expect(() => resolveText({ parts: ['a', lost] }, vault)).toThrow('key token of Secret shop/db')
})

test('a NUL cannot be in an environment variable, which is told by name', () => {
  expect(() => resolveText({ parts: [secret(new Uint8Array([65, 0, 66]))] }, vault)).toThrow(
    'key token of Secret shop/db has a NUL in it',
  )
})

test('bytes that are no text arrive as U+FFFD, and such a value is redacted as it arrives', () => {
  const bytes = Buffer.from('password', 'base64')
  const arrived = resolveText({ parts: ['pw=', secret(bytes)] }, vault)
  expect(arrived).toBe(`pw=${bytes.toString('utf8')}`)
  expect(vault.redact(`it said ${arrived}!`)).toBe('it said pw=[redacted]!')
})

test('files of every content', async () => {
  const files = await resolveFiles(
    [
      { path: 'a', mode: 0o644, content: { text: 'é' }, digest: '' },
      { path: 'b', mode: 0o600, content: { base64: '/w==' }, digest: '' },
      { path: 'c', mode: 0o400, content: { secret: secret(new Uint8Array([255, 0])) }, digest: '' },
      { path: 'd', mode: 0o600, uid: 1000, content: { token: { namespace: 'shop' } as TokenRequest }, digest: '' },
    ],
    vault,
    async ({ namespace }) => namespace,
  )
  expect(files.map((file) => [file.path, file.mode, [...file.bytes]])).toEqual([
    ['a', 0o644, [195, 169]],
    ['b', 0o600, [255]],
    ['c', 0o400, [255, 0]],
    ['d', 0o600, [...Buffer.from('shop')]],
  ])
  expect(files.map(({ uid }) => uid)).toEqual([undefined, undefined, undefined, 1000])
})

for (const { image, want } of [
  { image: 'nginx', want: 'index.docker.io library/nginx' },
  { image: 'nginx:1.27', want: 'index.docker.io library/nginx' },
  { image: 'team/app:1', want: 'index.docker.io team/app' },
  { image: 'docker.io/nginx', want: 'index.docker.io library/nginx' },
  { image: 'docker.io/team/app@sha256:abc', want: 'index.docker.io team/app' },
  { image: 'localhost/app', want: 'localhost app' },
  { image: 'reg.example.com:5000/team/app:1@sha256:abc', want: 'reg.example.com:5000 team/app' },
]) {
  test(`repository of ${image}`, () => {
    const { host, path } = repositoryOf(image)
    expect(`${host} ${path}`).toBe(want)
  })
}

const login = (user: string) => ({ auth: btoa(`${user}:pw:${user}`) })
const config = (auths: Record<string, unknown>) => secret(JSON.stringify({ auths }), '.dockerconfigjson', 'pull')

for (const { name, auths, image, want } of [
  { name: 'hub by its long address', auths: { 'https://index.docker.io/v1/': login('hub') }, image: 'nginx', want: 'hub' },
  { name: 'hub by its short name', auths: { 'docker.io': login('hub') }, image: 'team/app', want: 'hub' },
  { name: 'hub is not another registry', auths: { 'docker.io': login('hub') }, image: 'r.example.com/app', want: undefined },
  { name: 'host', auths: { 'r.example.com': login('a') }, image: 'r.example.com/x/y:1', want: 'a' },
  { name: 'another port', auths: { 'r.example.com:5000': login('a') }, image: 'r.example.com/x', want: undefined },
  { name: 'scheme and slash', auths: { 'https://r.example.com/v2/': login('a') }, image: 'r.example.com/x', want: 'a' },
  {
    name: 'the longest path',
    auths: { 'r.example.com': login('all'), 'r.example.com/team': login('team') },
    image: 'r.example.com/team/app',
    want: 'team',
  },
  { name: 'another path', auths: { 'r.example.com/team': login('team') }, image: 'r.example.com/other/app', want: undefined },
  { name: 'wildcard', auths: { '*.example.com': login('wild') }, image: 'r.example.com/app', want: 'wild' },
  { name: 'a wildcard is one label', auths: { '*.example.com': login('wild') }, image: 'a.b.example.com/app', want: undefined },
  {
    name: 'exact before wildcard',
    auths: { '*.example.com': login('wild'), 'r.example.com': login('exact') },
    image: 'r.example.com/app',
    want: 'exact',
  },
  { name: 'an entry without a login', auths: { 'r.example.com': {} }, image: 'r.example.com/app', want: undefined },
  { name: 'user and password apart', auths: { 'r.io': { username: 'u', password: 'pw:u' } }, image: 'r.io/app', want: 'u' },
]) {
  test(`registryAuth: ${name}`, () => {
    const auth = registryAuth([config(auths)], image, vault)
    expect(auth?.username).toBe(want)
    expect(auth?.password).toBe(want === undefined ? undefined : `pw:${want}`)
  })
}

test('registryAuth: password with colons, server address, first secret first', () => {
  const refs = [config({ 'docker.io': login('first') }), config({ 'docker.io': login('second') })]
  expect(registryAuth(refs, 'nginx', vault)).toEqual({
    username: 'first',
    password: 'pw:first',
    serverAddress: 'https://index.docker.io/v1/',
  })
})

test('registryAuth: identity token and the older format', () => {
  const old = secret(JSON.stringify({ 'r.io': { identitytoken: 'tok' } }), '.dockercfg', 'old')
  expect(registryAuth([old], 'r.io/app', vault)).toEqual({ identityToken: 'tok', serverAddress: 'r.io' })
})

test('registryAuth: no secret, no login; a malformed one is told without its text', () => {
  expect(registryAuth([], 'nginx', vault)).toBeUndefined()
  const attempt = () => registryAuth([secret('{"auths": TOPSECRET', '.dockerconfigjson', 'pull')], 'nginx', vault)
  expect(attempt).toThrow('Secret shop/pull is no Docker configuration')
  expect(attempt).not.toThrow('TOPSECRET')
})
