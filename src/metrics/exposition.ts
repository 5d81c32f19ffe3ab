/**
 * Samples as Prometheus' text format, written by hand: the registry keeps a hash and two objects for each series, which
 * for the state of many pods takes longer than anything else that the daemon does.
 *
 * @see Prometheus, exposition formats, text-based format
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Families, Sample } from './family.ts'

/** Samples between two turns of the event loop; a large scrape must not hold up what it tells of. */
const SAMPLES_A_TURN = 5_000
/** Characters in one piece: a large scrape is longer than a string can be. */
const PIECE = 65_536

/** All families in order, with or without samples. Of each series there is one sample. */
export async function* exposition(families: Families, samples: Iterable<Sample>): AsyncGenerator<string> {
  const texts = new Map(Object.keys(families).map((name) => [name, { pieces: [] as string[], open: '' }]))
  let count = 0
  for (const sample of samples) {
    const text = texts.get(sample.name)
    if (text === undefined) throw new Error(`the metric ${sample.name} is not declared`)
    text.open += lineOf(sample)
    if (text.open.length > PIECE) {
      text.pieces.push(text.open)
      text.open = ''
    }
    count += 1
    if (count % SAMPLES_A_TURN === 0) await nextTurn()
  }
  for (const [name, { type, help }] of Object.entries(families)) {
    yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
    const text = texts.get(name)
    yield* text?.pieces ?? []
    yield text?.open ?? ''
    texts.delete(name)
  }
}

function lineOf({ name, labels, value }: Sample): string {
  let inner = ''
  for (const label in labels) inner += `${inner === '' ? '' : ','}${label}="${escaped(labels[label] ?? '')}"`
  return inner === '' ? `${name} ${value}\n` : `${name}{${inner}} ${value}\n`
}

function escaped(value: string): string {
  return /[\\\n"]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"') : value
}
