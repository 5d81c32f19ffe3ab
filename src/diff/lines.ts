/** Values as lines of text, for people. */
import { structuredPatch } from 'diff'
import { dump } from 'js-yaml'

/** A text longer than this is cut, count of characters. */
const maxLength = 160
/** Texts that differ in more lines than this are not compared line by line; it bounds the work. */
const maxEdits = 1_000

/** YAML with sorted keys, one entry a line. */
export function yamlLines(value: unknown): string[] {
  return dump(value, { sortKeys: true, noRefs: true, lineWidth: -1 }).trimEnd().split('\n')
}

/** Whether the value takes one line: no map, no list but an empty one, no text of several lines. */
export function isFlat(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\n')
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0
}

/** Two values of one line each; long texts are cut around the first character at which they differ. */
export function flatPair(before: unknown, after: unknown): [string, string] {
  if (typeof before !== 'string' || typeof after !== 'string') return [flat(before, 0), flat(after, 0)]
  let common = 0
  while (common < before.length && before[common] === after[common]) common += 1
  const from = Math.max(before.length, after.length) > maxLength ? Math.max(0, common - maxLength / 4) : 0
  return [flat(before, from), flat(after, from)]
}

function flat(value: unknown, from: number): string {
  if (typeof value !== 'string' || (from === 0 && value.length <= maxLength)) return yamlLines(value ?? null).join(' ')
  const cut = value.slice(from, from + maxLength)
  return `${from > 0 ? '…' : ''}${cut}${from + maxLength < value.length ? '…' : ''} (${value.length} characters)`
}

/** A unified diff of two texts, without file names, three lines of context. */
export function textDiffLines(before: string, after: string): string[] {
  const patch = structuredPatch('', '', before, after, undefined, undefined, { context: 3, maxEditLength: maxEdits })
  if (patch === undefined) return [`-(${count(before)} lines)`, `+(${count(after)} lines, too different to compare line by line)`]
  return patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ])
}

function count(text: string): number {
  return text.split('\n').length
}

const unprintable = /(?!\t)[\p{Cc}\p{Bidi_Control}]/gu

/** Control and direction characters written out, so that a repository cannot play tricks on a terminal. */
export function printable(line: string): string {
  return line.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
