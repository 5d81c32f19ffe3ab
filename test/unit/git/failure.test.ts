import { describe, expect, test } from 'vitest'
import { GitExit } from '../../../src/git/command.ts'
import { sourceErrorOf } from '../../../src/git/failure.ts'
import { SourceError } from '../../../src/git/source.ts'

const errorOf = (stderr: string) =>
  sourceErrorOf(new GitExit(128, stderr), 'polling x', (text) => text.replaceAll('hunter2', '***'))

describe('what Git says becomes a kind and a remedy', () => {
  for (const { stderr, kind, says } of [
    { stderr: "fatal: unable to access 'https://h/': Could not resolve host: h", kind: 'unreachable', says: /DNS/ },
    { stderr: "fatal: unable to access 'https://h/': Failed to connect to h port 443", kind: 'unreachable', says: /reached/ },
    {
      stderr: "fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none",
      kind: 'unreachable',
      says: /--git-ca-file/,
    },
    { stderr: "fatal: unable to access 'https://h/': The requested URL returned error: 403", kind: 'denied', says: /token/ },
    {
      stderr: "fatal: unable to access 'https://h/': The requested URL returned error: 503",
      kind: 'unreachable',
      says: /tried again/,
    },
    { stderr: "fatal: Authentication failed for 'https://h/'", kind: 'denied', says: /refused the login/ },
    {
      stderr: "fatal: could not read Username for 'https://h': terminal prompts disabled",
      kind: 'denied',
      says: /none was given/,
    },
    {
      stderr: 'git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.',
      kind: 'denied',
      says: /key/,
    },
    {
      stderr: 'Host key verification failed.\nfatal: Could not read from remote repository.',
      kind: 'denied',
      says: /known hosts/,
    },
    {
      stderr: "remote: Repository not found.\nfatal: repository 'https://h/x/' not found",
      kind: 'unreachable',
      says: /no such repository/,
    },
    { stderr: "fatal: detected dubious ownership in repository at '/x'", kind: 'denied', says: /chown/ },
    { stderr: "fatal: transport 'ext' not allowed", kind: 'refused', says: /not allowed/ },
    { stderr: "fatal: couldn't find remote ref refs/heads/x", kind: 'branchNotFound', says: /branch/ },
    { stderr: 'fatal: write error: No space left on device', kind: 'failed', says: /disk/ },
    {
      stderr: 'error: object abc: gitmodulesUrl: disallowed\nfatal: fsck error in packed object',
      kind: 'refused',
      says: /git fsck/,
    },
    { stderr: 'Error: spawn git ENOENT\n at x', kind: 'failed', says: /not installed/ },
    { stderr: 'fatal: something new', kind: 'failed', says: /something new/ },
    { stderr: '', kind: 'failed', says: /git failed/ },
  ] as const) {
    test(stderr.split('\n')[0] || 'nothing', () =>
      expect(errorOf(stderr)).toMatchObject({ kind, message: expect.stringMatching(says) }),
    )
  }
})

test('the message is redacted, on one line, and bounded', () => {
  const { message } = errorOf(`fatal: bad hunter2\u001b[2J ${'x'.repeat(5000)}`)
  expect(message).toContain('bad ***')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
  expect(message).not.toMatch(/[\u0000-\u001f]/)
  expect(message.length).toBeLessThan(400)
})

test('a SourceError stays what it is', () => {
  const error = new SourceError('refused', 'x')
  expect(sourceErrorOf(error, 'polling', String)).toBe(error)
})
