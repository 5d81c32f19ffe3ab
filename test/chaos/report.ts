/** What a run has shown, in words and figures. */

import type { Outcome, Played } from './run.ts'
import type { Loss, Way } from './ways.ts'
import { WAYS } from './ways.ts'

export function report(outcome: Outcome): string {
  const { seed, played, kills, commits, traffic, judgement, allowedRefusals } = outcome
  const minutes = played.length === 0 ? 0 : (played.at(-1)!.to - played[0]!.from) / 60_000
  const lost = judgement.explained.length + judgement.bugs.length
  const answered = WAYS.reduce((sum, way) => sum + (traffic.answers.get(way) ?? 0), 0)
  return [
    `seed ${seed}: ${played.length} scenes in ${minutes.toFixed(1)} min, ${kills} kills of the daemon, ${commits} commits`,
    `requests: ${answered + lost} sent, ${lost} lost, ${judgement.explained.length} of them explained`,
    ...WAYS.map((way) => `  ${way}: ${traffic.answers.get(way) ?? 0} answered, ${countOf(outcome, way)} lost`),
    `starts of a daemon refused as they should: ${allowedRefusals}`,
    '',
    ...table(outcome),
    ...bugs(outcome),
  ].join('\n')
}

function countOf({ judgement }: Outcome, way: Way): number {
  return [...judgement.explained.map(({ loss }) => loss), ...judgement.bugs].filter((loss) => loss.way === way).length
}

/** A line for each act: how often, how long it took to heal, what was lost and why, and the longest silence on any way. */
function table(outcome: Outcome): string[] {
  const byAct = Map.groupBy(outcome.played, ({ scene }) => scene.act)
  const rows = [...byAct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([act, played]) => row(outcome, act, played))
  const head = ['act', 'times', 'healed in s: median, max', 'lost', 'longest silence', 'why']
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

function row({ judgement, traffic }: Outcome, act: string, played: readonly Played[]): string[] {
  const healed = played.map(({ healedMs }) => healedMs).sort((a, b) => a - b)
  const lost = judgement.explained.filter(({ excuse }) => excuse.act === act)
  const silences = traffic.silences.filter(({ from }) => played.some((one) => from >= one.from - 1000 && from <= one.to))
  const longest = silences.sort((a, b) => b.to - b.from - (a.to - a.from))[0]
  return [
    act,
    String(played.length),
    `${seconds(healed[Math.floor((healed.length - 1) / 2)] ?? 0)}, ${seconds(healed.at(-1) ?? 0)}`,
    lost.length === 0 ? '0' : ways(lost.map(({ loss }) => loss)),
    longest === undefined ? '' : `${seconds(longest.to - longest.from)} s (${longest.way})`,
    [...new Set(lost.map(({ excuse }) => excuse.why))].join('; '),
  ]
}

function ways(losses: readonly Loss[]): string {
  return [...Map.groupBy(losses, ({ way }) => way)].map(([way, of]) => `${of.length} ${way}`).join(', ')
}

function bugs({ judgement, refusals, played, broken }: Outcome): string[] {
  const duringOf = ({ sentAt, lostAt }: Loss): string =>
    played
      .filter(({ from, to }) => sentAt <= to && lostAt >= from)
      .map(({ scene }) => `${scene.number}. ${scene.act}`)
      .join(', ') || 'nothing'
  const alike = Map.groupBy(
    judgement.bugs,
    (loss) => `${loss.way}, ${loss.why.replace(/ from port \d+/, '')}, during ${duringOf(loss)}`,
  )
  const lines = [...alike].map(([what, losses]) => {
    const some = losses
      .slice(0, 5)
      .map(({ sentAt, lostAt, pod, why }) => `${time(sentAt)}-${time(lostAt)} ${why}${pod && ` to ${pod}`}`)
    return `BUG: ${losses.length} lost without an excuse: ${what}: ${some.join(' ')}${losses.length > 5 ? ' …' : ''}`
  })
  const refused = refusals.map(({ at, why }) => `BUG: at ${time(at)} a daemon ended: ${why}`)
  return [...lines, ...refused, ...(broken === '' ? [] : [`BUG: ${broken}`])]
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

function time(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23)
}
