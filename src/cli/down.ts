import { Command } from 'commander'
import type { Deps } from './deps.ts'
import { addConfigFlags, type Finish, readConfig, VerbError } from './verb.ts'

const examples = `
Examples:
  $ trireme down --yes
  $ trireme down --cluster staging --yes --volumes

Removes only what carries the label of this cluster. Stop the daemon first: a running one would
bring everything back.`

/** `trireme down`: removes everything of one cluster from the engine. */
export function downVerb(deps: Deps, finish: Finish): Command {
  const command = new Command('down').description('remove everything of this cluster from the engine')
  command.option('-y, --yes', 'really do it')
  command.option('--volumes', 'remove the volumes too, with all that is in them')
  return addConfigFlags(command, ['docker', 'dataDir', 'cluster', 'logLevel'])
    .addHelpText('after', examples)
    .action(async ({ yes = false, volumes = false }: { yes?: boolean; volumes?: boolean }, self: Command) => {
      const config = await readConfig(self, deps, false)
      if (!yes)
        throw new VerbError(
          `this removes every container of cluster "${config.cluster}" from ${config.docker}: repeat with --yes`,
        )
      let count = 0
      for await (const line of deps.teardown(config, { volumes })) {
        deps.stdout.write(`${line}\n`)
        count += 1
      }
      deps.stdout.write(count === 0 ? `nothing of cluster "${config.cluster}" was there\n` : `removed ${count}\n`)
      finish(0)
    })
}
