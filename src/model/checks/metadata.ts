/** Names, labels and annotations of an object or a pod template. */
import { mapAt, type Raw, textAt, textMapAt } from '../raw.ts'
import type { Report } from '../report.ts'
import type { BuiltinKind } from '../schema.ts'
import { dnsSuggestion, isDnsLabel, isDnsSubdomain, isLabelKey, isLabelValue, isServiceName } from '../syntax.ts'
import type { FieldPath } from '../types/meta.ts'

/** All annotations of one object together, keys and values, in bytes. */
const maxAnnotationBytes = 256 * 1024

/** `kind` is absent for custom resources, whose names only have to be DNS subdomains. */
export function checkMetadata(body: Raw, kind: BuiltinKind | undefined, report: Report): void {
  const metadata = mapAt(body, 'metadata')
  checkName(metadata, kind, report)
  checkNamespace(metadata, kind, report)
  checkLabels(metadata, ['metadata'], report)
}

function checkName(metadata: Raw, kind: BuiltinKind | undefined, report: Report): void {
  const path = ['metadata', 'name']
  const name = textAt(metadata, 'name')
  if (name === undefined || name === '') {
    const generated = textAt(metadata, 'generateName') !== undefined
    const remedy = generated ? ': generateName gives another name at each apply, so that nothing could be compared' : ''
    report(path, 'MissingField', `required field name is missing${remedy}`)
    return
  }
  const rule = nameRule(kind)
  if (!rule.accepts(name)) {
    report(path, 'BadName', `${JSON.stringify(name)} is not a valid name: ${rule.says}`, {
      suggestion: dnsSuggestion(name, rule.longest),
    })
  }
}

interface NameRule {
  readonly accepts: (name: string) => boolean
  readonly says: string
  readonly longest: number
}

const subdomainRule: NameRule = {
  accepts: isDnsSubdomain,
  says: 'expected small letters, digits, - and ., beginning and ending with a letter or digit, at most 253',
  longest: 253,
}
const labelRule: NameRule = {
  accepts: isDnsLabel,
  says: 'expected small letters, digits and -, beginning and ending with a letter or digit, at most 63',
  longest: 63,
}
const serviceRule: NameRule = {
  accepts: isServiceName,
  says: 'expected small letters, digits and -, beginning with a letter, ending with a letter or digit, at most 63',
  longest: 63,
}
/** Names of roles and the like are path segments. */
const segmentRule: NameRule = {
  accepts: (name) => name !== '.' && name !== '..' && !/[/%]/.test(name),
  says: 'expected a name without / and %',
  longest: 253,
}

function nameRule(kind: BuiltinKind | undefined): NameRule {
  if (kind?.apiVersion === 'v1' && kind.kind === 'Namespace') return labelRule
  if (kind?.apiVersion === 'v1' && kind.kind === 'Service') return serviceRule
  if (kind?.apiVersion.startsWith('rbac.')) return segmentRule
  return subdomainRule
}

function checkNamespace(metadata: Raw, kind: BuiltinKind | undefined, report: Report): void {
  const namespace = textAt(metadata, 'namespace')
  if (namespace === undefined || namespace === '') return
  const path = ['metadata', 'namespace']
  if (kind?.namespaced === false) {
    report(path, 'NamespaceIgnored', `${kind.kind} belongs to no namespace; this field has no effect`, { severity: 'notice' })
  } else if (!isDnsLabel(namespace)) {
    report(path, 'BadName', `${JSON.stringify(namespace)} is not a valid namespace: ${labelRule.says}`, {
      suggestion: dnsSuggestion(namespace, 63),
    })
  }
}

/** `at` is the path of the metadata. */
export function checkLabels(metadata: Raw, at: FieldPath, report: Report): void {
  for (const [key, value] of Object.entries(textMapAt(metadata, 'labels'))) {
    checkLabelPair(key, value, [...at, 'labels', key], report)
  }
  let size = 0
  for (const [key, value] of Object.entries(textMapAt(metadata, 'annotations'))) {
    checkKey(key, 'annotation', [...at, 'annotations', key], report)
    size += key.length + value.length
  }
  if (size > maxAnnotationBytes)
    report([...at, 'annotations'], 'TooLarge', `annotations are ${size} bytes, more than ${maxAnnotationBytes}`)
}

export function checkLabelPair(key: string, value: string, path: FieldPath, report: Report): void {
  checkKey(key, 'label', path, report)
  if (isLabelValue(value)) return
  const says = 'expected at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit'
  report(path, 'BadLabel', `${JSON.stringify(value)} is not a valid label value: ${says}`)
}

function checkKey(key: string, what: string, path: FieldPath, report: Report): void {
  if (isLabelKey(key.toLowerCase())) return
  const says = 'expected an optional prefix/ and at most 63 letters, digits, -, _ and .'
  report(path, 'BadLabel', `${JSON.stringify(key)} is not a valid ${what} key: ${says}`)
}
