/** The key that tokens of ServiceAccounts are signed with: made when the first is asked for, or their public key, kept in the data directory. */
import { createPrivateKey } from 'node:crypto'
import { chmodSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { readKey, stampOf, writeKey } from './keyfile.ts'

const LEAST_BITS = 2048

/**
 * The private RSA key in `<dir>/token.key`, as PEM, made by `generateTokenKey` when there is none.
 *
 * A file that holds no such key is moved aside and told, as a damaged `digest.key` is: every token is then signed anew, and who
 * verifies them fetches the new key. Errors: those of the file system, with the path.
 */
export async function loadTokenKey(
  dir: string,
  { generateTokenKey, now }: { readonly generateTokenKey: () => Promise<string>; readonly now: () => number },
  onNotice: (message: string) => void,
): Promise<string> {
  const path = join(dir, 'token.key')
  const kept = readKey(path)
  if (kept !== undefined) {
    const pem = Buffer.from(kept).toString('utf8')
    const flaw = flawOf(pem)
    if (flaw === undefined) {
      chmodSync(path, 0o600)
      return pem
    }
    const aside = `${path}.corrupt-${stampOf(now())}`
    renameSync(path, aside)
    onNotice(`${path} ${flaw}: moved to ${aside}; a new key is made, and every token of a ServiceAccount is signed anew`)
  }
  const pem = await generateTokenKey()
  writeKey(dir, path, Buffer.from(pem))
  return pem
}

function flawOf(pem: string): string | undefined {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem)
    const bits = asymmetricKeyDetails?.modulusLength ?? 0
    if (asymmetricKeyType === 'rsa' && bits >= LEAST_BITS) return undefined
    return `holds a key of another kind (${asymmetricKeyType}, ${bits} bits) than RSA with at least ${LEAST_BITS} bits`
  } catch {
    // What the library says of it may quote the key.
    return 'holds no private key in PEM'
  }
}
