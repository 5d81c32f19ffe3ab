/** Signs the tokens of ServiceAccounts, and says what others need to verify them. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign as signBytes } from 'node:crypto'
import type { TokenRequest } from '../reconcilers/plan.ts'
import { tokenClaims } from '../reconcilers/tokens.ts'

/** @see RFC 7517 */
export interface KeySet {
  readonly keys: readonly {
    readonly use: 'sig'
    readonly kty: 'RSA'
    readonly kid: string
    readonly alg: 'RS256'
    readonly n: string
    readonly e: string
  }[]
}

/** @see OpenID Connect Discovery 1.0; the fields that Kubernetes answers with */
export interface Discovery {
  readonly issuer: string
  readonly jwks_uri: string
  readonly response_types_supported: readonly string[]
  readonly subject_types_supported: readonly string[]
  readonly id_token_signing_alg_values_supported: readonly string[]
}

export interface TokenSigner {
  /**
   * A JSON Web Token by RS256.
   *
   * @param at ms since the epoch
   * @throws whatever loading the key does; the next call tries again
   */
  sign(request: TokenRequest, at: number): Promise<string>
  /** The public key. @throws as `sign` */
  keys(): Promise<KeySet>
  discovery(): Discovery
}

export const KEYS_PATH = '/openid/v1/jwks'

export interface SignerOptions {
  readonly issuer: () => string
  /** a private RSA key in PEM; asked for when it is first needed, and again until there is one */
  readonly loadKey: () => Promise<string>
  readonly uuid: () => string
}

interface Pair {
  readonly key: KeyObject
  readonly kid: string
  readonly public: KeyObject
}

export function createTokenSigner({ issuer, loadKey, uuid }: SignerOptions): TokenSigner {
  let loading: Promise<Pair> | undefined

  function pair(): Promise<Pair> {
    loading ??= loadKey()
      .then(pairOf)
      .catch((error: unknown) => {
        loading = undefined
        throw error
      })
    return loading
  }

  return {
    async sign(request, at) {
      const { key, kid } = await pair()
      // The log knows a token by how it begins, which this order makes the same for every key.
      const header = { alg: 'RS256', kid }
      const text = [header, tokenClaims(request, issuer(), at, uuid())].map(encoded).join('.')
      return `${text}.${signBytes('sha256', Buffer.from(text), key).toString('base64url')}`
    },
    async keys() {
      const { kid, public: key } = await pair()
      const { n = '', e = '' } = key.export({ format: 'jwk' })
      return { keys: [{ use: 'sig', kty: 'RSA', kid, alg: 'RS256', n, e }] }
    },
    discovery: () => ({
      issuer: issuer(),
      jwks_uri: `${issuer().replace(/\/$/, '')}${KEYS_PATH}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    }),
  }
}

/** The key is named as Kubernetes names it: by the SHA-256 of its public part. @see Kubernetes pkg/serviceaccount/jwt.go keyIDFromPublicKey */
function pairOf(pem: string): Pair {
  const key = createPrivateKey(pem)
  const publicKey = createPublicKey(key)
  const kid = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  return { key, kid, public: publicKey }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
