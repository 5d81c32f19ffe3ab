/** Who sent a webhook: checked over the raw bytes, before anything is parsed. The payload is never read. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError } from './error.ts'

export const maxWebhookBytes = 1_048_576

/**
 * Throws unless the request carries proof of the secret: GitHub's, Gitea's or Gogs' SHA-256 signature
 * of the body, or GitLab's token. Errors: `ApiError` 403 without a secret configured, 401 otherwise.
 */
export function checkWebhook(headers: IncomingHttpHeaders, body: Uint8Array, secret: string): void {
  if (secret === '')
    throw new ApiError(403, 'NotConfigured', 'webhooks are refused until a secret is configured: set webhookSecretFile')
  const signature = signatureOf(headers)
  const token = headers['x-gitlab-token']
  if (signature !== undefined) {
    const expected = createHmac('sha256', secret).update(body).digest('hex')
    if (isSame(signature.toLowerCase(), expected)) return
    throw new ApiError(401, 'Unauthorized', 'the signature does not fit the body and the secret')
  }
  if (typeof token === 'string' && isSame(token, secret)) return
  if (token !== undefined) throw new ApiError(401, 'Unauthorized', 'the token is not the secret')
  throw new ApiError(401, 'Unauthorized', 'no signature: send X-Hub-Signature-256, X-Gitea-Signature or X-Gitlab-Token')
}

function signatureOf(headers: IncomingHttpHeaders): string | undefined {
  const hub = headers['x-hub-signature-256']
  if (typeof hub === 'string') return hub.replace(/^sha256=/, '')
  const bare = headers['x-gitea-signature'] ?? headers['x-gogs-signature']
  return typeof bare === 'string' ? bare : undefined
}

/** Equal texts, compared by digest so that neither content nor length shows in the time it takes. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))
}
