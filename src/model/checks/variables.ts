/** Secret values that variables ask for and that no variable can hold as they are: found only once all documents are known. */
import { isMap, mapAt, mapsAt, type Raw, textAt } from '../raw.ts'
import type { FieldPath } from '../types/meta.ts'

/** What keeps bytes from being a variable: a NUL ends it, and what is not UTF-8 cannot pass through an engine's API unchanged. */
export type Flaw = 'NUL' | 'bytes'

export function flawOf(bytes: Uint8Array): Flaw | undefined {
  if (bytes.includes(0)) return 'NUL'
  const text = Buffer.from(bytes).toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? undefined : 'bytes'
}

/** Keys whose values have a flaw, by `namespace/name` of their Secret. */
export type FlawedSecrets = ReadonlyMap<string, ReadonlyMap<string, Flaw>>

export interface FlawedUse {
  /** `namespace/name` */
  readonly secret: string
  readonly key: string
  readonly flaw: Flaw
  /** where a container asks for it */
  readonly path: FieldPath
}

/** Each variable of a document with pods that asks for such a value. */
export function flawedUses(body: Raw, namespace: string, secrets: FlawedSecrets): FlawedUse[] {
  return usesOf(body).flatMap(({ name, key, path }) => {
    const secret = `${namespace}/${name}`
    const flaws = [...(secrets.get(secret) ?? [])].filter(([flawed]) => key === undefined || key === flawed)
    return flaws.map(([flawed, flaw]) => ({ secret, key: flawed, flaw, path }))
  })
}

export function nulSentence({ secret, key }: FlawedUse): string {
  const name = secret.slice(secret.indexOf('/') + 1)
  return `key ${key} of Secret ${name} has a NUL in it, so it cannot be an environment variable; mount it as a file`
}

/** No message holds a value. */
export const bytesSentence =
  'is not UTF-8 text: as a file it arrives as it is, as a variable with U+FFFD in place of what is no text. ' +
  'If it was meant as written and is not base64, stringData takes it so'

interface Use {
  readonly name: string
  /** every key, unless there is one */
  readonly key?: string
  readonly path: FieldPath
}

function usesOf(body: Raw): Use[] {
  const { spec, at } = podSpecIn(body)
  return ['containers', 'initContainers'].flatMap((list) =>
    mapsAt(spec, list).flatMap((container, index) => usesIn(container, [...at, list, index])),
  )
}

function podSpecIn(body: Raw): { readonly spec: Raw; readonly at: FieldPath } {
  const spec = mapAt(body, 'spec')
  const inJob = mapAt(spec, 'jobTemplate', 'spec', 'template')
  if (isMap(inJob.spec)) return { spec: inJob.spec, at: ['spec', 'jobTemplate', 'spec', 'template', 'spec'] }
  return isMap(spec.template)
    ? { spec: mapAt(spec, 'template', 'spec'), at: ['spec', 'template', 'spec'] }
    : { spec, at: ['spec'] }
}

function usesIn(container: Raw, at: FieldPath): Use[] {
  const single = mapsAt(container, 'env').map((variable, index) => {
    const reference = mapAt(variable, 'valueFrom', 'secretKeyRef')
    const path = [...at, 'env', index, 'valueFrom', 'secretKeyRef', 'key']
    return { name: textAt(reference, 'name') ?? '', key: textAt(reference, 'key') ?? '', path }
  })
  const whole = mapsAt(container, 'envFrom').map((source, index) => {
    return { name: textAt(mapAt(source, 'secretRef'), 'name') ?? '', path: [...at, 'envFrom', index, 'secretRef'] }
  })
  return [...single, ...whole]
}
