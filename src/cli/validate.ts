import { Command } from 'commander'
import type { DocumentVerdict, Problem } from '../model/types/loaded.ts'
import type { Deps, ValidationOutcome } from './deps.ts'
import { addConfigFlags, addOutputFlag, type Finish, paint, readConfig, writeJson } from './verb.ts'

const examples = `
Examples:
  $ trireme validate deploy/
  $ trireme validate web.yaml db.yaml -o json
  $ trireme validate chart/ --namespace shop --allow shop=hostPath

Needs no engine, no daemon and no network. Exits with 0 when no document is refused, else with 1.
With -o json, one entry a document: file, line, kind, namespace, name, verdict (honoured, partly or
refused) and reasons.`

/** `trireme validate`: what Trireme makes of each document, offline. */
export function validateVerb(deps: Deps, finish: Finish): Command {
  const command = new Command('validate').description('check manifests offline: every error with file, line and field')
  command.argument('<paths...>', 'files and folders with YAML, Kustomize or Helm')
  return addOutputFlag(addConfigFlags(command, ['namespace', 'allow', 'render.allowRemote']), ['text', 'json'])
    .addHelpText('after', examples)
    .action(async (paths: string[], { output }: { output: string }, self: Command) => {
      const { namespace, allow, render } = await readConfig(self, deps, false)
      const outcome = await deps.validatePaths(paths, { namespace, allow, allowRemote: render.allowRemote })
      if (output === 'json') writeJson(deps.stdout, outcome.verdicts)
      else writeText(outcome, deps)
      finish(isRefused(outcome) ? 1 : 0)
    })
}

function isRefused({ verdicts, problems }: ValidationOutcome): boolean {
  return problems.some(isError) || verdicts.some(({ verdict }) => verdict === 'refused')
}

/** A notice is told and stops nothing. */
function isError({ severity }: Problem): boolean {
  return severity !== 'notice'
}

function writeText({ verdicts, problems }: ValidationOutcome, deps: Deps): void {
  const { red, yellow, bold } = paint(deps.stdout, deps.env)
  for (const problem of problems) {
    const word = isError(problem) ? red('error') : yellow('notice')
    deps.stdout.write(`${bold(place(problem))}: ${word}: ${renderProblem(problem)}\n`)
  }
  for (const verdict of verdicts.filter((each) => each.verdict === 'partly')) {
    for (const reason of verdict.reasons)
      deps.stdout.write(`${bold(place(verdict))}: ${yellow('not enforced')}: ${nameOf(verdict)}: ${reason}\n`)
  }
  const count = (verdict: string) => verdicts.filter((each) => each.verdict === verdict).length
  deps.stdout.write(
    `${verdicts.length} documents: ${count('honoured')} honoured, ${count('partly')} partly, ${count('refused')} refused\n`,
  )
}

function place({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file}:${line}`
}

function renderProblem({ field, code, message, suggestion }: Problem): string {
  const where = field === '' ? '' : `${field}: `
  const instead = suggestion ? ` (did you mean ${suggestion}?)` : ''
  return `${where}${message}${instead} [${code}]`
}

function nameOf({ kind, namespace, name }: DocumentVerdict): string {
  return [kind, namespace, name].filter((part) => part !== '').join('/')
}
