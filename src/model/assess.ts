/** What this version makes of a valid document: which fields have no effect, and which it refuses. */
import { pathText } from './path.ts'
import { type Allowance, isAllowed } from './policy.ts'
import { isMap, type Raw } from './raw.ts'
import { kindSupport } from './support.ts'
import type { SupportRow } from './supportrows.ts'
import type { FieldPath } from './types/meta.ts'

export interface Assessment {
  /** `field: why`, in the order of the document */
  readonly unenforced: readonly string[]
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  readonly path: FieldPath
  readonly code: 'UnsupportedField' | 'PolicyViolation'
  readonly why: string
}

/** Rows by the parts of their fields. */
interface Branch {
  readonly children: Map<string, Branch>
  readonly rows: SupportRow[]
}

const trees = new Map(Object.entries(kindSupport).map(([kind, rows]) => [kind, treeOf(rows)]))

function treeOf(rows: readonly SupportRow[]): Branch {
  const root: Branch = { children: new Map(), rows: [] }
  for (const row of rows) {
    let at = root
    for (const part of partsOf(row.field)) {
      const next = at.children.get(part) ?? { children: new Map(), rows: [] }
      at.children.set(part, next)
      at = next
    }
    at.rows.push(row)
  }
  return root
}

/** `a.b[]."c.d/e"` has the parts `a`, `b`, `[]` and `c.d/e`. */
export function partsOf(field: string): string[] {
  return (field.match(/"[^"]+"|\[\]|[^.[\]"]+/g) ?? []).map((part) => part.replaceAll('"', ''))
}

/** `undefined` for a kind that is not acted on. `kind` is `apiVersion/kind`. */
export function assess(body: Raw, kind: string, namespace: string, allow: Allowance): Assessment | undefined {
  const tree = trees.get(kind)
  if (tree === undefined) return undefined
  const found: Found = { unenforced: [], refusals: [], path: [], namespace, allow }
  walkMap(body, tree, found)
  return { unenforced: found.unenforced, refusals: found.refusals }
}

interface Found {
  readonly unenforced: string[]
  readonly refusals: Refusal[]
  readonly path: (string | number)[]
  readonly namespace: string
  readonly allow: Allowance
}

function walkMap(map: Raw, branch: Branch, found: Found): void {
  for (const key of Object.keys(map)) {
    const value = map[key]
    if (value === null || value === undefined || isEmpty(value)) continue
    found.path.push(key)
    const next = branch.children.get(key) ?? branch.children.get('*')
    if (next !== undefined) walk(value, next, found)
    else if (branch.rows.length === 0) found.unenforced.push(`${pathText(found.path)}: has no effect in this version`)
    found.path.pop()
  }
}

function walk(value: unknown, branch: Branch, found: Found): void {
  for (const row of branch.rows) judge(value, row, found)
  if (branch.children.size === 0) return
  if (isMap(value)) walkMap(value, branch, found)
  const items = branch.children.get('[]')
  if (items === undefined || !Array.isArray(value)) return
  for (const [index, item] of value.entries()) {
    found.path.push(index)
    walk(item, items, found)
    found.path.pop()
  }
}

/** An empty list or map asks for nothing. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0 && Array.isArray(value)
}

function judge(value: unknown, { support, when }: SupportRow, found: Found): void {
  if (support.level === 'honoured' || (when !== undefined && !when(value))) return
  const path = [...found.path]
  if (support.level === 'unenforced') found.unenforced.push(`${pathText(path)}: ${support.why}`)
  else if (support.level === 'refused') found.refusals.push({ path, code: 'UnsupportedField', why: support.why })
  else if (!isAllowed(support.policy, found.namespace, found.allow)) {
    const why = `policy baseline refuses ${support.policy}; only the operator's configuration can allow it (allow ${support.policy} in namespace ${found.namespace})`
    found.refusals.push({ path, code: 'PolicyViolation', why })
  } else if (support.allowed === 'refused') {
    found.refusals.push({ path, code: 'UnsupportedField', why: `${support.policy} is allowed here, but not run by this version` })
  }
}
