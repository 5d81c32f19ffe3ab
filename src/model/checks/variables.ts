/** Secret values that variables ask for and that no variable can hold: found only once all documents are known. */
import { isMap, mapAt, mapsAt, type Raw, textAt } from '../raw.ts'
import type { Report } from '../report.ts'
import type { FieldPath } from '../types.ts'

/** Keys whose values are not text, by `namespace/name` of their Secret. */
export type BinarySecrets = ReadonlyMap<string, ReadonlySet<string>>

/** Variables are strings that end at a NUL, so only UTF-8 text without one can pass. */
export function isVariableText(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString('utf8')
  return !text.includes('\0') && Buffer.from(text, 'utf8').equals(bytes)
}

/** Reports each variable of a document with pods that would have to hold such a value. No message holds a value. */
export function checkVariableValues(body: Raw, namespace: string, secrets: BinarySecrets, report: Report): void {
  const { spec, at } = podSpecIn(body)
  for (const list of ['containers', 'initContainers'])
    for (const [index, container] of mapsAt(spec, list).entries())
      checkContainer(container, [...at, list, index], (name) => secrets.get(`${namespace}/${name}`), report)
}

function podSpecIn(body: Raw): { readonly spec: Raw; readonly at: FieldPath } {
  const spec = mapAt(body, 'spec')
  const inJob = mapAt(spec, 'jobTemplate', 'spec', 'template')
  if (isMap(inJob.spec)) return { spec: inJob.spec, at: ['spec', 'jobTemplate', 'spec', 'template', 'spec'] }
  return isMap(spec.template)
    ? { spec: mapAt(spec, 'template', 'spec'), at: ['spec', 'template', 'spec'] }
    : { spec, at: ['spec'] }
}

function checkContainer(
  container: Raw,
  at: FieldPath,
  binaryOf: (secret: string) => ReadonlySet<string> | undefined,
  report: Report,
): void {
  for (const [index, variable] of mapsAt(container, 'env').entries()) {
    const reference = mapAt(variable, 'valueFrom', 'secretKeyRef')
    const [name = '', key = ''] = [textAt(reference, 'name'), textAt(reference, 'key')]
    if (binaryOf(name)?.has(key))
      report([...at, 'env', index, 'valueFrom', 'secretKeyRef', 'key'], 'NotText', sentence(name, key))
  }
  for (const [index, source] of mapsAt(container, 'envFrom').entries()) {
    const name = textAt(mapAt(source, 'secretRef'), 'name') ?? ''
    for (const key of binaryOf(name) ?? []) report([...at, 'envFrom', index, 'secretRef'], 'NotText', sentence(name, key))
  }
}

function sentence(name: string, key: string): string {
  return `key ${key} of Secret ${name} is not UTF-8 text, so it cannot be an environment variable; mount it as a file`
}
