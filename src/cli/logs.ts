import { Command, InvalidArgumentError } from 'commander'
import type { Deps } from './deps.ts'
import { addServerFlag, ask, type Finish, VerbError } from './verb.ts'

const examples = `
Examples:
  $ trireme logs web                          every pod of workload web
  $ trireme logs deployment/web -f --tail 20
  $ trireme logs shop/web-7c9f-x2k1q -c app   one container of one pod
  $ trireme logs -l app=web,tier!=cache       every pod with such labels
  $ trireme logs web --all-containers --since 10m --timestamps
  $ trireme logs web --previous               the run before the last restart`

interface Options {
  readonly server?: string
  readonly follow?: boolean
  readonly tail?: number
  readonly container?: string
  readonly previous?: boolean
  readonly selector?: string
  readonly allContainers?: boolean
  /** seconds */
  readonly since?: number
  readonly timestamps?: boolean
}

/** `trireme logs`: log lines of a workload or a pod, through the daemon. */
export function logsVerb(deps: Deps, finish: Finish): Command {
  const command = new Command('logs').description('print the log of a workload or a pod')
  command
    .argument('[target]', 'name of a workload or pod, also as kind/name, namespace/name or kind/namespace/name')
    .option('-f, --follow', 'go on until interrupted')
    .option('--tail <lines>', 'only this many lines from the end of each container', readLines)
    .option('--since <duration>', 'only lines that are no older, such as 30s, 10m or 1h30m', readDuration)
    .option('--timestamps', 'begin each line with its time')
    .option('-l, --selector <labels>', 'every pod with such labels, such as app=web,tier!=cache, instead of a target')
    .option('-c, --container <name>', 'only this container')
    .option('--all-containers', 'init containers too')
    .option('-p, --previous', 'the run before the current one')
  return addServerFlag(command)
    .addHelpText('after', examples)
    .action(async (target: string | undefined, options: Options) => {
      if ((target === undefined) === (options.selector === undefined))
        throw new VerbError('say whose log: either the name of a workload or pod, or labels with --selector')
      const response = await ask(`/api/v1/logs?${query(target, options)}`, options, deps)
      await copy(response, deps)
      finish(0)
    })
}

function query(target: string | undefined, options: Options): string {
  const { follow, tail, container, previous, selector, allContainers, since, timestamps } = options
  return new URLSearchParams({
    ...(target === undefined ? {} : { target }),
    ...(selector === undefined ? {} : { selector }),
    ...(allContainers ? { allContainers: 'true' } : {}),
    ...(since === undefined ? {} : { sinceSeconds: String(since) }),
    ...(timestamps ? { timestamps: 'true' } : {}),
    ...(follow ? { follow: 'true' } : {}),
    ...(tail === undefined ? {} : { tail: String(tail) }),
    ...(container === undefined ? {} : { container }),
    ...(previous ? { previous: 'true' } : {}),
  }).toString()
}

function readLines(value: string): number {
  if (!/^\d{1,7}$/.test(value)) throw new InvalidArgumentError('It must be a whole number of lines.')
  return Number(value)
}

/** Seconds, as kubectl takes them: `1h30m`. */
function readDuration(value: string): number {
  const [whole, hours = '0', minutes = '0', seconds = '0'] = /^(?:(\d{1,5})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s)?$/.exec(value) ?? []
  if (!whole) throw new InvalidArgumentError('It must be a duration such as 30s, 10m or 1h30m.')
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/** An interrupt ends it well; a connection that breaks does not. */
async function copy(response: Response, deps: Deps): Promise<void> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body ?? []) deps.stdout.write(decoder.decode(chunk, { stream: true }))
  } catch {
    if (!deps.signal.aborted) throw new VerbError('the connection to the daemon ended before the log did')
  }
}
