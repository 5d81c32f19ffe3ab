/** Repositories behind real servers: OpenSSH, and https with an authority of one's own. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type GitSourceOptions, gitSource } from '../../src/git/repository.ts'
import type { SourceError } from '../../src/git/source.ts'
import { smartHttp } from '../support/githttp.ts'
import { type Sshd, startSshd } from '../support/sshd.ts'
import { makeRemote, scratch } from '../unit/git/support.ts'

const never = new AbortController().signal

function sourceOf(url: string, options: Partial<GitSourceOptions>): ReturnType<typeof gitSource> {
  const mirrorDir = scratch()
  const environment = { PATH: process.env.PATH }
  return gitSource({ name: 'shop', url, branch: 'main', path: '.', mirrorDir, timeoutMs: 15_000, environment, ...options })
}

async function refusal(source: ReturnType<typeof gitSource>): Promise<SourceError> {
  return source.poll(never).then(
    () => Promise.reject(new Error('it was let in')),
    (error: SourceError) => error,
  )
}

describe('over ssh', () => {
  async function sshd(): Promise<Sshd> {
    const server = await startSshd(scratch())
    onTestFinished(() => server.close())
    return server
  }

  test('a commit is found and read with a key, and so is the next one', async () => {
    const { url, clientKey, knownHosts } = await sshd()
    const remote = makeRemote()
    const source = sourceOf(`${url}${remote.bare}`, { credentials: { sshKeyFile: clientKey, knownHostsFile: knownHosts } })
    for (const text of ['a: 1\n', 'a: 2\n']) {
      const sha = remote.push({ 'a.yaml': text })
      expect((await source.poll(never)).revision.sha).toBe(sha)
      const { files } = await source.tree(sha, never)
      expect(files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])).toEqual([['a.yaml', text]])
    }
  })

  test('a key that is not let in is refused, and the error says what to give', async () => {
    const [{ url, knownHosts }, other] = [await sshd(), await sshd()]
    const credentials = { sshKeyFile: other.clientKey, knownHostsFile: knownHosts }
    const error = await refusal(sourceOf(`${url}${makeRemote().bare}`, { credentials }))
    expect(error).toMatchObject({ kind: 'denied', message: expect.stringContaining('the ssh server refused the key') })
  })

  test('a host that is not in the known hosts file is refused', async () => {
    const [{ url, clientKey }, other] = [await sshd(), await sshd()]
    const credentials = { sshKeyFile: clientKey, knownHostsFile: other.knownHosts }
    const error = await refusal(sourceOf(`${url}${makeRemote().bare}`, { credentials }))
    expect(error).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('the ssh host key is unknown or has changed'),
    })
  })

  test('without such a file the first key of a host is remembered, and another one is refused', async () => {
    const server = await sshd()
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': 'a: 1\n' })
    const source = sourceOf(`${server.url}${remote.bare}`, { credentials: { sshKeyFile: server.clientKey } })
    expect((await source.poll(never)).revision.sha).toBe(sha)
    await server.impostor()
    const error = await refusal(source)
    expect(error).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('the ssh host key is unknown or has changed'),
    })
    expect((await source.tree(sha, never)).files).toHaveLength(1)
  })
})

describe('over https', () => {
  /** A server with a certificate that it has signed itself. */
  async function https(bare: string): Promise<{ readonly url: string; readonly caFile: string }> {
    const dir = scratch()
    const [key, caFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', caFile]
    execFileSync('openssl', ['req', '-x509', ...made, '-days', '2', ...subject], { stdio: 'pipe' })
    const server = createServer({ key: readFileSync(key), cert: readFileSync(caFile) }, smartHttp(bare))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/remote.git`, caFile }
  }

  test('a commit is found and read where the authority is given', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': 'a: 1\n' })
    const { url, caFile } = await https(remote.bare)
    const source = sourceOf(url, { caFile })
    expect((await source.poll(never)).revision.sha).toBe(sha)
    expect((await source.tree(sha, never)).files).toHaveLength(1)
  })

  test('a certificate of nobody known is refused, and the error says what to give', async () => {
    const { url } = await https(makeRemote().bare)
    expect(await refusal(sourceOf(url, {}))).toMatchObject({ message: expect.stringMatching(/certificate.*--git-ca-file/s) })
  })
})
