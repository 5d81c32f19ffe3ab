/** ConfigMaps and Secrets: keys that can be file names, and no more than fits. */
import { mapAt, type Raw, textAt, textMapAt } from '../raw.ts'
import type { Report } from '../report.ts'
import { isConfigKey } from '../syntax.ts'

const maxBytes = 1024 * 1024

/** Keys that Kubernetes asks for by the type of a Secret. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
}

export function checkConfigMap(body: Raw, report: Report): void {
  checkKeys(body, ['data', 'binaryData'], report)
  const binary = mapAt(body, 'binaryData')
  for (const key of Object.keys(mapAt(body, 'data'))) {
    if (Object.hasOwn(binary, key)) report(['binaryData', key], 'DuplicateItem', `key ${key} is in data and in binaryData`)
  }
}

/** No message ever holds a value. */
export function checkSecret(body: Raw, report: Report): void {
  checkKeys(body, ['data', 'stringData'], report)
  const keys = new Set([...Object.keys(mapAt(body, 'data')), ...Object.keys(mapAt(body, 'stringData'))])
  const type = textAt(body, 'type') ?? ''
  for (const key of requiredKeys[type] ?? []) {
    if (!keys.has(key)) report(['data', key], 'MissingField', `a Secret of type ${type} needs the key ${key}`)
  }
}

function checkKeys(body: Raw, maps: readonly string[], report: Report): void {
  let size = 0
  for (const map of maps) {
    for (const [key, value] of Object.entries(textMapAt(body, map))) {
      size += value.length
      if (!isConfigKey(key)) {
        report([map, key], 'BadName', `${JSON.stringify(key)} is not a valid key: expected letters, digits, -, _ and .`)
      }
    }
  }
  if (size > maxBytes) report([maps[0] ?? ''], 'TooLarge', `the values are ${size} bytes, more than ${maxBytes}`)
}
