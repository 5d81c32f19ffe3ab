import { Command } from 'commander'
import type { Deps } from './deps.ts'
import { addConfigFlags, type Finish, readConfig } from './verb.ts'

const examples = `
Examples:
  $ trireme run --repo https://git.example.org/team/shop.git
      follow branch main and keep the engine as it says, until stopped
  $ trireme run --repo git@git.example.org:team/infra.git --branch prod --path shop --git-ssh-key-file ~/.ssh/deploy
  $ trireme run --dir ./deploy --once
      converge a local folder and exit: 0 when every object is healthy, else 1 and the reason
  $ trireme run --config /etc/trireme.yaml --log-level debug

SIGHUP or POST /api/v1/sync polls at once. Stopping the daemon leaves all workloads running.`

/** `trireme run`: the daemon. */
export function runVerb(deps: Deps, finish: Finish): Command {
  return addConfigFlags(new Command('run').description('follow a source and keep the engine as it says'))
    .addHelpText('after', examples)
    .action(async (_options, command: Command) => finish(await deps.startDaemon(await readConfig(command, deps, true))))
}
