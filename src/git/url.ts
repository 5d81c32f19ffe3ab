import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SourceError } from './source.ts'

type Transport = 'https' | 'http' | 'ssh' | 'file'

/** Where a repository is, without any credentials: safe to log and to give to Git as an argument. */
export interface Remote {
  readonly transport: Transport
  /** what Git is given: a URL, `user@host:path`, or an absolute local path */
  readonly address: string
  /** scheme, host and port of an http(s) remote, as Git's credential prompt spells it; `''` otherwise */
  readonly origin: string
}

export interface ParsedRemote {
  readonly remote: Remote
  /** credentials that were part of the URL; they leave it here and are never put back */
  readonly username?: string
  readonly password?: string
}

/** Control characters and spaces split arguments and credential lines; none belongs in a repository's address. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const unprintable = /[\u0000-\u0020\u007f]/
const encodedControl = /%(0[0-9a-f]|1[0-9a-f]|7f)/i
const helperPrefix = /^[A-Za-z0-9+.-]+::/
const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//
const scpLike = /^(?:([^@/:]+)@)?(\[[0-9A-Fa-f:.]+\]|[^@/:[\]]+):(.+)$/

/**
 * Reads a repository's address: https, http or ssh URL, `user@host:path`, or (with `allowFile`) a `file://` URL or local path.
 *
 * Refuses what could make Git run a program or read an option: `ext::` and other remote helpers, addresses, hosts, users or
 * paths that begin with `-`, control characters also when percent-encoded, and transports without authentication (`git://`).
 * Errors: `SourceError` of kind `refused`; the message never contains credentials.
 */
export function parseRemote(text: string, options: { readonly allowFile: boolean }): ParsedRemote {
  if (text === '') throw refused('the repository address is empty; give --repo a URL or a path')
  if (text.startsWith('-')) throw refused('the repository address begins with "-" and would be read as an option')
  if (helperPrefix.test(text)) {
    const helper = text.slice(0, text.indexOf('::'))
    throw refused(`"${helper}::" names a Git remote helper, which may run programs; use https://, ssh:// or file://`)
  }
  const named = scheme.exec(text)?.[1]?.toLowerCase()
  if (named === 'file') return localRemote(fileUrlPath(text), options)
  if (named === 'https' || named === 'http' || named === 'ssh') return urlRemote(text, named)
  if (named !== undefined) throw refused(`"${named}://" is not supported; use https://, ssh:// or file://`)
  const scp = scpLike.exec(text)
  if (scp) return scpRemote(text, scp[1] ?? '', scp[2]!, scp[3]!)
  return localRemote(text, options)
}

function urlRemote(text: string, transport: 'https' | 'http' | 'ssh'): ParsedRemote {
  if (unprintable.test(text) || encodedControl.test(text)) {
    throw refused('the repository URL contains a space or a control character; percent-encode spaces as %20')
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '') throw refused(`the ${transport}:// repository URL has no valid host`)
  if (url.hostname.startsWith('-')) throw refused(`the host of the ${transport}:// repository URL begins with "-"`)
  if (url.pathname === '' || url.pathname === '/') throw refused(`the ${transport}:// repository URL names no repository`)
  // An address pasted into an address: what was the password would be part of the path, and be shown.
  if (/:[^/]*@/.test(url.pathname)) throw refused(`the ${transport}:// repository URL has a user and a password in its path`)
  // A query or fragment is where tokens are pasted by mistake; no Git server needs one.
  if (url.search !== '' || url.hash !== '') throw refused(`the ${transport}:// repository URL has a "?" or "#" part; remove it`)
  const username = decoded(url.username)
  const password = decoded(url.password)
  if (username.startsWith('-')) throw refused('the user in the repository URL begins with "-"')
  url.password = ''
  // ssh needs its user in the address: it names an account, it is no secret.
  if (transport !== 'ssh') url.username = ''
  if (transport === 'ssh' && password !== '') {
    throw refused('an ssh:// URL cannot carry a password; give a key with --git-ssh-key-file')
  }
  const origin = transport === 'ssh' ? '' : `${transport}://${url.host}`
  return {
    remote: { transport, address: url.href, origin },
    ...(transport !== 'ssh' && username !== '' ? { username } : {}),
    ...(password !== '' ? { password } : {}),
  }
}

function scpRemote(text: string, user: string, host: string, path: string): ParsedRemote {
  if (unprintable.test(text)) throw refused('the repository address contains a space or a control character')
  for (const [part, value] of Object.entries({ user, host, path })) {
    if (value.startsWith('-')) throw refused(`the ${part} in the repository address begins with "-"`)
  }
  return { remote: { transport: 'ssh', address: text, origin: '' } }
}

function localRemote(path: string, options: { readonly allowFile: boolean }): ParsedRemote {
  if (!options.allowFile) throw refused('local repositories are not allowed here; use https:// or ssh://')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  if (/[\u0000-\u001f\u007f]/.test(path)) throw refused('the repository path contains a control character')
  return { remote: { transport: 'file', address: resolve(path), origin: '' } }
}

function fileUrlPath(text: string): string {
  try {
    return fileURLToPath(text)
  } catch {
    throw refused('the file:// URL is not a local path; write file:///absolute/path')
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

// No address is part of a message: anything in one that is none may be a password.
const refused = (message: string) => new SourceError('refused', message)
