/** Manifests and loads for tests of the model. */
import { createHash } from 'node:crypto'
import { type LoadOptions, loadManifests } from '../../src/model/load.ts'
import type { Loaded, Manifest, Problem } from '../../src/model/types/loaded.ts'
import { manifestsOf } from '../../src/render/plain.ts'
import { defaultLimits } from '../../src/render/types.ts'
import { parseYaml } from '../../src/render/yaml.ts'

export const plainDigest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 12)

export function manifestsIn(text: string, file = 'app.yaml'): readonly Manifest[] {
  return parseYaml(text, defaultLimits).documents.flatMap((document) => manifestsOf(document, file, 'r1'))
}

export function load(manifests: readonly Manifest[], options: Partial<LoadOptions> = {}): Loaded {
  return loadManifests(manifests, { revision: 'r1', digest: plainDigest, vault: () => undefined, ...options })
}

export function loadText(text: string, options: Partial<LoadOptions> = {}): Loaded {
  return load(manifestsIn(text), options)
}

/** `file:line field Code (→ suggestion)`, one problem a line. */
export function problemLines(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ file, line, field, code, suggestion, severity }) =>
    [`${file}:${line}`, field, severity === 'notice' ? `${code}!` : code, ...(suggestion === undefined ? [] : ['→', suggestion])]
      .filter((part) => part !== '')
      .join(' '),
  )
}

/** A small Deployment, with pieces of YAML put into it at their indentation. */
export function deployment({ spec = '', pod = '', container = '', image = 'web:1' } = {}): string {
  return [
    'apiVersion: apps/v1',
    'kind: Deployment',
    'metadata: {name: web}',
    'spec:',
    '  selector: {matchLabels: {app: web}}',
    indented(spec, 2),
    '  template:',
    '    metadata: {labels: {app: web}}',
    '    spec:',
    indented(pod, 6),
    '      containers:',
    `      - name: web`,
    `        image: ${image}`,
    indented(container, 8),
  ]
    .filter((line) => line !== '')
    .join('\n')
}

function indented(text: string, by: number): string {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ' '.repeat(by) + line)
    .join('\n')
}
