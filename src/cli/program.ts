/** The command line: `trireme <verb>`. */
import { Command, CommanderError } from 'commander'
import type { Deps } from './deps.ts'
import { doctorVerb } from './doctor.ts'
import { downVerb } from './down.ts'
import { eventsVerb } from './events.ts'
import { logsVerb } from './logs.ts'
import { planVerb } from './plan.ts'
import { runVerb } from './run.ts'
import { statusVerb } from './status.ts'
import { validateVerb } from './validate.ts'
import { type Finish, paint, VerbError } from './verb.ts'

const tour = `
Examples:
  $ trireme run --repo https://git.example.org/team/shop.git --path deploy
  $ trireme plan --dir ./deploy              what would change, and why
  $ trireme status --watch                   revisions, rollouts, pods, addresses
  $ trireme logs web -f                      the log of every pod of a workload

Every flag can also be set as TRIREME_<FLAG> in the environment or in a YAML file given with --config;
flags win over the environment, the environment over the file. Run "trireme <verb> --help" for more.`

/** All verbs; each tells `finish` its exit code. Built from commander, and reaching outside only through `deps`. */
export function program(deps: Deps, finish: Finish): Command {
  const root = new Command('trireme')
    .description('GitOps for plain Docker: Kubernetes YAML from Git, rolled out, healed and routed on Docker Engines.')
    .version(deps.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', tour)
    .showSuggestionAfterError()
    .configureHelp({ helpWidth: Math.max(60, Math.min(deps.stdout.columns ?? 100, 120)) })
  const verbs = [runVerb, planVerb, validateVerb, statusVerb, eventsVerb, logsVerb, doctorVerb, downVerb]
  for (const verb of verbs) root.addCommand(verb(deps, finish))
  for (const command of [root, ...root.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => deps.stdout.write(text),
      writeErr: (text) => deps.stderr.write(text),
    })
    command.copyInheritedSettings(root)
  }
  return root
}

/** Runs one command line (without the interpreter and script) and resolves with the exit code; never rejects. */
export async function runCli(argv: readonly string[], deps: Deps): Promise<number> {
  let code = 0
  try {
    const root = program(deps, (outcome) => {
      code = outcome
    })
    await root.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' })
    return code
  } catch (error) {
    return explainFailure(error, deps)
  }
}

/** Usage errors exit with 2, as do all others that are no outcome of the verb itself. */
function explainFailure(error: unknown, deps: Deps): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const { red } = paint(deps.stderr, deps.env)
  const message = error instanceof Error ? error.message : String(error)
  deps.stderr.write(`${red('error:')} ${message}\n`)
  return error instanceof VerbError ? error.exitCode : 2
}
