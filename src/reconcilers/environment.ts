/** The environment of a container: envFrom, env, `$(VAR)` expansion and the downward API. */
import { ownOf } from '../model/raw.ts'
import type { Container, EnvSource, EnvVar } from '../model/types/pod.ts'
import { containerResource, type PodFacts, podField } from './downward.ts'
import type { BoundConfig } from './memory.ts'
import type { EnvEntry, Text } from './plan.ts'

/**
 * Resolves a container's environment in Kubernetes' order: envFrom first, then env, later names win. Missing optional
 * references leave the variable out.
 *
 * @param linked what the container is told of Services, which its variables can be written with
 */
export function resolveEnvironment(
  container: Container,
  pod: PodFacts,
  config: BoundConfig,
  linked: ReadonlyMap<string, Text>,
): EnvEntry[] {
  const values = new Map<string, Text>()
  for (const source of container.envFrom) {
    if (source.configMapRef)
      for (const [key, value] of Object.entries(ownOf(config.configMaps, source.configMapRef.name)?.data ?? {}))
        values.set(source.prefix + key, value)
    if (source.secretRef) {
      const { name } = source.secretRef
      for (const [key, digest] of Object.entries(ownOf(config.secrets, name)?.data ?? {}))
        values.set(source.prefix + key, secretText(pod.namespace, name, key, digest))
    }
  }
  const known = new Map([...linked, ...values])
  for (const variable of container.env) {
    const value = resolveVariable(variable, container, known, pod, config)
    if (value === undefined) continue
    values.set(variable.name, value)
    known.set(variable.name, value)
  }
  return [...values].map(([name, value]) => ({ name, value }))
}

/** Whether anything in a container is written with `$(NAME)`. */
export function usesVariables({ env, command, args, volumeMounts }: Container): boolean {
  const written = env.map((variable) => ('value' in variable ? variable.value : ''))
  const paths = volumeMounts.map(({ subPathExpr }) => subPathExpr ?? '')
  return [...written, ...command, ...args, ...paths].some((text) => text.includes('$('))
}

/** Linux starts no program with a longer variable or argument: characters, and secret values not yet known. */
const longestText = 131_072

/**
 * Replaces `$(NAME)` by its value and `$$` by `$`; an unknown name stays as it is written, and so does one whose value
 * would make the text longer than Linux takes. Twenty variables that each name the last one twice are a million values.
 * @see Kubernetes third_party/forked/golang/expansion
 */
export function expand(text: string, values: ReadonlyMap<string, Text>): Text {
  const parts: (string | Exclude<Text, string>['parts'][number])[] = []
  let last = 0
  let room = longestText - text.length
  for (const match of text.matchAll(/\$(?:\$|\(([^)]*)\))/g)) {
    parts.push(text.slice(last, match.index))
    last = match.index + match[0].length
    if (match[1] === undefined) parts.push('$')
    else {
      const value = values.get(match[1])
      if (value !== undefined) room -= sizeOf(value)
      if (value === undefined || room < 0) parts.push(match[0])
      else if (typeof value === 'string') parts.push(value)
      else parts.push(...value.parts)
    }
  }
  parts.push(text.slice(last))
  return joinParts(parts)
}

function sizeOf(text: Text): number {
  if (typeof text === 'string') return text.length
  return text.parts.reduce((sum, part) => sum + (typeof part === 'string' ? part.length : 1), 0)
}

export function environmentOf(entries: readonly EnvEntry[]): Map<string, Text> {
  return new Map(entries.map(({ name, value }) => [name, value]))
}

function joinParts(parts: readonly Exclude<Text, string>['parts'][number][]): Text {
  if (parts.every((part) => typeof part === 'string')) return parts.join('')
  return { parts: parts.filter((part) => part !== '') }
}

function resolveVariable(
  variable: EnvVar,
  container: Container,
  known: ReadonlyMap<string, Text>,
  pod: PodFacts,
  config: BoundConfig,
): Text | undefined {
  if ('value' in variable) return expand(variable.value, known)
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef }: EnvSource = variable.valueFrom
  if (configMapKeyRef) return ownOf(ownOf(config.configMaps, configMapKeyRef.name)?.data, configMapKeyRef.key)
  if (secretKeyRef) {
    const digest = ownOf(ownOf(config.secrets, secretKeyRef.name)?.data, secretKeyRef.key)
    return digest === undefined ? undefined : secretText(pod.namespace, secretKeyRef.name, secretKeyRef.key, digest)
  }
  if (fieldRef) return podField(fieldRef.fieldPath, pod)
  if (resourceFieldRef === undefined) return undefined
  const { containers, initContainers } = pod.template.spec
  const { containerName = container.name } = resourceFieldRef
  const named = [...initContainers, ...containers].find(({ name }) => name === containerName)
  return named === undefined ? undefined : containerResource(resourceFieldRef, named, pod)
}

function secretText(namespace: string, name: string, key: string, digest: string): Text {
  return { parts: [{ namespace, name, key, digest }] }
}
