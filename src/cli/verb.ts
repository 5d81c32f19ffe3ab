/** What the verbs share: configuration flags, output formats, colour, and talking to a running daemon. */
import { type Command, Option } from 'commander'
import colors from 'picocolors'
import { type Config, loadConfig } from '../config.ts'
import { type ConfigOption, configOptions } from '../options.ts'
import type { Deps, Output } from './deps.ts'

/** Takes the exit code of the verb. */
export type Finish = (exitCode: number) => void

/** A failure that is explained to the user by its message alone. */
export class VerbError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode = 2) {
    super(message)
    this.name = 'VerbError'
    this.exitCode = exitCode
  }
}

/** Colour only on a terminal; `NO_COLOR` and `FORCE_COLOR` as everywhere. */
export function paint(output: Output, env: Deps['env']): ReturnType<typeof colors.createColors> {
  const forced = Boolean(env.FORCE_COLOR) && env.FORCE_COLOR !== '0'
  return colors.createColors(!env.NO_COLOR && env.TERM !== 'dumb' && (forced || output.isTTY === true))
}

/** What only a daemon does: verbs that look at the same configuration take these flags, and do not show them. */
const daemonPaths = ['interval', 'listen', 'once', 'webhookSecretFile', 'logLevel']

/** Adds all flags, those for a daemon alone hidden: the words of a `run` can be given to another verb as they are. */
export function addSourceFlags(command: Command): Command {
  addConfigFlags(command)
  const own = configOptions.filter(({ path }) => daemonPaths.includes(path)).map(({ flag }) => flag)
  for (const option of command.options) if (own.includes(option.flags)) option.hideHelp()
  return command
}

/** Adds the flags of the named options, or of all, and `--config`. */
export function addConfigFlags(command: Command, paths?: readonly string[]): Command {
  command.option('-c, --config <file>', 'YAML file with the options below (TRIREME_CONFIG)')
  for (const option of configOptions) {
    if (option.flag === '' || (paths && !paths.includes(option.path))) continue
    command.addOption(toFlag(option))
  }
  return command
}

function toFlag(option: ConfigOption): Option {
  const preset = option.kind !== 'boolean' && option.defaultText !== '' ? ` (default: ${option.defaultText})` : ''
  const flag = new Option(option.flag, `${option.flagHelp}${preset}`)
  if (option.kind === 'allow' || option.kind === 'list')
    flag.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
  return flag
}

/** The configuration a command line asks for. Errors: `ConfigError`, `VerbError` when the file cannot be read. */
export async function readConfig(command: Command, deps: Deps, needsSource: boolean): Promise<Config> {
  const name = (command.getOptionValue('config') as string | undefined) ?? deps.env.TRIREME_CONFIG
  const file = name ? { name, text: await readFileText(name, deps) } : undefined
  return loadConfig({
    flags: givenFlags(command),
    env: deps.env,
    ...(file ? { file } : {}),
    home: deps.home,
    root: deps.root,
    needsSource,
  })
}

async function readFileText(name: string, deps: Deps): Promise<string> {
  try {
    return await deps.readText(name)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new VerbError(`cannot read the configuration file ${name}: ${code === 'ENOENT' ? 'it does not exist' : message}`)
  }
}

/** Only what was written on the command line, by the option's path: commander's own defaults are not asked. */
function givenFlags(command: Command): Record<string, unknown> {
  const byFlag = new Map(command.options.map((option) => [option.flags, option.attributeName()]))
  const given = configOptions.flatMap((option) => {
    const attribute = byFlag.get(option.flag)
    if (attribute === undefined || command.getOptionValueSource(attribute) !== 'cli') return []
    return [[option.path, command.getOptionValue(attribute)]]
  })
  return Object.fromEntries(given)
}

export function addOutputFlag(command: Command, formats: readonly string[]): Command {
  const [preset = ''] = formats
  return command.addOption(new Option('-o, --output <format>', 'how to write the result').choices(formats).default(preset))
}

export function addServerFlag(command: Command): Command {
  return command.option('-s, --server <url>', 'API of the daemon (TRIREME_SERVER, default: http://127.0.0.1:9440)')
}

export function writeJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Asks the running daemon. Errors: `VerbError` that says what to do when it is not there, or what it answered. */
export async function ask(
  path: string,
  { server }: { readonly server?: string },
  deps: Deps,
  init: Parameters<Deps['request']>[1] = {},
): Promise<Response> {
  const base = (server ?? deps.env.TRIREME_SERVER) || 'http://127.0.0.1:9440'
  const url = URL.parse(path, base)
  if (!url?.protocol.startsWith('http'))
    throw new VerbError(`--server must be an http address, such as http://127.0.0.1:9440, and is "${base}"`)
  const response = await deps.request(url.href, { signal: deps.signal, ...init }).catch((error: unknown) => {
    if (deps.signal.aborted) throw new VerbError('interrupted', 130)
    throw unreachable(base, error)
  })
  if (response.ok) return response
  throw new VerbError(await answerOf(response, base))
}

function unreachable(base: string, error: unknown): VerbError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  const why = cause?.code === 'ECONNREFUSED' ? 'nothing listens there' : (cause?.message ?? (error as Error).message)
  return new VerbError(
    `no daemon answers at ${base}: ${why}\n` +
      '  start one with:       trireme run --repo <url>\n' +
      '  or name another with: --server http://host:port, or TRIREME_SERVER',
  )
}

async function answerOf(response: Response, base: string): Promise<string> {
  const text = await response.text()
  try {
    return (JSON.parse(text) as { message: string }).message
  } catch {
    return `${base} answered ${response.status}: ${text.split('\n')[0]}`
  }
}
