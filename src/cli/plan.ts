import { Command } from 'commander'
import type { Deps } from './deps.ts'
import { addOutputFlag, addSourceFlags, type Finish, paint, readConfig, writeJson } from './verb.ts'

const examples = `
Examples:
  $ trireme plan --repo https://git.example.org/team/shop.git --branch feature
  $ trireme plan --dir ./deploy              before committing
  $ trireme plan --dir . -o json | jq .

Reads the engine and changes nothing. Exits with 0 when there is no difference, 1 when there are
differences, and more than 1 when the plan could not be made.`

/** `trireme plan`: three-way diff and steps against the live engine. */
export function planVerb(deps: Deps, finish: Finish): Command {
  const command = addSourceFlags(new Command('plan').description('show what would change, and why; changes nothing'))
  return addOutputFlag(command, ['text', 'json'])
    .addHelpText('after', examples)
    .action(async ({ output }: { output: string }, self: Command) => {
      const plan = await deps.computePlan(await readConfig(self, deps, true))
      if (output === 'json') writeJson(deps.stdout, plan.json)
      else if (plan.differences) deps.stdout.write(colour(plan.text, deps))
      else deps.stdout.write('no differences\n')
      finish(plan.differences ? 1 : 0)
    })
}

/** Lines of a diff in the usual colours; the text itself is unchanged. */
function colour(text: string, deps: Deps): string {
  const { green, red, cyan } = paint(deps.stdout, deps.env)
  const painted = text.split('\n').map((line) => {
    if (line.startsWith('@@')) return cyan(line)
    if (/^\s*\+(?!\+\+)/.test(line)) return green(line)
    return /^\s*-(?!--)/.test(line) ? red(line) : line
  })
  return text.endsWith('\n') ? painted.join('\n') : `${painted.join('\n')}\n`
}
