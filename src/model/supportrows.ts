/** How the support table is written: a row for a field, with what this version does with it. */
import type { Policy } from './policy.ts'

export type Support =
  /** `but`: where that is not quite what Kubernetes does */
  | { readonly level: 'honoured'; readonly but?: string }
  | { readonly level: 'unenforced'; readonly why: string }
  | { readonly level: 'refused'; readonly why: string }
  /** refused by the baseline policy; `allowed` is what becomes of it where the operator allows it */
  | { readonly level: 'policy'; readonly policy: Policy; readonly allowed: 'honoured' | 'refused' }

export interface SupportRow {
  readonly field: string
  readonly support: Support
  /** the row counts only for such values; any other value is honoured */
  readonly when?: (value: unknown) => boolean
  /** `when` in words, for the documentation */
  readonly whenText?: string
}

type Condition = Pick<SupportRow, 'when' | 'whenText'>

export const honoured = (...fields: readonly string[]): SupportRow[] =>
  fields.map((field) => ({ field, support: { level: 'honoured' } }))
export const unenforced = (field: string, why: string, condition: Condition = {}): SupportRow => ({
  field,
  support: { level: 'unenforced', why },
  ...condition,
})
export const refused = (field: string, why: string, condition: Condition = {}): SupportRow => ({
  field,
  support: { level: 'refused', why },
  ...condition,
})
export const policy = (field: string, name: Policy, allowed: 'honoured' | 'refused', condition: Condition = {}): SupportRow => ({
  field,
  support: { level: 'policy', policy: name, allowed },
  ...condition,
})

export const isTrue: Condition = { when: (value) => value === true, whenText: 'true' }
export const other = (...values: readonly unknown[]): Condition => ({
  when: (value) => !values.includes(value),
  whenText: `other than ${values.map((value) => (value === '' ? 'empty' : String(value))).join(', ')}`,
})
export const only = (...values: readonly unknown[]): Condition => ({
  when: (value) => values.includes(value),
  whenText: values.join(', '),
})

export const notRun = 'is not run by this version'
export const written = 'is written by a server and not read'
