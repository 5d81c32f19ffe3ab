import { Command } from 'commander'
import type { Check } from '../api/check.ts'
import type { Deps } from './deps.ts'
import { addOutputFlag, addSourceFlags, type Finish, paint, readConfig, writeJson } from './verb.ts'

const examples = `
Examples:
  $ trireme doctor
  $ trireme doctor --docker tcp://10.0.0.5:2375 --repo https://git.example.org/team/shop.git

Looks at the engine's version, kernel features, images, reachability and permissions, and says for
each what to do about it. Exits with 0 when nothing fails, else with 1.`

/** `trireme doctor`: what stands in the way, each with its remedy. */
export function doctorVerb(deps: Deps, finish: Finish): Command {
  const command = addSourceFlags(new Command('doctor').description('check engine, kernel, images and permissions'))
  return addOutputFlag(command, ['text', 'json'])
    .addHelpText('after', examples)
    .action(async ({ output }: { output: string }, self: Command) => {
      const checks = await deps.diagnose(await readConfig(self, deps, false))
      if (output === 'json') writeJson(deps.stdout, checks)
      else for (const check of checks) deps.stdout.write(render(check, deps))
      finish(checks.some(({ level }) => level === 'fail') ? 1 : 0)
    })
}

function render({ name, level, message, remedy }: Check, deps: Deps): string {
  const { green, yellow, red, dim } = paint(deps.stdout, deps.env)
  const mark = { ok: green('ok  '), warn: yellow('warn'), fail: red('fail') }[level]
  const line = `${mark}  ${name}${message === '' ? '' : `: ${message}`}\n`
  return remedy === '' || level === 'ok' ? line : `${line}      ${dim('remedy:')} ${remedy}\n`
}
