/** Secret values that cannot be environment variables anywhere, made so that they can. */
import { type Document, keyOf, listAt, mapAt, namespaceOf, templateOf, textAt } from './manifests.ts'
import { replaceAt } from './stubbed.ts'

/** Keys whose value was replaced, as `Secret/namespace/name key`, and the documents with the replacements. */
export interface Readable {
  readonly documents: readonly Document[]
  readonly replaced: readonly string[]
}

/**
 * Gives text to keys of Secrets that a container reads as an environment variable and whose bytes are not UTF-8: a
 * value that was written without base64, mostly. Kubernetes from 1.34 on refuses such a container as well.
 */
export function readableSecrets(documents: readonly Document[]): Readable {
  const read = new Set(documents.flatMap(keysRead))
  const replaced: string[] = []
  const readable = documents.map((document) => {
    if (textAt(document, 'kind') !== 'Secret') return document
    const bad = Object.keys(mapAt(document, 'data')).filter((key) => {
      const id = `${keyOf(document)} ${key}`
      return read.has(id) && !isText(Buffer.from(textAt(document, 'data', key), 'base64'))
    })
    replaced.push(...bad.map((key) => `${keyOf(document)} ${key}`))
    return bad.reduce((inner, key) => replaceAt(inner, ['data', key], Buffer.from('stand-in').toString('base64')), document)
  })
  return { documents: readable, replaced }
}

function keysRead(document: Document): string[] {
  const spec = mapAt(templateOf(document), 'spec')
  return [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]
    .flatMap((container) => listAt(container, 'env'))
    .map((variable) => mapAt(variable, 'valueFrom', 'secretKeyRef'))
    .map((reference) => `Secret/${namespaceOf(document)}/${textAt(reference, 'name')} ${textAt(reference, 'key')}`)
}

function isText(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)
}
