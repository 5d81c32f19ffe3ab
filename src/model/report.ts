/** Findings about one document, gathered by the checks and later turned into problems with file and line. */
import type { FieldPath } from './types/meta.ts'

export interface Finding {
  readonly path: FieldPath
  readonly code: string
  readonly message: string
  readonly suggestion?: string
  readonly severity?: 'error' | 'notice'
}

/** Takes one finding down. `path` is copied, so that a walker may go on changing its own. */
export type Report = (
  path: FieldPath,
  code: string,
  message: string,
  extra?: { readonly suggestion?: string | undefined | (() => string | undefined); readonly severity?: 'notice' },
) => void

/** One document never reports more, however wrong it is. */
export const maxFindings = 100

/** Longest message and suggestion, in characters: what a message quotes comes from the document. */
const maxText = 1000

function cut(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText)}...` : text
}

/** @param most findings that are kept; a suggestion given as a function is only looked for where it is */
export function reporter(most = maxFindings): { readonly report: Report; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const kept = { error: 0, notice: 0 }
  return {
    findings,
    report: (path, code, message, extra) => {
      const severity = extra?.severity ?? 'error'
      // Each for itself: notices must never leave no room for what refuses the document.
      if (kept[severity] >= most) return
      kept[severity] += 1
      const suggestion = typeof extra?.suggestion === 'function' ? extra.suggestion() : extra?.suggestion
      findings.push({
        path: [...path],
        code,
        message: cut(message),
        ...(suggestion === undefined ? {} : { suggestion: cut(suggestion) }),
        ...(extra?.severity === undefined ? {} : { severity: extra.severity }),
      })
    },
  }
}

/** A plain value as it is written. A map or list is named by its shape: a map with a key `toString` has no text at all. */
export function plainText(value: unknown): string {
  return typeof value === 'object' ? valueText(value) : String(value)
}

/** How a value is named in a message; texts are quoted and cut, and a map or list is named by its shape alone. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string') return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)}`
  return `the ${typeof value === 'boolean' ? 'boolean' : 'number'} ${String(value)}`
}
