import { createPublicKey, generateKeyPairSync, type JsonWebKey, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { tokenClaims } from '../../../src/reconcilers/tokens.ts'
import { createTokenSigner } from '../../../src/runtime/tokens.ts'
import { ISSUER, testSigner, tokenKey } from '../../support/tokens.ts'
import { epochMs } from '../../support/world.ts'

const request = {
  namespace: 'shop',
  serviceAccount: { name: 'teller', uid: 'account-uid' },
  pod: { name: 'web-1', uid: 'pod-uid' },
  node: { name: 'alpha', uid: 'node-uid' },
  audience: '',
  expirationSeconds: 3600,
}

test('a token says what those of Kubernetes say', () => {
  const seconds = epochMs / 1000
  expect(tokenClaims(request, ISSUER, epochMs + 999, 'id')).toEqual({
    aud: [ISSUER],
    exp: seconds + 3600,
    iat: seconds,
    iss: ISSUER,
    jti: 'id',
    'kubernetes.io': {
      namespace: 'shop',
      node: { name: 'alpha', uid: 'node-uid' },
      pod: { name: 'web-1', uid: 'pod-uid' },
      serviceaccount: { name: 'teller', uid: 'account-uid' },
    },
    nbf: seconds,
    sub: 'system:serviceaccount:shop:teller',
  })
  expect(tokenClaims({ ...request, audience: 'vault' }, ISSUER, epochMs, 'id').aud).toEqual(['vault'])
})

test('who has the published key verifies a token, and no other', async () => {
  const signer = testSigner()
  const [header = '', claims = '', signature = ''] = (await signer.sign(request, epochMs)).split('.')
  const [key] = (await signer.keys()).keys
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'RS256', kid: key?.kid })
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual(tokenClaims(request, ISSUER, epochMs, 'id'))
  const verified = (text: string): boolean =>
    verify(
      'sha256',
      Buffer.from(text),
      createPublicKey({ key: key as unknown as JsonWebKey, format: 'jwk' }),
      Buffer.from(signature, 'base64url'),
    )
  expect(verified(`${header}.${claims}`)).toBe(true)
  expect(verified(`${header}.${claims.slice(1)}`)).toBe(false)
  expect(key).not.toHaveProperty('d')
})

test('another key has another name', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const signer = createTokenSigner({ issuer: () => ISSUER, loadKey: async () => other, uuid: () => 'id' })
  expect((await signer.keys()).keys[0]?.kid).not.toBe((await testSigner().keys()).keys[0]?.kid)
})

test('a key that cannot be had is asked for again, and one that is there never', async () => {
  let asked = 0
  const loadKey = (): Promise<string> => {
    asked += 1
    return asked === 1 ? Promise.reject(new Error('the disk is full')) : tokenKey()
  }
  const signer = createTokenSigner({ issuer: () => ISSUER, loadKey, uuid: () => 'id' })
  await expect(signer.sign(request, epochMs)).rejects.toThrow('the disk is full')
  await Promise.all([signer.sign(request, epochMs), signer.keys(), signer.sign(request, epochMs)])
  expect(asked).toBe(2)
})

test('the path of the keys follows the issuer, whether it ends with a slash or not', () => {
  for (const issuer of ['https://a.example/x', 'https://a.example/x/']) {
    const { discovery } = createTokenSigner({ issuer: () => issuer, loadKey: tokenKey, uuid: () => '' })
    expect(discovery()).toMatchObject({ issuer, jwks_uri: 'https://a.example/x/openid/v1/jwks' })
  }
})
