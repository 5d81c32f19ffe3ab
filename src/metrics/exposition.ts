/**
 * Samples as Prometheus' text format, written by hand: the registry keeps a hash and two objects for each series, which
 * for the state of many pods takes longer than anything else that the daemon does.
 *
 * @see Prometheus, exposition formats, text-based format
 */
import type { Families, Sample } from './family.ts'

/** Samples between two turns of the event loop; a large scrape must not hold up what it tells of. */
const SAMPLES_A_TURN = 5_000
/** Lines in one piece: a large scrape is longer than a string can be. */
const LINES_A_PIECE = 500

/**
 * All families in order, with or without samples. Of each series there is one sample.
 *
 * @param turn resolves in a later turn of the event loop
 */
export async function* exposition(
  families: Families,
  samples: Iterable<Sample>,
  turn: () => Promise<void>,
): AsyncGenerator<string> {
  const texts = new Map(Object.keys(families).map((name) => [name, { pieces: [] as string[], lines: [] as string[] }]))
  let count = 0
  for (const sample of samples) {
    const text = texts.get(sample.name)
    if (text === undefined) throw new Error(`the metric ${sample.name} is not declared`)
    text.lines.push(lineOf(sample))
    if (text.lines.length >= LINES_A_PIECE) {
      text.pieces.push(text.lines.join(''))
      text.lines = []
    }
    count += 1
    if (count % SAMPLES_A_TURN === 0) await turn()
  }
  for (const [name, { type, help }] of Object.entries(families)) {
    yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
    const text = texts.get(name)
    yield* text?.pieces ?? []
    yield text?.lines.join('') ?? ''
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
