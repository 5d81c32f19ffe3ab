import { Command, InvalidArgumentError } from 'commander'
import type { Deps } from './deps.ts'
import { addServerFlag, ask, type Finish, VerbError } from './verb.ts'

const examples = `
Examples:
  $ trireme logs web                          every pod of workload web
  $ trireme logs deployment/web -f --tail 20
  $ trireme logs shop/web-7c9f-x2k1q -c app   one container of one pod
  $ trireme logs web --previous               the run before the last restart`

interface Options {
  readonly server?: string
  readonly follow?: boolean
  readonly tail?: number
  readonly container?: string
  readonly previous?: boolean
}

/** `trireme logs`: log lines of a workload or a pod, through the daemon. */
export function logsVerb(deps: Deps, finish: Finish): Command {
  const command = new Command('logs').description('print the log of a workload or a pod')
  command
    .argument('<target>', 'name of a workload or pod, also as kind/name, namespace/name or kind/namespace/name')
    .option('-f, --follow', 'go on until interrupted')
    .option('--tail <lines>', 'only this many lines from the end of each container', readLines)
    .option('-c, --container <name>', 'only this container')
    .option('-p, --previous', 'the run before the current one')
  return addServerFlag(command)
    .addHelpText('after', examples)
    .action(async (target: string, options: Options) => {
      const response = await ask(`/api/v1/logs?${query(target, options)}`, options, deps)
      await copy(response, deps)
      finish(0)
    })
}

function query(target: string, { follow, tail, container, previous }: Options): string {
  return new URLSearchParams({
    target,
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

/** An interrupt ends it well; a connection that breaks does not. */
async function copy(response: Response, deps: Deps): Promise<void> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body ?? []) deps.stdout.write(decoder.decode(chunk, { stream: true }))
  } catch {
    if (!deps.signal.aborted) throw new VerbError('the connection to the daemon ended before the log did')
  }
}
