import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sourceErrorOf } from '../../src/git/failure.ts'
import { checkBranch, checkPath, entryRefusal } from '../../src/git/names.ts'
import { redactor } from '../../src/git/redact.ts'
import { gitSource } from '../../src/git/repository.ts'
import { SourceError } from '../../src/git/source.ts'
import { parseRemote } from '../../src/git/url.ts'
import { makeRemote, scratch } from '../unit/git/support.ts'
import { patienceMs, tryAll } from './fuzz.ts'
import { oddText, torn } from './nasty.ts'

/** What `read` gives, or `undefined` when it refuses by name in a message that can be shown. */
function accepted<T>(read: () => T, secret = ''): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    expect(error.kind).toBe('refused')
    if (secret !== '') expect(error.message).not.toContain(secret)
    return undefined
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const control = /[\u0000-\u001f\u007f]/

describe('branches', () => {
  const branch = fc.oneof(
    oddText,
    torn(fc.constantFrom('main', 'feature/x', 'release-1.2', 'a/b/c'), 2),
    fc.constantFrom('--upload-pack=x', '-c', '@{-1}', 'a..b', 'x.lock', 'refs/heads/x', '/x', 'x/', 'HEAD'),
  )
  test('that are accepted are no option, no refspec and no other ref', () =>
    tryAll(branch, 4000, (name) => {
      const taken = accepted(() => checkBranch(name))
      if (taken === undefined) return
      expect(taken).toBe(name)
      expect(name).not.toMatch(/^-|^\/|\/$|\.\.|[ :~^?*[\\]|@\{|\.lock(\/|$)/)
      expect(control.test(name)).toBe(false)
    }))
})

describe('paths', () => {
  const path = fc
    .array(fc.oneof(oddText, fc.constantFrom('..', '.', '', '.git', '.GIT', 'a', 'a b', '-x', '*')), { maxLength: 5 })
    .map((parts) => parts.join('/'))
  test('that are accepted stay inside, and are accepted as they were made', () =>
    tryAll(path, 4000, (given) => {
      const taken = accepted(() => checkPath(given))
      if (taken === undefined) return
      expect(taken.startsWith('/')).toBe(false)
      expect(taken.split('/')).not.toContain('..')
      expect(control.test(taken)).toBe(false)
      expect(checkPath(taken)).toBe(taken)
    }))
  test('of entries that leave the tree are refused', () =>
    tryAll(path, 2000, (given) => {
      const inside = entryRefusal(given) === undefined
      if (inside)
        expect(given.split('/').every((part) => part !== '' && part !== '..' && part.toLowerCase() !== '.git')).toBe(true)
    }))
})

describe('addresses', () => {
  const part = fc.oneof(
    oddText,
    fc.constantFrom('host', 'example.org', '-oProxyCommand=x', 'user', '[::1]', '127.0.0.1', 'a:b', 'repo.git', '%0a', '%2d'),
  )
  const address = fc.oneof(
    fc
      .tuple(fc.constantFrom('https', 'http', 'ssh', 'git', 'file', 'ext', 'ftp', 'HTTPS', 'ext::sh', 'fd'), part, part, part)
      .map(([scheme, user, host, path]) => `${scheme}://${user}:s3cretpw@${host}/${path}`),
    fc.tuple(part, part, part).map(([user, host, path]) => `${user}@${host}:${path}`),
    fc.tuple(fc.constantFrom('ext::', 'fd::', 'http::', 'a+b::'), part).map((parts) => parts.join('')),
    torn(fc.constant('https://user:s3cretpw@example.org/team/repo.git')),
    oddText,
  )
  test('that are accepted run nothing, are no option and hold no password', () =>
    tryAll(address, 6000, (text) => {
      const taken = accepted(() => parseRemote(text, { allowFile: true }), 's3cretpw')
      if (taken === undefined) return
      const { address: given, transport } = taken.remote
      expect(['https', 'http', 'ssh', 'file']).toContain(transport)
      expect(given.startsWith('-')).toBe(false)
      expect(control.test(given)).toBe(false)
      if (transport === 'https' || transport === 'http') {
        expect(given).not.toContain('s3cretpw')
        expect(new URL(given).hostname.startsWith('-')).toBe(false)
      }
      if (transport === 'file') expect(given.startsWith('/')).toBe(true)
      else expect(/^[A-Za-z0-9+.-]+::/.test(given)).toBe(false)
    }))
  test('and what Git says of them becomes one short line without the password', () =>
    tryAll(fc.tuple(address, fc.constantFrom('fatal: ', 'remote: ', '', 'error: ')), 2000, ([text, start]) => {
      const said = `${start}cannot read ${text} with s3cretpw ${'x'.repeat(2000)}`
      const { message } = sourceErrorOf(new Error(said), 'fetching', redactor(['s3cretpw'], 'user'))
      expect(message).not.toContain('s3cretpw')
      expect(message).not.toMatch(/\n/)
      expect(message.length).toBeLessThan(600)
    }))
})

/** Entries of a tree as `git mktree` takes them: modes and names that no working copy would make. */
const entry = fc.record({
  mode: fc.constantFrom('100644', '100644', '100755', '120000', '160000'),
  name: fc.oneof(
    fc.constantFrom(
      'a.yaml',
      'A.yaml',
      'a.YAML',
      '.git',
      '.GIT',
      'git~1',
      '..',
      '.',
      '.gitattributes',
      '.gitmodules',
      '-x',
      'é.yaml',
      'e\u0301.yaml',
      'con.yaml',
    ),
    oddText.filter((text) => text !== '' && text.length < 300 && !/[/\0]/.test(text)),
  ),
  content: fc.constantFrom(
    'a: 1\n',
    '/etc/passwd',
    '../../x',
    '* filter=x ident export-subst\n',
    '[submodule "x"]\n\tpath = x\n\turl = ext::sh\n',
    'version https://git-lfs.github.com/spec/v1\noid x\n',
  ),
})

test(
  'a repository with any tree is read, refused by name, or refused whole',
  async () => {
    const remote = makeRemote()
    const signal = new AbortController().signal
    const first = remote.push({ 'a.yaml': 'a: 1\n' })
    await tryAll(fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 6 }), 12, async (entries) => {
      const lines = entries.map(({ mode, name, content }) => {
        const oid = mode === '160000' ? first : remote.write(['hash-object', '-w', '--stdin'], content)
        return `${mode} ${mode === '160000' ? 'commit' : 'blob'} ${oid}\t${name}\0`
      })
      const tree = remote.write(['mktree', '-z'], lines.join(''))
      remote.git('update-ref', 'refs/heads/main', remote.git('commit-tree', '-m', 'x', tree))
      remote.git('push', '--quiet', '--force', remote.bare, 'main')
      const source = gitSource({
        name: 'fuzz',
        url: remote.bare,
        branch: 'main',
        path: '.',
        mirrorDir: scratch(),
        timeoutMs: 30_000,
        environment: process.env,
      })
      try {
        const { revision } = await source.poll(signal)
        const { files, refused } = await source.tree(revision.sha, signal)
        for (const { path } of files) expect(entryRefusal(path)).toBeUndefined()
        expect(files.length + refused.length).toBe(entries.length)
      } catch (error) {
        expect(error).toBeInstanceOf(SourceError)
      } finally {
        await source.close()
      }
    })
  },
  patienceMs,
)
