/** Differences as text and as JSON. Secret values appear in neither. */
import { type ObjectKey, type Origin, splitKey } from '../model/types/meta.ts'
import { concealDifference, hiddenText, isConcealed } from './conceal.ts'
import { causeOf } from './explain.ts'
import { flatPair, isFlat, printable, textDiffLines, yamlLines } from './lines.ts'
import type { Change, ObjectDiff } from './objects.ts'
import type { Difference } from './threeway.ts'

export interface RenderOptions {
  /** lines of one object shown at most; the rest is counted */
  readonly maxLines?: number
  /** also show what others have set and Git leaves alone */
  readonly foreign?: boolean
}

/**
 * What will change, one block an object, `''` when nothing will: `-` is what is there, `+` what will be, `~` a
 * text of several lines or a secret that changes, `=` what stays. Each tells its cause. Equal arguments give
 * equal texts; nothing in it can control a terminal.
 */
export function renderDiffs(diffs: readonly ObjectDiff[], options: RenderOptions = {}): string {
  return diffs.flatMap((diff) => objectLines(diff, options)).join('\n')
}

function objectLines(
  { key, change, differences, origin }: ObjectDiff,
  { maxLines = 200, foreign = false }: RenderOptions,
): string[] {
  const shown = foreign ? differences : differences.filter(({ action }) => action !== 'keep')
  if (shown.length === 0) return []
  const kind = splitKey(key).kind
  const lines = shown.flatMap((difference) => differenceLines(kind, difference))
  const rest = lines.length - maxLines
  const bounded = rest > 0 ? [...lines.slice(0, maxLines), `… ${rest} more line${rest === 1 ? '' : 's'}`] : lines
  return [headLine(key, change, origin, shown), ...bounded.map((line) => `  ${line}`)].map(printable)
}

/** An object that comes, goes or stays as a whole has its one cause here. */
function headLine(key: ObjectKey, change: Change, origin: Origin | undefined, shown: readonly Difference[]): string {
  const place = origin === undefined ? '' : ` (${origin.file}:${origin.line})`
  const whole = shown.find(({ path }) => path === '')
  return `${change === 'none' ? 'keep' : change} ${key}${place}${whole === undefined ? '' : `: ${causeOf(whole)}`}`
}

function differenceLines(kind: string, difference: Difference): string[] {
  const { path, desired, observed, action } = concealDifference(kind, difference)
  const cause = `  # ${causeOf(difference)}`
  const after = action === 'remove' ? undefined : desired
  if (action === 'keep') return valueLines('=', path, observed, cause)
  if (isConcealed(kind, path) && observed === hiddenText && after === hiddenText) return [`~ ${path}: ${hiddenText}${cause}`]
  if (typeof observed === 'string' && typeof after === 'string' && !(isFlat(observed) && isFlat(after)))
    return [`~ ${path}:${cause}`, ...textDiffLines(observed, after).map((line) => `  ${line}`)]
  if (observed !== undefined && after !== undefined && isFlat(observed) && isFlat(after)) {
    const [was, willBe] = flatPair(observed, after)
    return [`- ${path}: ${was}`, `+ ${path}: ${willBe}${cause}`]
  }
  return [...valueLines('-', path, observed, after === undefined ? cause : ''), ...valueLines('+', path, after, cause)]
}

function valueLines(sign: string, path: string, value: unknown, cause: string): string[] {
  if (value === undefined) return []
  if (path === '') return yamlLines(value).map((line) => `${sign} ${line}`)
  if (isFlat(value)) return [`${sign} ${path}: ${flatPair(value, undefined)[0]}${cause}`]
  return [`${sign} ${path}:${cause}`, ...yamlLines(value).map((line) => `${sign}   ${line}`)]
}

/** One object's change as plain data. */
export interface ObjectDiffJson {
  readonly key: ObjectKey
  readonly change: Change
  readonly origin: Origin | null
  /** a value that does not exist is left out of its difference */
  readonly differences: readonly (Difference & { readonly cause: string })[]
}

/** Every object that is to change, or on which others have set something, as plain data. */
export function diffsJson(diffs: readonly ObjectDiff[]): ObjectDiffJson[] {
  return diffs
    .filter(({ differences }) => differences.length > 0)
    .map(({ key, change, origin, differences }) => ({
      key,
      change,
      origin: origin ?? null,
      differences: differences.map((one) => ({ ...concealDifference(splitKey(key).kind, one), cause: causeOf(one) })),
    }))
}
