/**
 * `npm run mutants`: breaks one thing at a time in a copy of the project and shows which test notices.
 *
 *   npm run mutants [-- --only <area>[,<area>]] [--seeds N] [--find TEXT]
 *
 * `--find` takes only mutants whose sentence or file holds the text; `--seeds` is how many simulated worlds are tried on a mutant that
 * everything else let through. Ends with 1 when one survives that has no explanation.
 */
import { parseArgs } from 'node:util'
import { AREAS } from '../test/mutants/all.ts'
import type { Mutant } from '../test/mutants/mutant.ts'
import { makePlace, misplaced, type Place } from './mutants/place.ts'
import { endAll, hunt, type Verdict } from './mutants/suites.ts'

/** One for each processor of a small machine; each runs one suite at a time. */
const PLACES = 2

const { values } = parseArgs({
  options: { only: { type: 'string' }, seeds: { type: 'string', default: '300' }, find: { type: 'string', default: '' } },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)

process.exit((await main()) ? 0 : 1)

async function main(): Promise<boolean> {
  const mutants = chosen()
  const wrong = misplaced(mutants)
  for (const line of wrong) say(line)
  if (wrong.length > 0) return false
  const places = Array.from({ length: PLACES }, makePlace)
  const clear = (): void => {
    for (const place of places) place.remove()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      endAll()
      clear()
      say(`stopped by ${signal}`)
      process.exit(1)
    })
  const tried = await tryAll(mutants, places).finally(clear)
  return summarize(mutants.length, tried)
}

function chosen(): Mutant[] {
  const areas = values.only?.split(',') ?? Object.keys(AREAS)
  const unknown = areas.filter((area) => AREAS[area] === undefined)
  if (unknown.length > 0) throw new Error(`no area ${unknown.join(', ')}: there are ${Object.keys(AREAS).join(', ')}`)
  return areas.flatMap((area) => AREAS[area] ?? []).filter(({ file, breaks }) => `${file} ${breaks}`.includes(values.find))
}

/** Each place takes the next mutant until none is left; what came of each is told at once. */
async function tryAll(mutants: readonly Mutant[], places: readonly Place[]): Promise<[Mutant, Verdict][]> {
  const tried: [Mutant, Verdict][] = []
  const left = mutants.values()
  const work = async (place: Place): Promise<void> => {
    for (const mutant of left) {
      const verdict = await hunt(mutant, place, Number(values.seeds))
      tried.push([mutant, verdict])
      say(row(mutant, verdict))
    }
  }
  await Promise.all(places.map(work))
  return tried
}

function row({ file, breaks }: Mutant, { suite, killer, doubt, seconds }: Verdict): string {
  const told = `${seconds.toFixed(0).padStart(4)} s  ${(suite || (doubt === '' ? 'no test' : 'unsure')).padEnd(11)} ${breaks} (${file.replace('src/', '')})`
  return killer === undefined ? told : `${told}\n${' '.repeat(20)}${killer}`
}

function summarize(count: number, tried: readonly [Mutant, Verdict][]): boolean {
  const survivors = tried.filter(([, { killer }]) => killer === undefined)
  const explained = survivors.filter(([{ explained: why }]) => why !== undefined)
  const open = survivors.filter(([{ explained: why }]) => why === undefined)
  const needless = tried.filter(([{ explained: why }, { killer }]) => why !== undefined && killer !== undefined)
  for (const [{ file, breaks, explained: why }] of explained) say(`explained: ${breaks} (${file})\n${' '.repeat(11)}${why}`)
  for (const [{ file, breaks }] of needless) say(`explained, and killed all the same: ${breaks} (${file})`)
  for (const [{ file, breaks }, { doubt, seconds }] of open)
    say(
      `${doubt === '' ? 'SURVIVED' : 'UNSURE'}: ${breaks} (${file}), after ${seconds.toFixed(0)} s${doubt === '' ? '' : `\n${doubt}`}`,
    )
  const by = Map.groupBy(tried, ([, { suite }]) => suite)
  const killed = [...by].filter(([suite]) => suite !== '').map(([suite, all]) => `${all.length} by ${suite}`)
  say(
    `${count} mutants: ${count - survivors.length} killed (${killed.join(', ')}), ${explained.length} explained, ${open.length} survived`,
  )
  return open.length === 0 && count > 0
}
