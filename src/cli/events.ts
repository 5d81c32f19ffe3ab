import { Command, InvalidArgumentError } from 'commander'
import { splitKey } from '../model/types/meta.ts'
import type { EventRecord } from '../reconcilers/status.ts'
import type { Deps } from './deps.ts'
import { brief, renderAge, renderTable } from './table.ts'
import { addOutputFlag, addServerFlag, ask, type Finish, paint, writeJson } from './verb.ts'

const examples = `
Examples:
  $ trireme events
  $ trireme events --limit 500 -o json`

interface Options {
  readonly server?: string
  readonly output: string
  readonly limit: number
}

/** `trireme events`: what happened, oldest first. */
export function eventsVerb(deps: Deps, finish: Finish): Command {
  const command = new Command('events').description('list what happened, newest last')
  command.option('-n, --limit <count>', 'how many', readLimit, 50)
  return addOutputFlag(addServerFlag(command), ['table', 'json'])
    .addHelpText('after', examples)
    .action(async (options: Options) => {
      const response = await ask(`/api/v1/events?limit=${options.limit}`, options, deps)
      const { events } = (await response.json()) as { readonly events: readonly EventRecord[] }
      if (options.output === 'json') writeJson(deps.stdout, events)
      else deps.stdout.write(events.length === 0 ? 'no events yet\n' : renderEvents(events, deps))
      finish(0)
    })
}

function readLimit(value: string): number {
  if (!/^\d{1,4}$/.test(value) || Number(value) > 5_000) throw new InvalidArgumentError('It must be a whole number up to 5000.')
  return Number(value)
}

function renderEvents(events: readonly EventRecord[], deps: Deps): string {
  const { yellow } = paint(deps.stdout, deps.env)
  const oldestFirst = [...events].sort((a, b) => a.at - b.at)
  const rows = oldestFirst.map(({ at, firstAt, count, type, reason, object, message }) => {
    const age = renderAge(deps.now() - at)
    const { kind, namespace, name } = splitKey(object)
    return [
      count > 1 ? `${age} (x${count} over ${renderAge(deps.now() - firstAt)})` : age,
      type === 'Warning' ? yellow(type) : type,
      reason,
      namespace,
      `${kind.toLowerCase()}/${name}`,
      brief(message.replaceAll('\n', ' '), Number.POSITIVE_INFINITY),
    ]
  })
  return renderTable(['LAST SEEN', 'TYPE', 'REASON', 'NAMESPACE', 'OBJECT', 'MESSAGE'], rows)
}
