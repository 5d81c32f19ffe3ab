import { accessSync, constants, readFileSync } from 'node:fs'
import { SourceError } from './source.ts'
import type { ParsedRemote } from './url.ts'

/** How a source proves who it is. A password by file is read each time Git asks, so a rotated one is picked up. */
export interface GitCredentials {
  readonly username?: string
  readonly password?: string
  readonly passwordFile?: string
  /** private key without passphrase */
  readonly sshKeyFile?: string
  /** with it, only hosts listed there are accepted; without it, a host's first key is remembered and must stay */
  readonly knownHostsFile?: string
}

export interface Login {
  readonly username: string
  readonly password: string
  readonly passwordFile: string
}

/**
 * The user and password for an http(s) remote; `undefined` when there is none to give.
 *
 * What the operator configured wins over what the URL carried. A token alone gets the user `git`, which every large host takes.
 */
export function loginOf(parsed: ParsedRemote, credentials: GitCredentials): Login | undefined {
  const passwordFile = credentials.passwordFile ?? ''
  const password = passwordFile === '' ? (credentials.password ?? parsed.password ?? '') : ''
  const username = credentials.username ?? parsed.username ?? 'git'
  // ssh has keys.
  if (parsed.remote.origin === '' || (password === '' && passwordFile === '')) return undefined
  return { username, password, passwordFile }
}

/**
 * The secret values as they are now, for redaction.
 * Errors: `SourceError` of kind `denied` when the password file cannot be read or is empty.
 */
export function secretsOf(login: Login | undefined): string[] {
  if (login === undefined) return []
  if (login.passwordFile === '') return [login.password]
  let text: string
  try {
    text = readFileSync(login.passwordFile, 'utf8')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new SourceError('denied', `the password file ${login.passwordFile} cannot be read (${reason}); check its path and mode`)
  }
  // Git takes the first line of the answer.
  const password = text.split(/[\r\n]/)[0] ?? ''
  if (password === '') throw new SourceError('denied', `the password file ${login.passwordFile} is empty`)
  return [password]
}

const keyFiles = { sshKeyFile: 'ssh key file', knownHostsFile: 'known hosts file', caFile: 'CA file' } as const

/** Errors: `SourceError` of kind `denied` naming the first file that cannot be read; ssh and curl only tell of a refused login. */
export function checkReadable(files: { readonly [name in keyof typeof keyFiles]?: string | undefined }): void {
  for (const name of Object.keys(keyFiles) as (keyof typeof keyFiles)[]) {
    const file = files[name]
    if (file === undefined) continue
    try {
      accessSync(file, constants.R_OK)
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
      throw new SourceError('denied', `the ${keyFiles[name]} ${file} cannot be read (${reason}); check its path and mode`)
    }
  }
}
