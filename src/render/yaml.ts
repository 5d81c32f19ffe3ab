/**
 * YAML as a cluster reads it: YAML 1.1 integers and booleans, merge keys, duplicate keys refused; but none of the
 * readings that Kubernetes leaves out (sexagesimal numbers, timestamps, `.` as a number).
 */
import {
  boolYaml11Tag,
  CORE_SCHEMA,
  constructFromEvents,
  defineScalarTag,
  EVENT_ID,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  YAMLException,
} from 'js-yaml'
import type { FieldPath } from '../model/types/meta.ts'
import { type Positions, positionsOf } from './positions.ts'
import type { Limits } from './types.ts'

export interface YamlDocument {
  readonly body: unknown
  /** 1-based line of the first value */
  readonly line: number
  readonly lineOf: (path: FieldPath) => number
  /** the document's own text, with the comments before it */
  readonly text: string
}

export interface YamlProblem {
  readonly line: number
  readonly code: string
  readonly message: string
}

const integer = /^([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|0o?([0-7_]+)|(0|[1-9][0-9_]*))$/

/** @see go-yaml v2 resolve.go: Go reads plain integers with their prefix, a leading zero meaning octal */
const goInteger = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: ['-', '+', ...'0123456789'],
  resolve: (source) => {
    const parts = integer.exec(source)
    if (parts === null) return NOT_RESOLVED
    const [, sign, binary, hex, octal, decimal] = parts
    const digits = (binary ?? hex ?? octal ?? decimal ?? '').replaceAll('_', '')
    const radix = binary !== undefined ? 2 : hex !== undefined ? 16 : octal !== undefined ? 8 : 10
    const size = digits === '' ? Number.NaN : Number.parseInt(digits, radix)
    return Number.isNaN(size) ? NOT_RESOLVED : sign === '-' && size !== 0 ? -size : size
  },
  identify: () => false,
})

const schema = CORE_SCHEMA.withTags(goInteger, boolYaml11Tag, mergeTag)

/**
 * The documents of a text; empty ones are left out. A document that cannot be read is a problem and stops no other.
 * Never throws.
 */
export function parseYaml(
  text: string,
  limits: Limits,
): { readonly documents: readonly YamlDocument[]; readonly problems: readonly YamlProblem[] } {
  const documents: YamlDocument[] = []
  const problems: YamlProblem[] = []
  for (const part of split(text.replace(/^\uFEFF/, ''))) {
    if (documents.length >= limits.documents || problems.length >= limits.problems) {
      problems.push(documents.length >= limits.documents ? tooMany(part, limits) : tooBroken(part, problems.length))
      break
    }
    try {
      for (const document of parsePart(part, limits)) documents.push(document)
    } catch (error) {
      problems.push(problemOf(error, part, limits))
    }
  }
  return { documents, problems }
}

function tooBroken({ line }: Part, broken: number): YamlProblem {
  return { line, code: 'TooLarge', message: `${broken} documents of the file cannot be read, so the rest of it is not read` }
}

function tooMany({ line }: Part, { documents }: Limits): YamlProblem {
  return { line, code: 'TooLarge', message: `the file has more than ${documents} documents` }
}

interface Part {
  readonly text: string
  /** 1-based line of its first line in the file */
  readonly line: number
}

/** At `---` in the first column, which begins a document wherever it stands; directives stay with what follows. */
function split(text: string): readonly Part[] {
  const parts: Part[] = []
  let start = 0
  let line = 1
  for (const marker of text.matchAll(/^---(?=\s|$)/gm)) {
    const before = text.slice(start, marker.index)
    if (/^%/m.test(before) && before.split('\n').every((row) => /^(?:[%#]|\s*$)/.test(row))) continue
    parts.push({ text: before, line })
    line += countLines(before)
    start = marker.index
  }
  parts.push({ text: text.slice(start), line })
  return parts.filter(({ text }) => saysSomething(text.startsWith('---') ? text.slice(3) : text))
}

/** Whether a line holds more than white space and a comment. A pattern over all lines at once would exhaust the stack on many. */
function saysSomething(text: string): boolean {
  return /^[ \t]*[^ \t\r\n#]/m.test(text)
}

function countLines(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}

function parsePart(part: Part, limits: Limits): readonly YamlDocument[] {
  const events = parseEvents(part.text, { maxDepth: limits.depth })
  const bodies = constructFromEvents(events, { source: part.text, schema, maxAliases: limits.aliases })
  const aliased = events.some(({ type }) => type === EVENT_ID.ALIAS)
  if (bodies.length > limits.documents) throw new TooManyDocuments()
  const positions = positionsOf(part.text, events)
  return bodies.flatMap((body, index) => {
    if (body === null || body === undefined) return []
    if (aliased && expandedSize(body, new Map(), limits.nodes) > limits.nodes) throw new Expansion()
    return [
      {
        body,
        line: part.line + positions.line(index) - 1,
        lineOf: (path) => part.line + positionsIn(part.text).line(index, path) - 1,
        text: part.text,
      },
    ]
  })
}

/** Ended by `...`, they are no parts of their own. */
class TooManyDocuments extends Error {}

/** Written out, aliases of aliases grow without bound. */
class Expansion extends Error {}

function expandedSize(value: unknown, known: Map<object, number>, most: number): number {
  if (typeof value !== 'object' || value === null) return 1
  const earlier = known.get(value)
  if (earlier !== undefined) return earlier
  let size = 1
  for (const item of Object.values(value)) {
    size += expandedSize(item, known, most)
    if (size > most) break
  }
  known.set(value, size)
  return size
}

/** Lines are asked for seldom, several times for one document: it is read again, and kept for the next. */
let last: { readonly text: string; readonly positions: Positions } | undefined

function positionsIn(text: string): Positions {
  if (last?.text !== text) last = { text, positions: positionsOf(text, parseEvents(text, {})) }
  return last.positions
}

function problemOf(error: unknown, part: Part, limits: Limits): YamlProblem {
  if (error instanceof Expansion) {
    return { line: part.line, code: 'TooLarge', message: `aliases make it more than ${limits.nodes} values` }
  }
  if (error instanceof TooManyDocuments) return tooMany(part, limits)
  // Only the reason: the snippet that js-yaml adds could show a secret.
  if (!(error instanceof YAMLException)) return { line: part.line, code: 'BadYaml', message: 'the document cannot be read' }
  const line = part.line + (error.mark?.line ?? 0)
  if (/maxDepth/.test(error.reason)) return { line, code: 'TooLarge', message: `nested more than ${limits.depth} levels deep` }
  if (/maxAliases/.test(error.reason))
    return { line, code: 'TooLarge', message: `more than ${limits.aliases} aliases in one document` }
  if (error.reason === 'duplicated mapping key') return { line, code: 'DuplicateKey', message: `duplicate key${keyAt(error)}` }
  return { line, code: 'BadYaml', message: `not valid YAML: ${error.reason}` }
}

function keyAt(error: YAMLException): string {
  const { buffer = '', position = 0 } = error.mark ?? {}
  const key = /^["']?([\w./-]{1,100})["']?\s*:/.exec(buffer.slice(position))?.[1]
  return key === undefined ? '' : ` ${JSON.stringify(key)}`
}
