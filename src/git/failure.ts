import { GitExit } from './command.ts'
import { SourceError, type SourceErrorKind } from './source.ts'

interface Rule {
  readonly when: RegExp
  readonly kind: SourceErrorKind
  readonly says: string
}

/** First match wins: the more telling line of Git, ssh or curl comes before the general one that follows it. */
const rules: readonly Rule[] = [
  { when: /spawn git ENOENT/, kind: 'failed', says: 'git is not installed; install it (apt-get install git)' },
  {
    when: /No space left on device|Disk quota exceeded/i,
    kind: 'failed',
    says: 'the disk that holds the data directory is full; free some space',
  },
  {
    when: /dubious ownership/i,
    kind: 'denied',
    says: 'the repository belongs to another user, and Git does not read such a one; give it to the user Trireme runs as (chown -R), or run Trireme as its owner',
  },
  {
    when: /UNPROTECTED PRIVATE KEY FILE|bad permissions/i,
    kind: 'denied',
    says: 'ssh refuses a private key that others may read; chmod 600 it',
  },
  {
    when: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i,
    kind: 'denied',
    says: "the ssh host key is unknown or has changed; check it with the host's operator and update the known hosts file",
  },
  {
    when: /Permission denied \(|publickey|Load key .* (invalid|error)/i,
    kind: 'denied',
    says: 'the ssh server refused the key; give a key that may read the repository, without passphrase',
  },
  {
    when: /could not read (Username|Password)|terminal prompts disabled/i,
    kind: 'denied',
    says: 'the server asks for a login and none was given; give a username and a password file',
  },
  {
    when: /Authentication failed|returned error: 40[13]|HTTP Basic: Access denied|Invalid (username|credentials)/i,
    kind: 'denied',
    says: 'the server refused the login; check username, password or token, and that they may read the repository',
  },
  {
    when: /transport '[^']*' not allowed/i,
    kind: 'refused',
    says: 'the server points to a transport that is not allowed; give the final https:// or ssh:// address',
  },
  {
    when: /fsck error|error in object|fsckObjects|object of unexpected type|(gitmodules|gitattributes)[A-Z]\w+:|hasDot|hasDotgit|fullPathname|nullSha1/i,
    kind: 'refused',
    says: 'the repository contains objects that fail the checks of git fsck',
  },
  {
    when: /mismatched (object format|algorithms)|unknown object format/i,
    kind: 'refused',
    says: 'the repository uses another object format than its mirror',
  },
  {
    when: /certificate|SSL|TLS|CAfile/,
    kind: 'unreachable',
    says: "the server's certificate is not trusted or TLS failed; give its authority with --git-ca-file",
  },
  { when: /Could not resolve/i, kind: 'unreachable', says: 'the host name does not resolve; check its spelling and DNS' },
  {
    when: /Operation too slow|Operation timed out|Connection timed out|timed out after/i,
    kind: 'timeout',
    says: 'the server did not answer in time',
  },
  {
    when: /Repository not found|returned error: 404|does not (appear to be a git repository|exist)|not a git repository|project you were looking for|repository '[^']*' not found/i,
    kind: 'unreachable',
    says: 'there is no such repository, or these credentials may not see it; check the address',
  },
  {
    when: /Connection refused|Network is unreachable|No route to host|Couldn't connect|Failed to connect|unable to connect|Connection (reset|closed)|hung up|early EOF|unable to access|returned error: 5\d\d|Could not read from remote/i,
    kind: 'unreachable',
    says: 'the server cannot be reached or broke off; it is tried again',
  },
  { when: /couldn't find remote ref/i, kind: 'branchNotFound', says: 'the branch is not there (any more)' },
  { when: /Permission denied/i, kind: 'denied', says: 'a file or folder may not be read or written by the user Trireme runs as' },
]

/**
 * What went wrong in plain words, with the remedy, then Git's own line. Never contains a secret.
 *
 * @param doing what was under way and on what, e.g. `fetching branch main of https://host/repo`
 */
export function sourceErrorOf(error: unknown, doing: string, redact: (text: string) => string): SourceError {
  if (error instanceof SourceError) return error
  const raw = error instanceof GitExit ? error.stderr : String(error)
  const rule = rules.find(({ when }) => when.test(raw))
  const line = redact(tellingLine(raw))
  const said = line === '' ? '' : ` (git: ${line})`
  if (rule === undefined) return new SourceError('failed', `${doing}: git failed${said}`)
  return new SourceError(rule.kind, `${doing}: ${rule.says}${said}`)
}

/** The last line that states an error, at most 300 characters; remote output may be long and is not ours. */
function tellingLine(raw: string): string {
  const lines = raw.split(/[\r\n]+/).map((line) => line.trim())
  const stated = lines.filter((line) => /^(fatal|error|remote: |ssh|.*Permission denied)/i.test(line))
  const line = stated.find((line) => line.startsWith('fatal:')) ?? stated.at(-1) ?? lines.find((line) => line !== '') ?? ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a server's output must not steer the terminal that shows it
  return line.replace(/[\u0000-\u001f\u007f]/g, ' ').slice(0, 300)
}
