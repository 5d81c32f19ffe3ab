import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SourceError } from '../../../src/git/source.ts'
import { parseRemote } from '../../../src/git/url.ts'

const allowed = { allowFile: true }

describe('accepted', () => {
  for (const { text, want } of [
    {
      text: 'https://host/team/shop.git',
      want: { transport: 'https', address: 'https://host/team/shop.git', origin: 'https://host' },
    },
    { text: 'HTTPS://Host:443/shop', want: { transport: 'https', address: 'https://host/shop', origin: 'https://host' } },
    { text: 'http://host:3000/shop', want: { transport: 'http', address: 'http://host:3000/shop', origin: 'http://host:3000' } },
    {
      text: 'https://[::1]:8443/shop',
      want: { transport: 'https', address: 'https://[::1]:8443/shop', origin: 'https://[::1]:8443' },
    },
    { text: 'ssh://git@host:2222/shop', want: { transport: 'ssh', address: 'ssh://git@host:2222/shop', origin: '' } },
    { text: 'git@host:team/shop.git', want: { transport: 'ssh', address: 'git@host:team/shop.git', origin: '' } },
    { text: 'host:shop', want: { transport: 'ssh', address: 'host:shop', origin: '' } },
    { text: 'file:///srv/my%20shop.git', want: { transport: 'file', address: '/srv/my shop.git', origin: '' } },
    { text: '/srv/shop.git', want: { transport: 'file', address: '/srv/shop.git', origin: '' } },
    { text: './shop:1', want: { transport: 'file', address: resolve('shop:1'), origin: '' } },
  ] as const) {
    test(text, () => expect(parseRemote(text, allowed)).toEqual({ remote: want }))
  }

  test('credentials leave the URL', () => {
    expect(parseRemote('https://ada:p%40ss@host/shop', allowed)).toEqual({
      remote: { transport: 'https', address: 'https://host/shop', origin: 'https://host' },
      username: 'ada',
      password: 'p@ss',
    })
  })
})

describe('refused', () => {
  for (const { text, says } of [
    { text: '', says: /empty/ },
    { text: '--upload-pack=touch /tmp/x', says: /option/ },
    { text: '-oProxyCommand=x', says: /option/ },
    { text: 'ext::sh -c touch% /tmp/x', says: /"ext::"/ },
    { text: 'fd::3', says: /"fd::"/ },
    { text: 'https::https://host/x', says: /"https::"/ },
    { text: 'git://host/x', says: /git:\/\// },
    { text: 'ftp://host/x', says: /ftp:\/\// },
    { text: 'javascript://host/x', says: /javascript:\/\// },
    { text: 'https:///x', says: /refused|repository/ },
    { text: 'https://host', says: /names no repository/ },
    { text: 'https://host/x y', says: /space/ },
    { text: 'https://host/x\nhost=evil', says: /control/ },
    { text: 'https://host/x%0ahost=evil', says: /control/ },
    { text: 'https://host/x%00', says: /control/ },
    { text: 'https://host/x?token=abc', says: /"\?"/ },
    { text: 'ssh://-oProxyCommand=x/y', says: /host/ },
    { text: 'ssh://-x@host/y', says: /user/ },
    { text: 'ssh://ada:pw@host/y', says: /key/ },
    { text: '-x@host:y', says: /option/ },
    { text: 'git@-oProxyCommand=x:y', says: /host/ },
    { text: 'git@host:-x', says: /path/ },
    { text: 'git@host:a\nb', says: /control/ },
    { text: 'file://elsewhere/x', says: /local path/ },
    { text: '/srv/a\nb', says: /control/ },
  ]) {
    test(JSON.stringify(text), () => {
      expect(() => parseRemote(text, allowed)).toThrow(SourceError)
      expect(() => parseRemote(text, allowed)).toThrow(says)
    })
  }

  for (const text of ['/srv/shop.git', 'file:///srv/shop.git', '../shop']) {
    test(`${text} where local repositories are not allowed`, () => {
      expect(() => parseRemote(text, { allowFile: false })).toThrow(/not allowed/)
    })
  }

  for (const text of [
    'https://ada:hunter2@host',
    'https://ada:hunter2@host/x?y',
    'ssh://ada:hunter2@host/x',
    'https://ada:hunter2@host/ x',
    'git://ada:hunter2@host/x',
  ]) {
    test(`the password stays out of the error: ${text}`, () => {
      expect(() => parseRemote(text, allowed)).toThrow(/^(?!.*hunter2)/s)
      expect(String(catching(() => parseRemote(text, allowed)))).not.toContain('hunter2')
    })
  }
})

function catching(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
