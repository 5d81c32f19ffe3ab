/** The key of the keyed digests of secrets: made once, kept beside the database, readable by its owner only. */
import { chmodSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { readKey, writeKey } from './keyfile.ts'

const DIGEST_KEY_BYTES = 32

/**
 * The 32 bytes of `<dir>/digest.key`, made from `random` when there are none.
 *
 * A file of another length is moved aside and told: every secret then counts as changed once.
 */
export function loadDigestKey(
  dir: string,
  random: (bytes: number) => Uint8Array,
  stamp: () => string,
  onNotice: (message: string) => void,
): Uint8Array {
  const path = join(dir, 'digest.key')
  const kept = readKey(path)
  if (kept?.length === DIGEST_KEY_BYTES) {
    chmodSync(path, 0o600)
    return kept
  }
  if (kept !== undefined) {
    const aside = `${path}.corrupt-${stamp()}`
    renameSync(path, aside)
    onNotice(
      `${path} holds ${kept.length} bytes instead of ${DIGEST_KEY_BYTES}: moved to ${aside}; every Secret counts as changed`,
    )
  }
  const key = random(DIGEST_KEY_BYTES)
  writeKey(dir, path, key)
  return key
}
