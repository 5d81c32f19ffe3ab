/** Manifests to objects: the whole of a rendered revision, checked, judged and in canonical form. */

import { apiOf } from './apis.ts'
import { assess } from './assess.ts'
import { canonicalText } from './canonical.ts'
import { type CanonicalContext, canonicalize } from './canonicalize.ts'
import { checkDocument } from './checks/document.ts'
import { pathText } from './path.ts'
import type { Allowance } from './policy.ts'
import { isMap, mapAt, type Raw, textAt } from './raw.ts'
import { type Finding, reporter } from './report.ts'
import type { BuiltinKind } from './schema.ts'
import { dataKinds, unrunKinds } from './support.ts'
import {
  type DocumentVerdict,
  keyOf,
  type Loaded,
  type LoadedObject,
  type Manifest,
  type ObjectKey,
  type Problem,
} from './types.ts'

export interface LoadOptions {
  readonly revision: string
  /** for objects that name no namespace; `default` unless told */
  readonly defaultNamespace?: string
  /** keyed digest of a Secret's value */
  readonly digest: (bytes: Uint8Array) => string
  /** takes each Secret value under its digest; nothing that is returned holds one */
  readonly vault: (digest: string, bytes: Uint8Array) => void
  /** what the operator allows beyond the baseline policy, by namespace */
  readonly allow?: Allowance
  /** files that the render could not read */
  readonly brokenFiles?: Iterable<string>
  /** what the render has to say */
  readonly extraProblems?: readonly Problem[]
}

/** One manifest on its way; an object only if nothing speaks against it. */
interface Judged {
  readonly manifest: Manifest
  readonly findings: readonly Finding[]
  /** codes that say «not by this version» rather than «wrong» leave the file whole */
  readonly object?: LoadedObject
  readonly reasons: readonly string[]
}

/**
 * Checks every manifest and returns the objects of those that can be acted on or kept as data. A problem in one never
 * stops another. Pure but for `vault`; objects come sorted by key, problems by file and line.
 *
 * Of two different documents for one object neither is taken, so that what runs stays as it is.
 */
export function loadManifests(manifests: readonly Manifest[], options: LoadOptions): Loaded {
  const context: CanonicalContext = {
    defaultNamespace: options.defaultNamespace ?? 'default',
    digest: options.digest,
    vault: options.vault,
  }
  const judged = withoutDuplicates(manifests.map((manifest) => judge(manifest, context, options.allow ?? {})))
  return {
    revision: options.revision,
    objects: objectsOf(judged),
    problems: sortedProblems([...(options.extraProblems ?? []), ...judged.flatMap(problemsOf)]),
    verdicts: judged.map((document) => verdictOf(document, context.defaultNamespace)),
    brokenFiles: new Set([...(options.brokenFiles ?? []), ...judged.flatMap(brokenFileOf)]),
  }
}

function judge(manifest: Manifest, context: CanonicalContext, allow: Allowance): Judged {
  const { report, findings } = reporter()
  const { body } = manifest
  if (!isMap(body)) {
    report([], 'NotAnObject', 'expected a map with apiVersion, kind and metadata')
    return { manifest, findings, reasons: [] }
  }
  const kind = checkDocument(body, report)
  const namespace = textAt(mapAt(body, 'metadata'), 'namespace') || context.defaultNamespace
  const unenforced = kind === 'unknown' ? [] : limits(body, kind, namespace, allow, report)
  if (findings.some(isError)) return { manifest, findings, reasons: unenforced }
  return {
    manifest,
    findings,
    reasons: unenforced,
    object: { object: canonicalize(body, context), origin: manifest.origin, unenforced },
  }
}

/** Reports what this version refuses, and returns what it accepts without effect. */
function limits(
  body: Raw,
  kind: BuiltinKind | 'custom',
  namespace: string,
  allow: Allowance,
  report: ReturnType<typeof reporter>['report'],
): readonly string[] {
  if (kind === 'custom') return ['custom resource kept as data']
  const key = `${kind.apiVersion}/${kind.kind}`
  if (unrunKinds.has(key)) {
    report(['kind'], 'UnsupportedKind', `kind ${kind.kind} is not run by this version`)
    return []
  }
  const assessment = assess(body, key, namespace, allow)
  if (assessment === undefined) return [`accepted, not enforced: ${dataKinds[key] ?? `${kind.kind} is kept as data`}`]
  for (const { path, code, why } of assessment.refusals) report(path, code, why)
  return assessment.unenforced
}

function isError(finding: { readonly severity?: 'error' | 'notice' }): boolean {
  return finding.severity !== 'notice'
}

function withoutDuplicates(documents: readonly Judged[]): readonly Judged[] {
  const byKey = Map.groupBy(
    documents.filter((document) => document.object !== undefined),
    (document) => keyOf(document.object!.object),
  )
  const replaced = new Map<Judged, Judged>()
  for (const [key, same] of byKey) {
    const [first, ...others] = same
    if (first === undefined || others.length === 0) continue
    const text = canonicalText(first.object?.object)
    const alike = others.every((document) => canonicalText(document.object?.object) === text)
    for (const document of alike ? others : same) {
      replaced.set(document, duplicate(document, key, document === first ? others[0]! : first, alike))
    }
  }
  return documents.map((document) => replaced.get(document) ?? document)
}

function duplicate(document: Judged, key: ObjectKey, twin: Judged, alike: boolean): Judged {
  const { file, line } = twin.manifest.origin
  const where = `${key} is also declared in ${file}:${line}`
  const finding: Finding = alike
    ? { path: [], code: 'DuplicateObject', message: `${where}, with the same content`, severity: 'notice' }
    : { path: [], code: 'DuplicateObject', message: `${where}, with other content; neither is applied` }
  const { object, ...rest } = document
  return { ...rest, findings: [...document.findings, finding], ...(alike && object !== undefined ? { object } : {}) }
}

function objectsOf(documents: readonly Judged[]): ReadonlyMap<ObjectKey, LoadedObject> {
  const objects = new Map<ObjectKey, LoadedObject>()
  for (const { object } of documents) {
    if (object !== undefined && !objects.has(keyOf(object.object))) objects.set(keyOf(object.object), object)
  }
  return new Map([...objects].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function problemsOf({ manifest, findings }: Judged): readonly Problem[] {
  const { origin, lineOf } = manifest
  return findings.map(({ path, ...finding }) => ({
    file: origin.file,
    line: lineOf?.(path) ?? origin.line,
    field: pathText(path),
    ...finding,
  }))
}

function sortedProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

function verdictOf({ manifest, findings, reasons }: Judged, defaultNamespace: string): DocumentVerdict {
  const body = isMap(manifest.body) ? manifest.body : {}
  const metadata = mapAt(body, 'metadata')
  const kind = textAt(body, 'kind') ?? ''
  const api = apiOf(textAt(body, 'apiVersion') ?? '', kind)
  const namespaced = api.type === 'builtin' && api.kind.namespaced
  const errors = findings.filter(isError).map(reasonText)
  return {
    file: manifest.origin.file,
    line: manifest.origin.line,
    kind,
    namespace: textAt(metadata, 'namespace') || (namespaced ? defaultNamespace : ''),
    name: textAt(metadata, 'name') ?? '',
    verdict: errors.length > 0 ? 'refused' : reasons.length > 0 ? 'partly' : 'honoured',
    reasons: [...errors, ...reasons],
  }
}

function reasonText({ path, message, suggestion }: Finding): string {
  const hint = suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`
  return path.length === 0 ? `${message}${hint}` : `${pathText(path)}: ${message}${hint}`
}

/** A kind that is never run leaves nothing behind that could be pruned, so its file counts as whole. */
function brokenFileOf({ manifest, findings }: Judged): readonly string[] {
  return findings.some((finding) => isError(finding) && finding.code !== 'UnsupportedKind') ? [manifest.origin.file] : []
}
