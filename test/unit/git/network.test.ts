import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type GitSourceOptions, gitSource } from '../../../src/git/repository.ts'
import { smartHttp } from '../../support/githttp.ts'
import { makeRemote, scratch } from './support.ts'

const never = new AbortController().signal
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A loopback server; `host` is its `127.0.0.1:port`. */
async function serve(listener: RequestListener): Promise<{ host: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    listener(request, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

/** Lets through who sends `user:password`; asks everyone else. */
function behindLogin(login: string, inner: RequestListener): RequestListener {
  const wanted = `Basic ${Buffer.from(login).toString('base64')}`
  return (request, response) => {
    if (request.headers.authorization === wanted) return inner(request, response)
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"', 'content-type': 'text/plain' })
    // An unkind server that echoes what it was sent.
    response.end(
      `denied: ${request.headers.authorization} ${Buffer.from(String(request.headers.authorization).slice(6), 'base64')}\n`,
    )
  }
}

const sourceOf = (url: string, options: Partial<GitSourceOptions> = {}) =>
  gitSource({
    name: 'shop',
    url,
    branch: 'main',
    path: '.',
    mirrorDir: scratch(),
    timeoutMs: 15_000,
    environment: { PATH: process.env.PATH },
    ...options,
  })

const secret = "s3cr3t p@ss'w:rd/%"

async function failureOf(work: Promise<unknown>): Promise<Error & { kind: string }> {
  return await work.then(
    () => Promise.reject(new Error('it should have failed')),
    (error) => error,
  )
}

describe('a login', () => {
  test('from a password file reaches the server and nothing else', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': 'one' })
    const { host } = await serve(behindLogin(`ada (é)@example:${secret}`, smartHttp(remote.bare)))
    const mirrorDir = scratch()
    const passwordFile = join(scratch(), 'password')
    writeFileSync(passwordFile, `${secret}\n`, { mode: 0o600 })
    const source = sourceOf(`http://${host}/remote.git`, {
      mirrorDir,
      credentials: { username: 'ada (é)@example', passwordFile },
    })
    expect((await source.poll(never)).revision.sha).toBe(sha)
    expect((await source.tree(sha, never)).files).toHaveLength(1)
    expect(filesHolding(mirrorDir, 's3cr3t')).toEqual([])
  })

  test('inside the URL moves out of it', async () => {
    const remote = makeRemote()
    const sha = remote.push({ 'a.yaml': 'one' })
    const { host } = await serve(behindLogin(`ada:${secret}`, smartHttp(remote.bare)))
    const mirrorDir = scratch()
    const source = sourceOf(`http://ada:${encodeURIComponent(secret)}@${host}/remote.git`, { mirrorDir })
    expect((await source.poll(never)).revision.sha).toBe(sha)
    expect(filesHolding(mirrorDir, 's3cr3t')).toEqual([])
  })

  for (const { name, url, credentials } of [
    { name: 'in the URL', url: (host: string) => `http://ada:${encodeURIComponent(secret)}@${host}/r.git`, credentials: {} },
    { name: 'by value', url: (host: string) => `http://${host}/r.git`, credentials: { username: 'ada', password: secret } },
  ]) {
    test(`that is refused, given ${name}, is not in the error`, async () => {
      const { host, seen } = await serve(behindLogin('nobody:else', (_, response) => response.end()))
      const error = await failureOf(sourceOf(url(host), { credentials }).poll(never))
      expect(error).toMatchObject({ kind: 'denied', message: expect.stringContaining('refused the login') })
      expect(seen.some((request) => request.headers.authorization !== undefined)).toBe(true)
      for (const text of [error.message, error.stack, JSON.stringify(error), String(error.cause)]) {
        expect(text).not.toContain('s3cr3t')
        expect(text).not.toContain(Buffer.from(`ada:${secret}`).toString('base64'))
      }
    })
  }

  test('that is asked for and not given says what to give', async () => {
    const { host } = await serve(behindLogin('ada:x', (_, response) => response.end()))
    const error = await failureOf(sourceOf(`http://${host}/r.git`).poll(never))
    expect(error).toMatchObject({ kind: 'denied', message: expect.stringContaining('none was given') })
  })

  test('is never sent to a host that the server redirects to', async () => {
    const thief = await serve(behindLogin('x:y', (_, response) => response.end()))
    const { host } = await serve((request, response) => {
      response.writeHead(302, { location: `http://${thief.host}${request.url}` }).end()
    })
    const error = await failureOf(sourceOf(`http://ada:${encodeURIComponent(secret)}@${host}/r.git`).poll(never))
    expect(error.kind).toBe('denied')
    expect(thief.seen.length).toBeGreaterThan(0)
    expect(thief.seen.map((request) => request.headers.authorization)).toEqual(thief.seen.map(() => undefined))
  })

  test('a password file that is missing or empty is named', async () => {
    const empty = join(scratch(), 'empty')
    writeFileSync(empty, '\n')
    for (const passwordFile of ['/nonexistent/password', empty]) {
      const error = await failureOf(sourceOf('http://127.0.0.1:1/r.git', { credentials: { passwordFile } }).poll(never))
      expect(error).toMatchObject({ kind: 'denied', message: expect.stringContaining(passwordFile) })
    }
  })
})

test('a key, host or authority file that cannot be read is named', async () => {
  for (const [file, options] of [
    ['/nonexistent/key', { credentials: { sshKeyFile: '/nonexistent/key' } }],
    ['/nonexistent/hosts', { credentials: { knownHostsFile: '/nonexistent/hosts' } }],
    ['/nonexistent/ca', { caFile: '/nonexistent/ca' }],
  ] as const) {
    const error = await failureOf(sourceOf('git@host.example:r.git', options).poll(never))
    expect(error).toMatchObject({ kind: 'denied', message: expect.stringContaining(file) })
  }
})

describe('a server', () => {
  test('that never answers ends in a timeout, and no process of Git stays', async () => {
    const { host, seen } = await serve(() => {})
    const error = await failureOf(sourceOf(`http://${host}/hang.git`, { timeoutMs: 600 }).poll(never))
    expect(error).toMatchObject({ kind: 'timeout', message: expect.stringContaining('0.6 s') })
    expect(seen).toHaveLength(1)
    await vi.waitFor(() => expect(processesNaming(host)).toEqual([]), { timeout: 5000 })
  })

  test('that trickles for ever is cut off at the same time', async () => {
    const { host } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
      response.write('001e# service=git-upload-pack\n0000')
      const drip = setInterval(() => response.write('0'), 50)
      response.on('close', () => clearInterval(drip))
    })
    const error = await failureOf(sourceOf(`http://${host}/drip.git`, { timeoutMs: 600 }).poll(never))
    expect(error.kind).toBe('timeout')
    await vi.waitFor(() => expect(processesNaming(host)).toEqual([]), { timeout: 5000 })
  })

  test('that is not there is unreachable', async () => {
    const error = await failureOf(sourceOf('http://127.0.0.1:1/r.git').poll(never))
    expect(error).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('cannot be reached') })
  })

  test('that does not know the repository says so', async () => {
    const { host } = await serve((_, response) => response.writeHead(404).end())
    const error = await failureOf(sourceOf(`http://${host}/r.git`).poll(never))
    expect(error).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('no such repository') })
  })

  test('that redirects to another transport is not followed', async () => {
    const { host } = await serve((_, response) =>
      response.writeHead(302, { location: 'ftp://127.0.0.1:1/r.git/info/refs' }).end(),
    )
    const error = await failureOf(sourceOf(`http://${host}/r.git`).poll(never))
    expect(['refused', 'unreachable']).toContain(error.kind)
  })

  test('that only serves files (dumb http) works, without shallow history', async () => {
    const remote = makeRemote()
    remote.push({ 'a.yaml': '0' })
    const sha = remote.push({ 'a.yaml': '1' })
    remote.git('--git-dir', remote.bare, 'update-server-info')
    const { host } = await serve((request, response) => {
      const file = join(remote.bare, new URL(request.url ?? '/', 'http://x').pathname.replace('/dumb.git/', ''))
      try {
        response.end(readFileSync(file))
      } catch {
        response.writeHead(404).end()
      }
    })
    const source = sourceOf(`http://${host}/dumb.git`)
    expect((await source.poll(never)).revision.sha).toBe(sha)
    expect((await source.tree(sha, never)).files).toHaveLength(1)
  })

  test('over smart http, a new commit and a force-push are told apart', async () => {
    const remote = makeRemote()
    const first = remote.push({ 'a.yaml': '0' })
    const { host } = await serve(smartHttp(remote.bare))
    const source = sourceOf(`http://${host}/remote.git`)
    await source.poll(never)
    remote.push({ 'a.yaml': '1' })
    expect((await source.poll(never)).forced).toBe(false)
    remote.git('reset', '--quiet', '--hard', first)
    remote.push({ 'a.yaml': '2' })
    expect((await source.poll(never)).forced).toBe(true)
  })
})

describe('ssh', () => {
  test('is called without a prompt, personal configuration or a shell in the middle', async () => {
    const bin = scratch()
    const log = join(bin, 'log')
    mkdirSync(join(bin, 'keys here'))
    const sshKeyFile = join(bin, 'keys here', "it's 100%d")
    writeFileSync(sshKeyFile, '')
    writeFileSync(
      join(bin, 'ssh'),
      `#!/bin/sh\nprintf '%s\\n' "$@" > ${log}\necho 'git@host: Permission denied (publickey).' >&2\nexit 255\n`,
    )
    chmodSync(join(bin, 'ssh'), 0o755)
    const source = sourceOf('git@host.example:team/shop.git', {
      environment: { PATH: `${bin}:${process.env.PATH}` },
      credentials: { sshKeyFile },
    })
    const error = await failureOf(source.poll(never))
    expect(error).toMatchObject({ kind: 'denied', message: expect.stringContaining('refused the key') })
    const args = readFileSync(log, 'utf8').split('\n')
    expect(args).toEqual(expect.arrayContaining(['-F', '/dev/null', 'BatchMode=yes', 'StrictHostKeyChecking=accept-new']))
    expect(args).toContain(`IdentityFile="${sshKeyFile.replace('%', '%%')}"`)
    expect(args.at(-2)).toBe("git-upload-pack 'team/shop.git'")
  })
})

test('a local repository of another user gets a remedy', async () => {
  const remote = makeRemote()
  remote.push({ 'a.yaml': '0' })
  // Git's own switch for this case, which works for any user the test runs as.
  const bin = scratch()
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  writeFileSync(join(bin, 'git'), `#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec ${real} "$@"\n`, { mode: 0o755 })
  const error = await failureOf(sourceOf(remote.bare, { environment: { PATH: `${bin}:${process.env.PATH}` } }).poll(never))
  expect(error).toMatchObject({ kind: 'denied', message: expect.stringMatching(/belongs to another user.*chown/) })
})

function filesHolding(dir: string, text: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file, 'latin1').includes(text))
}

function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .filter((line) => line.startsWith('git') && line.includes(text))
}
