import { describe, expect, test } from 'vitest'
import { createVault } from '../../../src/runtime/vault.ts'
import { testSigner } from '../../support/tokens.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const vaultOf = (...values: string[]) => {
  const vault = createVault(new Uint8Array(32).fill(1))
  for (const value of values) vault.put(vault.digest(bytes(value)), bytes(value))
  return vault
}

test('a digest depends on the bytes and on the key, and on nothing else', () => {
  const vault = createVault(new Uint8Array(32).fill(1))
  expect(vault.digest(bytes('value'))).toMatch(/^hmac-sha256:[0-9a-f]{64}$/)
  expect(vault.digest(bytes('value'))).toBe(createVault(new Uint8Array(32).fill(1)).digest(bytes('value')))
  expect(vault.digest(bytes('value'))).not.toBe(vault.digest(bytes('other')))
  expect(vault.digest(bytes('value'))).not.toBe(createVault(new Uint8Array(32).fill(2)).digest(bytes('value')))
})

test('values are got back by digest, as they were when put', () => {
  const vault = createVault(new Uint8Array(32))
  const value = bytes('hunter22')
  vault.put('d', value)
  value.fill(0)
  expect(Buffer.from(vault.get('d')!).toString()).toBe('hunter22')
  expect(vault.get('other')).toBeUndefined()
})

test('a token of a ServiceAccount is redacted wherever it stands, whichever key has signed it', async () => {
  const token = await testSigner().sign(
    {
      namespace: 'shop',
      serviceAccount: { name: 'teller', uid: 'a' },
      pod: { name: 'web-1', uid: 'p' },
      node: { name: 'alpha', uid: 'n' },
      audience: '',
      expirationSeconds: 600,
    },
    0,
  )
  const { redact, redactOwn } = createVault(new Uint8Array(32))
  expect(redact(`Authorization: Bearer ${token}, ${token}!`)).toBe('Authorization: Bearer [redacted], [redacted]!')
  expect(redactOwn(JSON.stringify({ token }))).toBe('{"token":"[redacted]"}')
  expect(redact('eyJhbGciOiJIUzI1NiJ9.e30.x')).toBe('eyJhbGciOiJIUzI1NiJ9.e30.x')
})

test('retain forgets the rest, also for redaction', () => {
  const vault = vaultOf('first-secret', 'second-secret')
  vault.retain(new Set([vault.digest(bytes('first-secret'))]))
  expect(vault.get(vault.digest(bytes('second-secret')))).toBeUndefined()
  expect(vault.redact('first-secret second-secret')).toBe('[redacted] second-secret')
})

test('a value that comes later is redacted from then on', () => {
  const vault = vaultOf('first-secret')
  expect(vault.redact('first-secret second-secret')).toBe('[redacted] second-secret')
  vault.put('later', bytes('second-secret'))
  expect([vault.redact('second-secret'), vault.redactOwn('second-secret')]).toEqual(['[redacted]', '[redacted]'])
})

for (const { name, values, text, want } of [
  { name: 'as it is', values: ['p4ssw0rd'], text: 'auth p4ssw0rd, again p4ssw0rd', want: 'auth [redacted], again [redacted]' },
  { name: 'in base64', values: ['p4ssw0rd'], text: `x ${btoa('p4ssw0rd')} y`, want: 'x [redacted]= y' },
  {
    name: 'in base64 for URLs',
    values: ['p4??w0rd~~~'],
    text: Buffer.from('p4??w0rd~~~').toString('base64url'),
    want: '[redacted]',
  },
  {
    name: 'URL-encoded',
    values: ['p/4 w+rd'],
    text: `https://u:${encodeURIComponent('p/4 w+rd')}@host`,
    want: 'https://u:[redacted]@host',
  },
  { name: 'in a form', values: ['p/4 w&rd'], text: 'pw=p%2F4+w%26rd', want: 'pw=[redacted]' },
  { name: 'in JSON', values: ['say "hi" now'], text: JSON.stringify({ pw: 'say "hi" now' }), want: '{"pw":"[redacted]"}' },
  { name: 'without its last line break', values: ['p4ssw0rd\n'], text: 'got p4ssw0rd!', want: 'got [redacted]!' },
  {
    name: 'one line of many',
    values: ['-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA0\n'],
    text: 'key MIIEpAIBAAKCAQEA0',
    want: 'key [redacted]',
  },
  { name: 'the longest first', values: ['secret', 'secret-more'], text: 'secret-more secret', want: '[redacted] [redacted]' },
  {
    name: 'never in its own replacement',
    values: ['redacted', 'abcdef'],
    text: 'abcdef redacted',
    want: '[redacted] [redacted]',
  },
  { name: 'not when shorter than 6 bytes', values: ['short'], text: 'short', want: 'short' },
  { name: 'regular expression signs are plain', values: ['a.*b$^(['], text: 'a.*b$^([ aXXb', want: '[redacted] aXXb' },
  { name: 'nothing to redact', values: ['p4ssw0rd'], text: '', want: '' },
]) {
  test(`redact: ${name}`, () => expect(vaultOf(...values).redact(text)).toBe(want))
}

test('redact: bytes that are no text are found in base64', () => {
  const vault = createVault(new Uint8Array(32))
  vault.put('d', new Uint8Array([255, 254, 1, 2, 3, 4, 5, 6]))
  expect(vault.redact('x //4BAgMEBQY= y')).toBe('x [redacted]= y')
})

describe('a value that is also a name', () => {
  const names = ['rocketchat', 'rocketchat-mongodb', 'shop', 'registry.example/team/web:1.27']
  const named = (...values: string[]) => {
    const vault = vaultOf(...values)
    vault.publish(() => names)
    return vault
  }
  for (const value of ['rocketchat', 'mongodb', 'rocketchat\n', 'team/web'])
    test(`${JSON.stringify(value)} stays in our own words, where it is that name, and in nobody else's`, () => {
      const text = `create rocketchat-mongodb-5f0c of registry.example/team/web:1.27: password ${value.trim()}`
      expect(named(value).redactOwn(text)).toBe(text)
      expect(named(value).redact(text)).not.toContain(`password ${value.trim()}`)
    })

  for (const value of ['rocketchat1', 'Rocketchat', 'rocketchat\nshop', 'p4ssw0rd'])
    test(`${JSON.stringify(value)} is none`, () => expect(named(value).redactOwn(`got ${value}`)).toBe('got [redacted]'))

  test('names that are published later count', () => {
    const vault = named('p4ssw0rd')
    expect(vault.redactOwn('p4ssw0rd')).toBe('[redacted]')
    vault.publish(() => ['p4ssw0rd-reset'])
    expect(vault.redactOwn('start p4ssw0rd-reset')).toBe('start p4ssw0rd-reset')
  })
})
