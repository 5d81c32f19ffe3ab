/** From specs that name secrets to configurations that hold them: the last step before the engine. */
import { flawOf } from '../model/checks/variables.ts'
import type { ContainerSpec, FileSpec, SecretRef, Text, TokenRequest } from '../reconcilers/plan.ts'
import { linkVariables } from '../reconcilers/servicelinks.ts'
import type { ContainerConfig } from './engine.ts'
import { ConfigError, resolveSecret } from './secretvalue.ts'
import type { Vault } from './vault.ts'

export { ConfigError }

/** One file of a volume with its bytes. */
export interface ResolvedFile {
  readonly path: string
  /** permission bits */
  readonly mode: number
  /** its owner; absent means root */
  readonly uid?: number
  readonly bytes: Uint8Array
}

export function resolveText(text: Text, vault: Vault): string {
  if (typeof text === 'string') return text
  let length = 0
  const parts = text.parts.map((part) => {
    const written = typeof part === 'string' ? part : secretText(part, vault)
    length += written.length
    if (length > longestText) throw tooLong(text.parts)
    return written
  })
  return parts.join('')
}

/** Far above what Linux takes as one variable or argument; a value that is named a thousand times must not fill the memory. */
const longestText = 4 * 1024 * 1024

function tooLong(parts: readonly (string | SecretRef)[]): ConfigError {
  const secret = parts.find((part) => typeof part !== 'string')
  const named = secret === undefined ? '' : ` that names key ${secret.key} of Secret ${secret.namespace}/${secret.name}`
  return new ConfigError(`a variable or argument${named} is longer than ${longestText} characters; mount the value as a file`)
}

/** `validate` finds both flaws too, where it knows the Secret: here it may have come later than its pod. */
function secretText(ref: SecretRef, vault: Vault): string {
  const bytes = Buffer.from(resolveSecret(ref, vault))
  if (flawOf(bytes) !== 'NUL') return bytes.toString('utf8')
  throw new ConfigError(
    `key ${ref.key} of Secret ${ref.namespace}/${ref.name} has a NUL in it, so it cannot be an environment variable; mount it as a file`,
  )
}

export function resolveContainer(spec: ContainerSpec, vault: Vault): ContainerConfig {
  const { env, links = '', entrypoint, cmd, ...rest } = spec
  const own = new Set(env.map(({ name }) => name))
  return {
    ...rest,
    env: [...env, ...linkVariables(links).filter(({ name }) => !own.has(name))].map(
      (entry) => `${entry.name}=${resolveText(entry.value, vault)}`,
    ),
    ...(entrypoint === undefined ? {} : { entrypoint: entrypoint.map((text) => resolveText(text, vault)) }),
    ...(cmd === undefined ? {} : { cmd: cmd.map((text) => resolveText(text, vault)) }),
  }
}

/** @param sign makes a token; whatever it rejects with, this does */
export function resolveFiles(
  files: readonly FileSpec[],
  vault: Vault,
  sign: (request: TokenRequest) => Promise<string>,
): Promise<ResolvedFile[]> {
  return Promise.all(
    files.map(async ({ path, mode, uid, content }) => {
      const bytes = 'token' in content ? Buffer.from(await sign(content.token), 'utf8') : contentBytes(content, vault)
      return { path, mode, ...(uid === undefined ? {} : { uid }), bytes }
    }),
  )
}

function contentBytes(content: Exclude<FileSpec['content'], { readonly token: TokenRequest }>, vault: Vault): Uint8Array {
  if ('text' in content) return Buffer.from(content.text, 'utf8')
  if ('base64' in content) return Buffer.from(content.base64, 'base64')
  return resolveSecret(content.secret, vault)
}
