/** A key that tokens are signed with, made once a process. */
import { generateKeyPairSync } from 'node:crypto'
import { createTokenSigner, type TokenSigner } from '../../src/runtime/tokens.ts'

let key: string | undefined

export async function tokenKey(): Promise<string> {
  key ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return key
}

export const ISSUER = 'https://trireme.example'

export function testSigner(uuid: () => string = () => 'id'): TokenSigner {
  return createTokenSigner({ issuer: () => ISSUER, loadKey: tokenKey, uuid })
}
