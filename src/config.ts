/**
 * Configuration: flags over `TRIREME_*` environment over a YAML file, read by one schema.
 *
 * Reading is pure: the environment, the file's text and the directories that defaults depend on are arguments.
 */
import { join } from 'node:path'
import { load } from 'js-yaml'
import type { z } from 'zod'
import { nearest } from './model/nearest.ts'
import type { Labels } from './model/types/meta.ts'
import type { Taint } from './model/types/pod.ts'
import { type ConfigOption, configOptions, dnsLabel, hint, type LogLevel, type PolicyException, schema } from './options.ts'

export type SourceConfig =
  | { readonly kind: 'git'; readonly name: string; readonly url: string; readonly branch: string; readonly path: string }
  | { readonly kind: 'folder'; readonly name: string; readonly dir: string; readonly path: string }

/** A validated configuration. Durations are in milliseconds; absent means not given and no default. */
export interface Config {
  /** `null` only for verbs that need none */
  readonly source: SourceConfig | null
  readonly intervalMs: number
  /** `unix://` or `tcp://` */
  readonly docker: string
  readonly dataDir: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly cluster: string
  readonly once: boolean
  readonly podCidr?: string
  readonly domain: string
  readonly namespace: string
  /** `maxShare` is from 0 to 1; `confirm` is a commit id or its first digits, `''` for none */
  readonly prune: { readonly enabled: boolean; readonly maxShare: number; readonly confirm: string }
  /** by namespace, `*` for all */
  readonly allow: Readonly<Record<string, readonly PolicyException[]>>
  readonly git: {
    readonly timeoutMs: number
    readonly username?: string
    readonly password?: string
    readonly passwordFile?: string
    readonly sshKeyFile?: string
    readonly knownHostsFile?: string
    readonly caFile?: string
  }
  readonly render: { readonly allowRemote: boolean }
  readonly webhookSecretFile?: string
  /** `iss` of tokens; absent means the address of the API */
  readonly serviceAccountIssuer?: string
  readonly logLevel: LogLevel
  readonly nodeImage?: string
  /** folder of the seccomp profiles that pods may name */
  readonly seccompProfileRoot: string
  readonly nodeLabels: Labels
  readonly nodeTaints: readonly Taint[]
  /** units by extended resource */
  readonly nodeResources: Readonly<Record<string, readonly string[]>>
  /** what pods may request of the node together; what is not said is all that it has */
  readonly nodeAllocatable: { readonly cpuMillis?: number; readonly memoryBytes?: number }
}

export interface ConfigInput {
  /** values of flags by the option's dotted path; absent or `undefined` for flags not given */
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly file?: { readonly name: string; readonly text: string }
  /** what defaults depend on */
  readonly home: string
  readonly root: boolean
  readonly needsSource: boolean
}

/** Everything that is wrong with a configuration; `problems` has one line each, with where the value came from. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads the whole configuration. Errors: `ConfigError`, with every problem at once.
 * Values that may be secret are never part of a message.
 */
export function loadConfig(input: ConfigInput): Config {
  const file = fileLayer(input)
  const layers = [file, envLayer(input), flagLayer(input)]
  const problems = layers.flatMap((layer) => layer.problems)
  const origins = new Map<string, string>()
  const raw = emptyRecord()
  for (const layer of layers) for (const { path, value, origin } of layer.values) place(raw, origins, path, value, origin)
  // A file that could not be read may well have named one.
  const unread = file.problems.length > 0 && file.values.length === 0
  if (input.needsSource && !unread) problems.push(...sourceProblems(raw))

  const cluster = typeof raw.cluster === 'string' && dnsLabel.test(raw.cluster) ? raw.cluster : 'default'
  raw.docker ??= input.env.DOCKER_HOST || 'unix:///var/run/docker.sock'
  raw.dataDir ??= defaultDataDir(input, cluster)

  const parsed = schema.safeParse(raw)
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => explainIssue(issue, origins, input)))
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems)
  return toConfig(parsed.data)
}

interface Layer {
  readonly values: readonly { readonly path: string; readonly value: unknown; readonly origin: string }[]
  readonly problems: readonly string[]
}

function fileLayer({ file }: ConfigInput): Layer {
  if (!file || file.text.trim() === '') return { values: [], problems: [] }
  try {
    const body = load(file.text)
    if (body === null || body === undefined) return { values: [], problems: [] }
    if (!isRecord(body)) return { values: [], problems: [`${file.name}: must be a map of options`] }
    const values = flatten(body, []).map(([path, value]) => ({ path, value, origin: file.name }))
    const banned = configOptions.filter((option) => !option.inFile && values.some(({ path }) => path === option.path))
    const groups = values.filter(({ path }) => configOptions.some((option) => option.path.startsWith(`${path}.`)))
    const problems = [
      ...banned.map(({ path, env }) => `${path} (${file.name}): may not be written in a file: set ${env} instead`),
      ...groups.map(({ path }) => `${path} (${file.name}): must be a map of options`),
    ]
    return { values: values.filter((value) => !groups.includes(value)), problems }
  } catch (error) {
    return { values: [], problems: [`${file.name}: is not YAML: ${(error as Error).message.split('\n')[0]}`] }
  }
}

function envLayer({ env }: ConfigInput): Layer {
  const values = configOptions.flatMap((option) => {
    const given = option.env ? env[option.env] : undefined
    return given ? [{ path: option.path, value: coerce(option, given), origin: option.env }] : []
  })
  const allowed = env.TRIREME_ALLOW
    ? ['allow (TRIREME_ALLOW): policy exceptions are not taken from the environment: use --allow or the configuration file']
    : []
  return { values, problems: [...allowed, ...mistypedVariables(env)] }
}

/** Variables of other programs may well begin alike, so only what is nearly one of ours is taken for a mistake. */
function mistypedVariables(env: ConfigInput['env']): string[] {
  const prefix = 'TRIREME_'
  const known = ['CONFIG', 'SERVER', ...configOptions.flatMap((option) => option.env.split(prefix).slice(1))]
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((name) => name !== 'ALLOW' && !known.includes(name))
    .flatMap((name) => {
      const near = nearest(name, known, Math.max(2, Math.floor(name.length / 3)))
      return near === undefined ? [] : [`${prefix}${name}: there is no such variable (did you mean ${prefix}${near}?)`]
    })
}

function flagLayer({ flags }: ConfigInput): Layer {
  const values = configOptions.flatMap((option) => {
    const given = flags[option.path]
    const origin = option.flag.split(' ')[0] ?? ''
    return given === undefined ? [] : [{ path: option.path, value: coerce(option, given), origin }]
  })
  return { values, problems: [] }
}

/** Turns the text of a flag or variable into what the file would hold; text that does not fit is left to the schema. */
function coerce(option: ConfigOption, given: unknown): unknown {
  if (option.kind === 'allow') return coerceAllow([given].flat().map(String))
  if (option.kind === 'list') return [given].flat().flatMap((text) => String(text).split(','))
  if (typeof given !== 'string') return given
  if (option.kind === 'number') return given.trim() !== '' && Number.isFinite(Number(given)) ? Number(given) : given
  if (option.kind !== 'boolean') return given
  if (/^(true|1|yes|on)$/i.test(given)) return true
  return /^(false|0|no|off)$/i.test(given) ? false : given
}

/** `shop=hostPath,privileged` and the like, repeated. */
function coerceAllow(entries: readonly string[]): Record<string, string[]> {
  const allow: Record<string, string[]> = {}
  for (const entry of entries) {
    const [namespace = '', exceptions = ''] = entry.split('=', 2)
    allow[namespace] = [...(allow[namespace] ?? []), ...exceptions.split(',').filter((name) => name !== '')]
  }
  return allow
}

/** Leaves of a file by dotted path; the values of an option are leaves even when they are maps. */
function flatten(node: Readonly<Record<string, unknown>>, prefix: readonly string[]): [string, unknown][] {
  return Object.entries(node).flatMap(([key, value]): [string, unknown][] => {
    const path = [...prefix, key]
    const dotted = path.join('.')
    const isLeaf = !isRecord(value) || configOptions.some((option) => option.path === dotted)
    return isLeaf ? [[dotted, value]] : flatten(value, path)
  })
}

function place(raw: Record<string, unknown>, origins: Map<string, string>, path: string, value: unknown, origin: string): void {
  origins.set(path, origin)
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let at = raw
  for (const key of keys) {
    const next = at[key]
    const inner = isRecord(next) ? next : emptyRecord()
    at[key] = inner
    at = inner
  }
  at[last] = value
}

function sourceProblems(raw: Readonly<Record<string, unknown>>): string[] {
  if (raw.repo !== undefined && raw.dir !== undefined) return ['repo, dir: give one of the two, not both']
  if (raw.repo === undefined && raw.dir === undefined)
    return ['repo: nothing to follow: give --repo <url|path>, or --dir <dir> for a local folder']
  return []
}

function defaultDataDir({ env, home, root }: ConfigInput, cluster: string): string {
  if (root) return `/var/lib/trireme/${cluster}`
  return `${env.XDG_STATE_HOME || `${home}/.local/state`}/trireme/${cluster}`
}

function explainIssue(issue: z.core.$ZodIssue, origins: ReadonlyMap<string, string>, input: ConfigInput): string[] {
  const path = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = configOptions.map((option) => option.path)
    return issue.keys.map((key) => {
      const full = path === '' ? key : `${path}.${key}`
      return `${full}${from(originOf(full, origins))}: there is no such option${hint(full, siblings(full, known))}`
    })
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
  const inherited = path === 'docker' && input.env.DOCKER_HOST ? 'DOCKER_HOST' : undefined
  return [`${path}${from(originOf(path, origins) ?? inherited)}: ${message}`]
}

/** The names an unknown key may have been meant to be: whole options, and groups of options. */
function siblings(full: string, known: readonly string[]): string[] {
  const depth = full.split('.').length
  return [...new Set(known.map((path) => path.split('.').slice(0, depth).join('.'))), ...known]
}

/** Where the value at, or the nearest one above or below, `path` came from. */
function originOf(path: string, origins: ReadonlyMap<string, string>): string | undefined {
  for (const [key, origin] of origins) if (key === path || key.startsWith(`${path}.`) || path.startsWith(`${key}.`)) return origin
  return undefined
}

function from(origin: string | undefined): string {
  return origin === undefined ? '' : ` (${origin})`
}

/** Without a prototype, so that no key of a file has a meaning of its own. */
function emptyRecord(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toConfig({ repo, dir, branch, path, interval, docker, git, ...rest }: z.output<typeof schema>): Config {
  const { timeout, ...credentials } = git
  return withoutUndefined({
    ...rest,
    source: toSource(repo, dir, branch, path),
    seccompProfileRoot: rest.seccompProfileRoot ?? join(rest.dataDir, 'seccomp'),
    intervalMs: interval,
    docker: docker.startsWith('/') ? `unix://${docker}` : docker,
    git: withoutUndefined({ timeoutMs: timeout, ...credentials }),
  }) as Config
}

function toSource(repo: string | undefined, dir: string | undefined, branch: string, path: string): SourceConfig | null {
  if (repo !== undefined) return { kind: 'git', name: sourceName(repo), url: repo, branch, path }
  return dir === undefined ? null : { kind: 'folder', name: sourceName(dir), dir, path }
}

/** A DNS label made of the last part of an address: `https://host/team/Shop.git` is `shop`. */
function sourceName(address: string): string {
  const last =
    address
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split(/[/:]/)
      .at(-1) ?? ''
  const label = last
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
  return label === '' ? 'source' : label
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T
}
