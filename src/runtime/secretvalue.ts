/** A secret by name becomes its bytes. */
import type { SecretRef } from '../reconcilers/plan.ts'
import type { Vault } from './vault.ts'

/** What the object asks for cannot be made; trying again helps only after its configuration has changed. */
export class ConfigError extends Error {
  readonly kind = 'config'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConfigError'
  }
}

/** @throws ConfigError naming the Secret and its key, never a value */
export function resolveSecret(ref: SecretRef, vault: Vault): Uint8Array {
  const bytes = vault.get(ref.digest)
  if (bytes !== undefined) return bytes
  throw new ConfigError(
    `the value of key ${ref.key} of Secret ${ref.namespace}/${ref.name} is not known any more; it is read again with the next revision that holds it`,
  )
}
