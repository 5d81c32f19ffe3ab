import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadTokenKey } from '../../../src/store/tokenkey.ts'
import { tokenKey } from '../../support/tokens.ts'

let dir: string
let notices: string[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trireme-tokenkey-'))
  notices = []
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const edges = { generateTokenKey: tokenKey, now: () => Date.UTC(2024, 0, 2, 12) }
const load = () => loadTokenKey(dir, edges, (notice) => notices.push(notice))
const file = () => join(dir, 'token.key')

test('it is made once, for its owner alone, and kept', async () => {
  const made = await load()
  expect(made).toBe(readFileSync(file(), 'utf8'))
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  chmodSync(file(), 0o644)
  const again = () => Promise.reject(new Error('it is there already'))
  expect(await loadTokenKey(dir, { ...edges, generateTokenKey: again }, () => undefined)).toBe(made)
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(readdirSync(dir)).toEqual(['token.key'])
})

const pem = (key: { export(options: object): string | Buffer }): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
test.each([
  ['text', 'hush hush', 'holds no private key in PEM'],
  ['nothing', '', 'holds no private key in PEM'],
  ['a short key', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), '(rsa, 1024 bits)'],
  ['a key of another kind', pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), '(ec, 0 bits)'],
])('%s in its place is moved aside and told, without what is in it', async (_, text, why) => {
  writeFileSync(file(), text)
  expect(await load()).toBe(await tokenKey())
  expect(notices.join()).toContain(why)
  expect(notices.join()).not.toContain('hush')
  expect(readFileSync(join(dir, 'token.key.corrupt-20240102T120000.000Z'), 'utf8')).toBe(text)
})

test('where it cannot be written, that is told with its path', async () => {
  rmSync(dir, { recursive: true })
  await expect(load()).rejects.toThrow(file())
})
