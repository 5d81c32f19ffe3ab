/**
 * The one list of options: names, help texts, checks and defaults of flags, `TRIREME_*` variables and
 * file keys are all derived from the schema below.
 */
import { isIP } from 'node:net'
import { distance } from 'fastest-levenshtein'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { isExtendedResource, isUnit } from './model/extended.ts'
import { type Policy, policies } from './model/policy.ts'
import { bytes, cpuMillis, parseQuantity } from './model/quantity.ts'
import type { Taint } from './model/types/pod.ts'

/** What the baseline policy refuses unless the operator allows it for a namespace. */
export const policyExceptions = policies
export type PolicyException = Policy

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
export const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const dnsName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Milliseconds of a duration such as `500ms`, `15s`, `1h30m`; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0)
}

const text = (what: string) => z.string({ error: `must be text: ${what}` }).min(1, `must not be empty: ${what}`)
const flag = () => z.boolean({ error: 'must be true or false' })

const duration = (minMs: number) =>
  z.string({ error: 'must be a duration with its unit, such as 500ms, 15s, 2m or 1h' }).transform((value, context) => {
    const ms = parseDuration(value)
    if (ms === undefined) context.addIssue(`must be a duration with its unit, such as 500ms, 15s, 2m or 1h, and is "${value}"`)
    else if (ms < minMs) context.addIssue(`must be at least ${minMs}ms, and is "${value}"`)
    return ms ?? 0
  })

const repository = text('the address or path of a Git repository').superRefine((value, context) => {
  if (value.startsWith('-')) context.addIssue('must not begin with "-"')
  const credentials = /^[a-z][a-z0-9+.-]*:\/\/[^/@]*:[^/@]*@/i.test(value)
  if (credentials) context.addIssue('must not hold a password: put it in a file and name that in git.passwordFile')
  if (/^[a-z0-9]+::/i.test(value))
    context.addIssue('must not name a Git remote helper: use an https, ssh or file address, or a path')
})

const branch = text('the name of a branch').superRefine((value, context) => {
  const bad = value.startsWith('-') || /[\s~^:?*[\\\p{Cc}]|\.\.|@\{|\/\/|\.lock$|^\/|\/$|\.$/u.test(value)
  if (bad) context.addIssue(`is not a branch name that Git allows: "${value}"`)
})

const insidePath = text('a path inside the source').superRefine((value, context) => {
  if (value.startsWith('/') || value.split('/').includes('..'))
    context.addIssue(`must stay inside the source, without "..", and is "${value}"`)
})

const listen = text('host:port').transform((value, context): { readonly host: string; readonly port: number } => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(value)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    context.addIssue(`must be host:port, such as 127.0.0.1:9440, and is "${value}"`)
    return { host: '', port: 0 }
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port }
})

const engineAddress = text('the address of a Docker Engine').superRefine((value, context) => {
  if (!/^(unix:\/\/\/.+|tcp:\/\/.+|https?:\/\/.+|\/.+)$/.test(value))
    context.addIssue(`must be unix:///path or tcp://host:port, and is "${value}"`)
})

const issuer = text('the URL that verifiers reach this API by').superRefine((value, context) => {
  const url = URL.parse(value)
  const plain = url !== null && /^https?:$/.test(url.protocol) && !/[?#@\s]/.test(value)
  if (!plain) context.addIssue(`must be an https or http URL without user, query and fragment, and is "${value}"`)
})

const podRange = text('an IPv4 range').superRefine((value, context) => {
  const [address = '', bits = ''] = value.split('/')
  const prefix = Number(bits)
  if (isIP(address) !== 4 || !/^\d{1,2}$/.test(bits) || prefix < 8 || prefix > 26) {
    context.addIssue(`must be an IPv4 range of /8 to /26, such as 10.88.0.0/16, and is "${value}"`)
    return
  }
  const base = ipaddr.IPv4.networkAddressFromCIDR(value).toString()
  if (base !== address) context.addIssue(`has bits set after its prefix: write ${base}/${bits}`)
})

const exception = z.enum(policyExceptions, {
  error: (issue) => `is no policy exception: ${String(issue.input)}${hint(String(issue.input), policyExceptions)}`,
})

/** `disk=ssd` */
const nodeLabel = z.string({ error: 'must be text' }).transform((value, context): [string, string] => {
  const [, key = '', label = ''] = /^([A-Za-z0-9][\w./-]*)=([\w.-]*)$/.exec(value) ?? []
  if (key === '') context.addIssue(`must be key=value, such as disk=ssd, and is "${value}"`)
  return [key, label]
})

/** `dedicated=db:NoSchedule`, as kubectl writes it */
const nodeTaint = z.string({ error: 'must be text' }).transform((value, context): Taint => {
  const [, key = '', label = '', effect = ''] =
    /^([A-Za-z0-9][\w./-]*)(?:=([\w.-]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(value) ?? []
  if (key === '')
    context.addIssue(`must be key=value:NoSchedule, key=value:PreferNoSchedule or key=value:NoExecute, and is "${value}"`)
  return { key, value: label, effect: effect as Taint['effect'] }
})

/** `cpu=3500m`, `memory=12Gi` */
const nodeAmount = z.string({ error: 'must be text' }).transform((value, context): [string, string] => {
  const [, name = '', amount = ''] = /^(cpu|memory)=(.+)$/.exec(value) ?? []
  if (name === '' || !isAmount(amount))
    context.addIssue(`must be cpu=quantity or memory=quantity, such as cpu=3500m or memory=12Gi, and is "${value}"`)
  return [name, amount]
})

function isAmount(text: string): boolean {
  try {
    return parseQuantity(text).nanos > 0n
  } catch {
    return false
  }
}

/** `example.com/serial=/dev/ttyUSB0`, `nvidia.com/gpu=gpu:0`, or so many that are only counted: `example.com/licence=3` */
const nodeResource = z.string({ error: 'must be text' }).transform((value, context): [string, string[]] => {
  const [, name = '', unit = ''] = /^([^=]*)=(.*)$/.exec(value) ?? []
  const count = /^\d{1,4}$/.test(unit) ? Number(unit) : 0
  if (!isExtendedResource(name) || !isUnit(unit) || (/^\d+$/.test(unit) && count === 0))
    context.addIssue(
      `must be resource=unit, where the unit is a device, a GPU, or how many are to be counted, such as example.com/serial=/dev/ttyUSB0, nvidia.com/gpu=gpu:0 or example.com/licence=3, and is "${value}"`,
    )
  return [name, count > 0 ? Array.from({ length: count }, (_, index) => String(index + 1)) : [unit]]
})

/** How an option is written: help text, the placeholder of its value, and where it may not be given. */
interface OptionMeta {
  readonly description: string
  readonly placeholder?: string
  /** of the flag, where it says the opposite */
  readonly flagHelp?: string
  /** the flag's name when it is not the path's */
  readonly name?: string
  readonly noFlag?: boolean
  readonly noEnv?: boolean
  readonly noFile?: boolean
}
const about = (meta: OptionMeta) => ({ ...meta })

export const schema = z.strictObject({
  repo: repository
    .optional()
    .meta(about({ description: 'Git repository to follow: https, ssh or file URL, or a path', placeholder: 'url|path' })),
  dir: text('the path of a folder')
    .optional()
    .meta(about({ description: 'local folder to follow instead of a repository', placeholder: 'dir' })),
  branch: branch.prefault('main').meta(about({ description: 'branch to follow', placeholder: 'name' })),
  path: insidePath
    .prefault('.')
    .meta(about({ description: 'folder inside the source that holds the manifests', placeholder: 'path' })),
  interval: duration(100)
    .prefault('15s')
    .meta(about({ description: 'time between two polls', placeholder: 'duration' })),
  docker: engineAddress.meta(
    about({
      description: 'Docker Engine to drive (default: $DOCKER_HOST, else unix:///var/run/docker.sock)',
      placeholder: 'address',
    }),
  ),
  dataDir: text('the path of a folder').meta(
    about({
      description:
        'folder for durable memory (default: /var/lib/trireme/<cluster> as root, else ~/.local/state/trireme/<cluster>)',
      placeholder: 'dir',
    }),
  ),
  listen: listen
    .prefault('127.0.0.1:9440')
    .meta(about({ description: 'address of the API and metrics', placeholder: 'host:port' })),
  cluster: z
    .string({ error: 'must be text' })
    .regex(dnsLabel, 'must be a DNS label: lower case letters, digits and "-", at most 63')
    .prefault('default')
    .meta(about({ description: 'cluster id: only containers that carry it are ever touched', placeholder: 'name' })),
  once: flag()
    .prefault(false)
    .meta(about({ description: 'converge the current revision, then exit' })),
  podCidr: podRange
    .optional()
    .meta(about({ description: 'address range of pods and Services (default: a free one is chosen)', placeholder: 'cidr' })),
  domain: z
    .string({ error: 'must be text' })
    .regex(dnsName, 'must be a DNS name in lower case')
    .prefault('cluster.local')
    .meta(about({ description: 'DNS domain of the cluster', placeholder: 'name' })),
  namespace: z
    .string({ error: 'must be text' })
    .regex(dnsLabel, 'must be a DNS label: lower case letters, digits and "-", at most 63')
    .prefault('default')
    .meta(about({ description: 'namespace of manifests that name none', placeholder: 'name' })),
  prune: z
    .strictObject({
      enabled: flag()
        .prefault(true)
        .meta(about({ description: 'remove what left the source', flagHelp: 'keep what left the source', name: 'prune' })),
      maxShare: z
        .number({ error: 'must be a number from 0 to 1' })
        .min(0, 'must be a number from 0 to 1')
        .max(1, 'must be a number from 0 to 1')
        .prefault(0.5)
        .meta(
          about({ description: 'largest share of the objects that one revision may remove unconfirmed', placeholder: 'share' }),
        ),
      confirm: z
        .string({ error: 'must be text' })
        .regex(/^([0-9a-f]{7,64})?$/, 'must be the id of a commit, or at least its first 7 digits')
        .prefault('')
        .meta(about({ description: 'revision whose removals are confirmed whatever their share', placeholder: 'sha' })),
    })
    .prefault({}),
  allow: z
    .record(
      z.string().regex(/^(\*|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$/, 'must be a namespace, or "*" for all'),
      z.array(exception, { error: 'must be a list of policy exceptions' }),
      { error: 'must map namespaces to lists of policy exceptions' },
    )
    .prefault({})
    .meta(
      about({
        description: `policy exceptions of a namespace: ${policyExceptions.join(', ')}`,
        placeholder: 'namespace=exception,…',
        noEnv: true,
      }),
    ),
  git: z
    .strictObject({
      timeout: duration(1_000)
        .prefault('60s')
        .meta(about({ description: 'longest time without progress of a Git operation', placeholder: 'duration' })),
      username: text('a user name')
        .optional()
        .meta(about({ description: 'user name for https', placeholder: 'name' })),
      password: text('a password')
        .optional()
        .meta(about({ description: 'password or token for https, from the environment only', noFlag: true, noFile: true })),
      passwordFile: text('the path of a file')
        .optional()
        .meta(about({ description: 'file that holds the password or token for https', placeholder: 'file' })),
      sshKeyFile: text('the path of a file')
        .optional()
        .meta(about({ description: 'private key for ssh', placeholder: 'file' })),
      knownHostsFile: text('the path of a file')
        .optional()
        .meta(about({ description: 'host keys to accept for ssh', placeholder: 'file' })),
      caFile: text('the path of a file')
        .optional()
        .meta(about({ description: 'certificate authorities to accept for https', placeholder: 'file' })),
    })
    .prefault({}),
  render: z
    .strictObject({
      allowRemote: flag()
        .prefault(false)
        .meta(about({ description: 'let Kustomize and Helm fetch bases and charts from the network' })),
    })
    .prefault({}),
  webhookSecretFile: text('the path of a file')
    .optional()
    .meta(about({ description: 'file that holds the secret of POST /api/v1/webhook', placeholder: 'file' })),
  serviceAccountIssuer: issuer.optional().meta(
    about({
      description:
        'issuer of tokens of ServiceAccounts, where others reach the API (default: http:// and the address it listens on)',
      placeholder: 'url',
    }),
  ),
  logLevel: z
    .enum(logLevels, { error: (issue) => `must be one of ${logLevels.join(', ')}${hint(String(issue.input), logLevels)}` })
    .prefault('info')
    .meta(about({ description: `how much to log: ${logLevels.join(', ')}`, placeholder: 'level' })),
  nodeImage: text('an image')
    .optional()
    .meta(
      about({ description: 'image of sandboxes and routers (default: the one built for this version)', placeholder: 'image' }),
    ),
  seccompProfileRoot: text('the path of a folder')
    .optional()
    .meta(
      about({
        description: 'folder of seccomp profiles that pods may name (default: seccomp in the data directory)',
        placeholder: 'dir',
      }),
    ),
  nodeLabels: z
    .array(nodeLabel, { error: 'must be a list of key=value' })
    .transform((pairs) => Object.fromEntries(pairs))
    .prefault([])
    .meta(
      about({
        description: 'label of the node, for nodeSelector and affinity; may be repeated',
        placeholder: 'key=value',
        name: 'node-label',
      }),
    ),
  nodeTaints: z
    .array(nodeTaint, { error: 'must be a list of key=value:effect' })
    .prefault([])
    .meta(
      about({
        description: 'taint of the node, kept from pods that do not tolerate it; may be repeated',
        placeholder: 'key=value:effect',
        name: 'node-taint',
      }),
    ),
  nodeResources: z
    .array(nodeResource, { error: 'must be a list of resource=unit' })
    .transform((pairs, context) => {
      const units = Map.groupBy(pairs, ([name]) => name)
      const named = pairs.flatMap(([, some]) => some).filter((unit) => !/^\d/.test(unit))
      const twice = named.find((unit, index) => named.indexOf(unit) < index)
      if (twice !== undefined) context.addIssue(`names ${twice} twice: a unit is for one pod at a time`)
      return Object.fromEntries(
        [...units].map(([name, own]) => {
          const all = own.flatMap(([, some]) => some)
          if (all.includes('1') && own.length > 1)
            context.addIssue(`counts ${name}, so it can be given once, and no unit of it by name`)
          return [name, all]
        }),
      )
    })
    .prefault([])
    .meta(
      about({
        description: 'a unit of an extended resource of the node: a device, a GPU, or how many are counted; may be repeated',
        placeholder: 'resource=unit',
        name: 'node-resource',
      }),
    ),
  nodeAllocatable: z
    .array(nodeAmount, { error: 'must be a list of cpu=quantity and memory=quantity' })
    .transform((pairs, context): { cpuMillis?: number; memoryBytes?: number } => {
      const amounts = new Map(pairs)
      if (amounts.size < pairs.length) context.addIssue('says cpu or memory twice')
      const [cpu, memory] = [amounts.get('cpu'), amounts.get('memory')]
      return {
        ...(cpu === undefined ? {} : { cpuMillis: cpuMillis(cpu) }),
        ...(memory === undefined ? {} : { memoryBytes: bytes(memory) }),
      }
    })
    .prefault([])
    .meta(
      about({
        description:
          'how much processor time or memory pods may request of the node together, instead of all it has; may be repeated',
        placeholder: 'cpu=quantity',
        name: 'node-allocatable',
      }),
    ),
})

export interface ConfigOption {
  /** dotted, as in the file: `git.passwordFile` */
  readonly path: string
  /** `--git-password-file <file>`, `--no-prune`; `''` when there is no flag */
  readonly flag: string
  /** `TRIREME_GIT_PASSWORD_FILE`; `''` when the environment may not set it */
  readonly env: string
  readonly inFile: boolean
  readonly kind: 'text' | 'number' | 'boolean' | 'list' | 'allow'
  /** as text, `''` for none */
  readonly defaultText: string
  readonly help: string
  /** the same for the flag, which turns off what is on by itself */
  readonly flagHelp: string
}

/** Every option, in the schema's order. */
export const configOptions: readonly ConfigOption[] = describeOptions(schema, [])

function describeOptions(node: z.ZodObject, prefix: readonly string[]): ConfigOption[] {
  return Object.entries(node.shape).flatMap(([key, leaf]) => {
    const inner = innermost(leaf as z.ZodType)
    const path = [...prefix, key]
    return inner instanceof z.ZodObject ? describeOptions(inner, path) : [describeOption(leaf as z.ZodType, inner, path)]
  })
}

function describeOption(leaf: z.ZodType, inner: z.ZodType, path: readonly string[]): ConfigOption {
  const meta = leaf.meta() as unknown as OptionMeta
  const kind =
    inner instanceof z.ZodBoolean
      ? 'boolean'
      : inner instanceof z.ZodNumber
        ? 'number'
        : inner instanceof z.ZodRecord
          ? 'allow'
          : inner instanceof z.ZodArray
            ? 'list'
            : 'text'
  const name = meta.name ?? path.map(kebab).join('-')
  const preset = leaf instanceof z.ZodPrefault ? leaf.def.defaultValue : ''
  const flagText = kind === 'boolean' ? `--${preset === true ? 'no-' : ''}${name}` : `--${name} <${meta.placeholder}>`
  return {
    path: path.join('.'),
    flag: meta.noFlag ? '' : flagText,
    env: meta.noEnv ? '' : `TRIREME_${name.replaceAll('-', '_').toUpperCase()}`,
    inFile: !meta.noFile,
    kind,
    defaultText: typeof preset === 'object' ? '' : String(preset),
    help: meta.description,
    flagHelp: meta.flagHelp ?? meta.description,
  }
}

function innermost(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodOptional || type instanceof z.ZodPrefault) return innermost(type.unwrap() as z.ZodType)
  return type instanceof z.ZodPipe ? innermost(type.def.in as z.ZodType) : type
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** ` (did you mean …?)`, or nothing when no name is near. */
export function hint(given: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, far: distance(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, far }) => far <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.far - b.far)[0]
  return near ? ` (did you mean ${near.name}?)` : ''
}
