/** Which credentials of a pod's pull secrets belong to an image, by Kubernetes' rules. */
import type { SecretRef } from '../reconcilers/plan.ts'
import type { RegistryAuth } from './engine.ts'
import { ConfigError, resolveSecret } from './secretvalue.ts'
import type { Vault } from './vault.ts'

/** What Docker calls its own registry in configuration files and in `serverAddress`. */
const HUB_ADDRESS = 'https://index.docker.io/v1/'
const HUB_HOST = 'index.docker.io'
const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'])

interface Login {
  readonly host: string
  /** without leading and trailing slashes, `''` for the whole registry */
  readonly path: string
  readonly auth: RegistryAuth
}

/**
 * The login of the most specific entry that matches `image`; `undefined` when none does.
 *
 * Reads `.dockerconfigjson` and the older `.dockercfg`. An entry may name a host, a host with port, a prefix of
 * the path, and `*` within a host label. On a tie the first of `refs` wins.
 *
 * @see Kubernetes pkg/credentialprovider/keyring.go
 * @throws ConfigError when a pull secret cannot be read
 */
export function registryAuth(refs: readonly SecretRef[], image: string, vault: Vault): RegistryAuth | undefined {
  const { host, path } = repositoryOf(image)
  const matching = refs.flatMap((ref) => loginsOf(ref, vault)).filter((login) => matches(login, host, path))
  // Longest path first; an exact host before a wildcard.
  const best = matching
    .map((login, index) => ({ login, index }))
    .sort(
      (a, b) =>
        b.login.path.length - a.login.path.length ||
        Number(a.login.host.includes('*')) - Number(b.login.host.includes('*')) ||
        a.index - b.index,
    )[0]
  return best?.login.auth
}

/** Registry host and repository of an image reference, tag and digest taken off. */
export function repositoryOf(image: string): { readonly host: string; readonly path: string } {
  const name = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost'
  if (!isHost) return { host: HUB_HOST, path: slash < 0 ? `library/${name}` : name }
  const path = name.slice(slash + 1)
  if (!HUB_NAMES.has(first)) return { host: first.toLowerCase(), path }
  return { host: HUB_HOST, path: path.includes('/') ? path : `library/${path}` }
}

function loginsOf(ref: SecretRef, vault: Vault): Login[] {
  const entries = parseEntries(ref, Buffer.from(resolveSecret(ref, vault)).toString('utf8'))
  return Object.entries(entries).flatMap(([address, entry]) => {
    const auth = authOf(entry)
    return auth === undefined ? [] : [toLogin(address, auth)]
  })
}

function parseEntries(ref: SecretRef, text: string): Record<string, unknown> {
  const malformed = (): ConfigError =>
    new ConfigError(
      `key ${ref.key} of Secret ${ref.namespace}/${ref.name} is no Docker configuration: expected JSON with "auths"`,
    )
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which is the secret.
    throw malformed()
  }
  if (!isMap(parsed)) throw malformed()
  const entries = ref.key === '.dockercfg' ? parsed : (parsed.auths ?? {})
  if (!isMap(entries)) throw malformed()
  return entries
}

function authOf(entry: unknown): RegistryAuth | undefined {
  if (!isMap(entry)) return undefined
  const text = (key: string): string => (typeof entry[key] === 'string' ? (entry[key] as string) : '')
  if (text('identitytoken') !== '') return { identityToken: text('identitytoken') }
  const joined = Buffer.from(text('auth'), 'base64').toString('utf8')
  const colon = joined.indexOf(':')
  const username = colon < 0 ? text('username') : joined.slice(0, colon)
  const password = colon < 0 ? text('password') : joined.slice(colon + 1)
  return username === '' && password === '' ? undefined : { username, password }
}

function toLogin(address: string, auth: RegistryAuth): Login {
  const bare = address.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  const slash = bare.indexOf('/')
  const named = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase()
  const isHub = HUB_NAMES.has(named)
  // `/v1/` and `/v2/` name the registry's protocol, not a repository.
  const path = (slash < 0 ? '' : bare.slice(slash + 1)).replace(/^v[12](\/|$)/, '')
  const serverAddress = isHub ? HUB_ADDRESS : named
  return { host: isHub ? HUB_HOST : named, path, auth: { ...auth, serverAddress } }
}

function matches(login: Login, host: string, path: string): boolean {
  if (!hostMatches(login.host, host)) return false
  return path.startsWith(login.path)
}

/** `*` stands for any characters but a dot; the number of labels and the port must agree. */
function hostMatches(pattern: string, host: string): boolean {
  if (!pattern.includes('*')) return pattern === host
  const labels = pattern.split('.')
  const own = host.split('.')
  return labels.length === own.length && labels.every((label, i) => labelMatches(label, own[i] ?? ''))
}

function labelMatches(pattern: string, label: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[^A-Za-z0-9]/g, (sign) => `\\${sign}`))
  return new RegExp(`^${parts.join('.*')}$`).test(label)
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
