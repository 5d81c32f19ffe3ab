/**
 * A document against the schema: unknown fields, missing fields, wrong types, unknown values, repeated list keys.
 *
 * Our own walker rather than a JSON Schema validator: one walk finds all of that and names the expected type and the
 * nearest spelling, where a general validator needs a compiled function per kind and reports alternatives one by one.
 */
import { enums } from './enums.ts'
import { nearest } from './nearest.ts'
import { parseQuantity } from './quantity.ts'
import { field, isMap, type Raw } from './raw.ts'
import { type Report, valueText } from './report.ts'
import { type BuiltinKind, type FieldType, type ObjectType, objectType, type ScalarName } from './schema.ts'
import { isBase64 } from './syntax.ts'

/** Reports what of `body` the schema of its kind does not allow. Values of Secrets are never named in a message. */
export function checkShape(body: Raw, kind: BuiltinKind, report: Report): void {
  const walk: Walk = { path: [], report, secret: kind.kind === 'Secret' && kind.apiVersion === 'v1' }
  checkObject(body, objectType(kind.typeName), walk)
}

interface Walk {
  /** changed in place while walking */
  readonly path: (string | number)[]
  readonly report: Report
  readonly secret: boolean
}

function checkObject(map: Raw, type: ObjectType, walk: Walk): void {
  for (const key of Object.keys(map)) {
    const value = map[key]
    walk.path.push(key)
    const expected = type.fields.get(key)
    if (expected === undefined) reportUnknown(key, type, walk)
    else if (value !== null && value !== undefined) checkField(value, expected, walk, `${type.name}.${key}`)
    walk.path.pop()
  }
  for (const key of type.required) {
    if (field(map, key) !== undefined) continue
    walk.path.push(key)
    walk.report(walk.path, 'MissingField', `required field ${key} is missing`)
    walk.path.pop()
  }
}

function reportUnknown(key: string, type: ObjectType, walk: Walk): void {
  walk.report(walk.path, 'UnknownField', `unknown field ${JSON.stringify(key)}`, {
    suggestion: () => nearest(key, type.fields.keys()),
  })
}

function checkField(value: unknown, type: FieldType, walk: Walk, owner: string): void {
  if (type.shape === 'scalar') checkScalar(value, type.name, walk, owner)
  else if (type.shape === 'list') {
    if (Array.isArray(value)) checkItems(value, type, walk, owner)
    else reportType('a list', value, walk)
  } else if (!isMap(value)) reportType('a map', value, walk)
  else if (type.shape === 'object') checkObject(value, type.type, walk)
  else checkValues(value, type.values, walk)
}

function checkValues(map: Raw, type: FieldType, walk: Walk): void {
  for (const key of Object.keys(map)) {
    const value = map[key]
    if (value === null || value === undefined) continue
    walk.path.push(key)
    checkField(value, type, walk, '')
    walk.path.pop()
  }
}

function checkItems(list: readonly unknown[], type: FieldType & { shape: 'list' }, walk: Walk, owner: string): void {
  for (const [index, item] of list.entries()) {
    walk.path.push(index)
    if (item === null) reportType('a value', item, walk)
    else checkField(item, type.items, walk, owner)
    walk.path.pop()
  }
  if (type.keys.length > 0 && list.length > 1) checkKeys(list, type.keys, walk, owner)
}

/** Kubernetes accepts a variable twice, and the last one counts; a port twice says nothing new. */
const repeatable: ReadonlySet<string> = new Set([
  'V1Container.env',
  'V1EphemeralContainer.env',
  'V1Container.ports',
  'V1EphemeralContainer.ports',
])

function checkKeys(list: readonly unknown[], keys: readonly string[], walk: Walk, owner: string): void {
  const seen = new Map<string, number>()
  for (const [index, item] of list.entries()) {
    if (!isMap(item)) continue
    const identity = itemKey(item, keys)
    const earlier = seen.get(identity)
    seen.set(identity, index)
    if (earlier === undefined) continue
    walk.path.push(index)
    const what = `${keys.join(' and ')} ${identity} is already used by item ${earlier} of this list`
    if (repeatable.has(owner)) walk.report(walk.path, 'RepeatedItem', `${what}; the last one counts`, { severity: 'notice' })
    else walk.report(walk.path, 'DuplicateItem', what)
    walk.path.pop()
  }
}

/** The text of an item's merge key; a protocol that is left out is TCP. */
export function itemKey(item: Raw, keys: readonly string[]): string {
  return keys.map((key) => keyPart(item, key)).join('/')
}

function keyPart(item: Raw, key: string): string {
  let value: unknown = item
  for (const part of key.split('.')) value = isMap(value) ? field(value, part) : undefined
  return value === undefined
    ? key === 'protocol'
      ? 'TCP'
      : ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)
}

interface Scalar {
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  /** the value as it was probably meant */
  readonly hint?: (value: unknown) => string | undefined
  /** what remains to check of a value of the right type */
  readonly check?: (value: unknown, walk: Walk, owner: string) => void
}

const whole: Scalar = { expected: 'a whole number', accepts: Number.isInteger, hint: (value) => unquoted(value, /^-?\d+$/) }

const scalars: Readonly<Record<ScalarName, Scalar>> = {
  any: { expected: 'anything', accepts: () => true },
  string: { expected: 'a text', accepts: (value) => typeof value === 'string', hint: quoted, check: checkEnum },
  bool: {
    expected: 'true or false',
    accepts: (value) => typeof value === 'boolean',
    hint: (value) => unquoted(value, /^(true|false)$/),
  },
  int32: { ...whole, check: checkRange },
  int64: { ...whole, check: checkLongRange },
  number: {
    expected: 'a number',
    accepts: (value) => typeof value === 'number',
    hint: (value) => unquoted(value, /^\d+(\.\d+)?$/),
  },
  intOrString: { expected: 'a whole number or a text', accepts: (value) => Number.isInteger(value) || typeof value === 'string' },
  quantity: {
    expected: 'a quantity such as 500m or 64Mi',
    accepts: (value) => typeof value === 'string' || typeof value === 'number',
    check: checkQuantity,
  },
  time: { expected: 'a time (RFC 3339)', accepts: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)) },
  bytes: { expected: 'a text in base64', accepts: (value) => typeof value === 'string', check: checkBytes },
}

function checkScalar(value: unknown, name: ScalarName, walk: Walk, owner: string): void {
  const scalar = scalars[name]
  if (!scalar.accepts(value)) reportType(scalar.expected, value, walk, scalar.hint?.(value))
  else scalar.check?.(value, walk, owner)
}

function checkEnum(value: unknown, walk: Walk, owner: string): void {
  const allowed = enums[owner]
  if (allowed === undefined || allowed.includes(value as string)) return
  const choices = allowed.filter((choice) => choice !== '').join(', ')
  walk.report(walk.path, 'UnknownValue', `unknown value ${JSON.stringify(value)}: expected one of ${choices}`, {
    suggestion: () => nearest(value as string, allowed),
  })
}

function checkRange(value: unknown, walk: Walk): void {
  if (Math.abs(value as number) > 2 ** 31 - 1) walk.report(walk.path, 'OutOfRange', `${value} does not fit a 32-bit integer`)
}

function checkLongRange(value: unknown, walk: Walk): void {
  if (Math.abs(value as number) >= 2 ** 63) walk.report(walk.path, 'OutOfRange', `${value} does not fit a 64-bit integer`)
}

function checkQuantity(value: unknown, walk: Walk): void {
  try {
    parseQuantity(value as string | number)
  } catch (error) {
    walk.report(walk.path, 'BadQuantity', (error as Error).message, { suggestion: quantitySuggestion(String(value)) })
  }
}

/** The usual slips: `MB` and `GB`, `mb`, `Mib`, `GiB`, and a space before the suffix. */
function quantitySuggestion(text: string): string | undefined {
  const parts = /^\s*([\d.]+)\s*([kKmMgGtT])([iI]?)[bB]?\s*$/.exec(text)
  if (parts === null) return undefined
  const [, amount = '', letter = '', binary = ''] = parts
  const upper = letter.toUpperCase()
  return `${amount}${binary === '' && upper === 'K' ? 'k' : upper}${binary === '' ? '' : 'i'}`
}

function checkBytes(value: unknown, walk: Walk): void {
  if (isBase64(value as string)) return
  const remedy = walk.secret ? 'stringData' : 'data'
  walk.report(walk.path, 'BadBase64', `the value is not base64; plain text belongs in ${remedy}`)
}

function reportType(expected: string, value: unknown, walk: Walk, suggestion?: string): void {
  const hidden = walk.secret && /^(data|stringData)$/.test(String(walk.path[0]))
  const found = hidden && typeof value !== 'object' ? `a ${typeof value}` : valueText(value)
  walk.report(walk.path, 'WrongType', `expected ${expected}, found ${found}`, { suggestion: hidden ? undefined : suggestion })
}

function quoted(value: unknown): string | undefined {
  return typeof value === 'object' ? undefined : JSON.stringify(String(value))
}

function unquoted(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined
}
