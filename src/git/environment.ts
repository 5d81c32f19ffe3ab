import { fileURLToPath } from 'node:url'
import type { GitCredentials, Login } from './credentials.ts'
import type { Remote } from './url.ts'

interface EnvironmentOptions {
  readonly remote: Remote
  readonly login: Login | undefined
  readonly credentials: GitCredentials
  /** ours alone; stands in for HOME, so that no `.netrc` or personal configuration is found */
  readonly homeDir: string
  /** the mirror; naming it keeps Git from discovering another repository around it */
  readonly gitDir: string
  /** where first-seen ssh host keys are kept when no file is given */
  readonly knownHostsFile: string
  /** the daemon's own variables, of which only those about finding programs, proxies and the ssh agent are passed on */
  readonly inherited: Readonly<Record<string, string | undefined>>
}

const passedOn = [
  'PATH',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  // Under sudo, Git lets root read what belongs to the user who called it.
  'SUDO_UID',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTPS_PROXY',
  'https_proxy',
  'http_proxy',
  'ALL_PROXY',
  'all_proxy',
  'NO_PROXY',
  'no_proxy',
]

/** What Git may reach: the transport the operator named and nothing else, also after a redirect. http may become https. */
const protocols: Readonly<Record<Remote['transport'], readonly string[]>> = {
  https: ['https'],
  http: ['http', 'https'],
  ssh: ['ssh'],
  file: ['file'],
}

/** The whole environment of every Git process: no system or personal configuration, no prompt, no foreign program. */
export function gitEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { remote, login, inherited } = options
  const environment: Record<string, string> = {
    HOME: options.homeDir,
    GIT_DIR: options.gitDir,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: protocols[remote.transport].join(':'),
    GIT_SSH_COMMAND: sshCommand(options),
    GIT_SSH_VARIANT: 'ssh',
  }
  for (const name of passedOn) {
    const value = inherited[name]
    if (value !== undefined) environment[name] = value
  }
  environment.PATH ??= '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  return login === undefined ? environment : { ...environment, ...askpassEnvironment(remote, login) }
}

function askpassEnvironment(remote: Remote, login: Login): Record<string, string> {
  const scheme = `${remote.origin.split('://')[0]}://`
  const host = remote.origin.slice(scheme.length)
  return {
    GIT_ASKPASS: fileURLToPath(new URL('./askpass.sh', import.meta.url)),
    TRIREME_USERNAME_PROMPT: `Username for '${remote.origin}': `,
    // Git spells the user as it is, since its fix of CVE-2024-50349 percent-encoded.
    TRIREME_PASSWORD_PROMPT: `Password for '${scheme}${login.username}@${host}': `,
    TRIREME_PASSWORD_PROMPT_ENCODED: `Password for '${scheme}${promptEncoded(login.username)}@${host}': `,
    TRIREME_USERNAME: login.username,
    TRIREME_PASSWORD: login.password,
    TRIREME_PASSWORD_FILE: login.passwordFile,
  }
}

/** As Git's strbuf_add_percentencode spells a user: `encodeURIComponent`, and the marks that it leaves. */
function promptEncoded(username: string): string {
  return encodeURIComponent(username).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}

function sshCommand({ credentials, knownHostsFile }: EnvironmentOptions): string {
  const strict = credentials.knownHostsFile !== undefined
  const settings = [
    'BatchMode=yes',
    `StrictHostKeyChecking=${strict ? 'yes' : 'accept-new'}`,
    `UserKnownHostsFile=${sshPath(credentials.knownHostsFile ?? knownHostsFile)}`,
    'GlobalKnownHostsFile=/dev/null',
    'ConnectTimeout=15',
    // A peer that went silent must not keep ssh alive after Git was killed.
    'ServerAliveInterval=15',
    'ServerAliveCountMax=2',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    ...(credentials.sshKeyFile === undefined ? [] : ['IdentitiesOnly=yes', `IdentityFile=${sshPath(credentials.sshKeyFile)}`]),
  ]
  // No personal or system ssh configuration: it may name programs to run.
  return ['ssh', '-F', '/dev/null', ...settings.flatMap((setting) => ['-o', shellQuoted(setting)])].join(' ')
}

/** As ssh_config reads a path: quoted for its spaces, `%` doubled so that it expands to nothing else. */
const sshPath = (path: string) => `"${path.replaceAll('%', '%%')}"`

const shellQuoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

interface ConfigOptions {
  readonly remote: Remote
  readonly caFile: string | undefined
  readonly timeoutMs: number
}

/** Settings given with `-c` to every Git command: nothing a repository carries may run, and everything received is checked. */
export function gitConfig({ remote, caFile, timeoutMs }: ConfigOptions): string[] {
  return [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.attributesFile=/dev/null',
    'protocol.allow=never',
    ...protocols[remote.transport].map((protocol) => `protocol.${protocol}.allow=always`),
    'protocol.version=2',
    'transfer.fsckObjects=true',
    // Old, harmless flaws of history that many real repositories carry.
    'fetch.fsck.zeroPaddedFilemode=ignore',
    'fetch.fsck.missingSpaceBeforeDate=ignore',
    'fetch.fsck.badTimezone=ignore',
    'fetch.recurseSubmodules=no',
    'fetch.writeCommitGraph=false',
    'submodule.recurse=false',
    'gc.autoDetach=false',
    'maintenance.auto=false',
    'http.followRedirects=initial',
    // Ends git-remote-http by itself when the server went silent and Git is no longer there to be told.
    'http.lowSpeedLimit=1',
    `http.lowSpeedTime=${Math.max(1, Math.ceil(timeoutMs / 1000))}`,
    'i18n.logOutputEncoding=UTF-8',
    'log.showSignature=false',
    ...(caFile === undefined ? [] : [`http.sslCAInfo=${caFile}`]),
  ]
}
