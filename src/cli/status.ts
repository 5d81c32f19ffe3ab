import { Command } from 'commander'
import type { ClusterStatus } from '../reconcilers/status.ts'
import type { Deps } from './deps.ts'
import { renderStatus } from './statustables.ts'
import { addOutputFlag, addServerFlag, ask, type Finish, paint, VerbError, writeJson } from './verb.ts'

const examples = `
Examples:
  $ trireme status
  $ trireme status --watch
  $ trireme status -o json | jq '.workloads[] | select(.condition != "Available")'`

interface Options {
  readonly server?: string
  readonly output: string
  readonly watch?: boolean
}

const refreshMs = 1_000
const clearScreen = '\u001b[H\u001b[2J'

/** `trireme status`: sources, workloads, pods, services, nodes, and what is not enforced. */
export function statusVerb(deps: Deps, finish: Finish): Command {
  const command = new Command('status').description('show revisions, workloads, pods, Services and nodes')
  command.option('-w, --watch', 'go on until interrupted')
  return addOutputFlag(addServerFlag(command), ['table', 'json'])
    .addHelpText('after', examples)
    .action(async (options: Options) => {
      if (options.watch) await watch(options, deps)
      else write(await fetchStatus(options, deps), options, deps)
      finish(0)
    })
}

async function fetchStatus(options: Options, deps: Deps): Promise<ClusterStatus> {
  const response = await ask('/api/v1/status', options, deps)
  return (await response.json()) as ClusterStatus
}

/** A daemon that is away for a moment is waited for; the first request must succeed. */
async function watch(options: Options, deps: Deps): Promise<void> {
  let last = await fetchStatus(options, deps)
  let trouble = ''
  while (!deps.signal.aborted) {
    if (deps.stdout.isTTY && options.output === 'table') deps.stdout.write(clearScreen)
    write(last, options, deps)
    if (trouble) deps.stderr.write(`${trouble}\n`)
    await deps.sleep(refreshMs, deps.signal)
    if (deps.signal.aborted) return
    try {
      last = await fetchStatus(options, deps)
      trouble = ''
    } catch (error) {
      if (!(error instanceof VerbError)) throw error
      trouble = error.message
    }
  }
}

function write(status: ClusterStatus, { output }: Options, deps: Deps): void {
  if (output === 'json') writeJson(deps.stdout, status)
  else
    deps.stdout.write(renderStatus(status, { now: deps.now(), columns: deps.stdout.columns, ink: paint(deps.stdout, deps.env) }))
}
