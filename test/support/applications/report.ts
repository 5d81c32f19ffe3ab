/** What came of the applications, as text. */
import { renderTable } from '../../../src/cli/table.ts'
import type { Outcome } from './story.ts'

/** An application that could not be run at all. */
export interface Broken {
  readonly name: string
  readonly error: string
}

export function passed(outcome: Outcome | Broken): boolean {
  if ('error' in outcome) return false
  const { workloads, services, roll } = outcome
  const rolled = roll === undefined || (roll.trouble === '' && roll.load.failures.length === 0)
  return workloads.ready === workloads.total && services.answering === services.total && rolled
}

/** Everything worth a line about one application. */
export function renderOutcome(outcome: Outcome): string {
  const { application, missing, workloads, services, conditions, roll } = outcome
  const counts = (['honoured', 'partly', 'refused'] as const).map(
    (word) => `${application.verdicts.filter(({ verdict }) => verdict === word).length} ${word}`,
  )
  const refusals = application.verdicts
    .filter(({ verdict }) => verdict === 'refused')
    .map(({ kind, name, reasons }) => `${kind}/${name}: ${reasons.join('; ')}`)
  const failures = roll === undefined ? [] : roll.load.failures
  const lines = [
    `documents ${application.verdicts.length}: ${counts.join(', ')}`,
    ...refusals.map((text) => `  refused ${text}`),
    ...missing.map((text) => `  made out of band: ${text}`),
    `workloads ${workloads.ready}/${workloads.total} Ready after ${outcome.readySeconds} s`,
    ...workloads.troubles.map((text) => `  ${text}`),
    `services ${services.answering}/${services.total} answer by address and by name`,
    ...services.troubles.map((text) => `  ${text}`),
    ...conditions.map((text) => `  condition ${text}`),
    roll === undefined
      ? 'nothing to roll behind a Service'
      : `rolled ${roll.workload} and back in ${roll.seconds} s${roll.probed ? '' : ' (without a readiness probe)'}: ${roll.load.requests} requests on ${roll.service}, ${failures.length} failed`,
    ...(roll?.trouble ? [`  ${roll.trouble}`] : []),
    ...failures.slice(0, 5).map((text) => `  ${text}`),
  ]
  return lines.map((line) => `  ${line}\n`).join('')
}

const head = [
  'APPLICATION',
  'HONOURED',
  'PARTLY',
  'REFUSED',
  'READY',
  'SERVICES',
  'READY AFTER',
  'REQUESTS',
  'FAILED',
  'TOTAL',
  'RESULT',
]

/** One row an application. */
export function renderSummary(outcomes: readonly (Outcome | Broken)[]): string {
  return renderTable(head, outcomes.map(summaryRow))
}

function summaryRow(outcome: Outcome | Broken): string[] {
  if ('error' in outcome) return [outcome.name, ...head.slice(2).map(() => '-'), 'error']
  const { application, workloads, services, roll } = outcome
  const count = (word: string): string => String(application.verdicts.filter(({ verdict }) => verdict === word).length)
  return [
    application.name,
    count('honoured'),
    count('partly'),
    count('refused'),
    `${workloads.ready}/${workloads.total}`,
    `${services.answering}/${services.total}`,
    `${outcome.readySeconds} s`,
    roll === undefined ? '-' : String(roll.load.requests),
    roll === undefined ? '-' : String(roll.load.failures.length),
    `${outcome.seconds} s`,
    resultOf(outcome),
  ]
}

function resultOf(outcome: Outcome): string {
  if (!passed(outcome)) return 'FAILED'
  return outcome.workloads.total === 0 ? 'nothing to run' : 'ok'
}
