/** Manifests to objects: the whole of a rendered revision, checked, judged and in canonical form. */

import { admit, namespaceRules } from './admission.ts'
import { assess } from './assess.ts'
import { canonicalText } from './canonical.ts'
import { type CanonicalContext, canonicalize } from './canonicalize.ts'
import { checkDocument } from './checks/document.ts'
import { bytesSentence, type Flaw, type FlawedSecrets, flawedUses, flawOf, nulSentence } from './checks/variables.ts'
import { modernized, reportOld } from './oldapis.ts'
import { pathText } from './path.ts'
import type { Allowance } from './policy.ts'
import { isMap, mapAt, type Raw, textAt } from './raw.ts'
import { type Finding, maxFindings, reporter } from './report.ts'
import { type BuiltinKind, builtinKind } from './schema.ts'
import { dataKinds } from './support.ts'
import type { DocumentVerdict, Loaded, LoadedObject, Manifest, Problem } from './types/loaded.ts'
import { keyOf, type ObjectKey } from './types/meta.ts'
import type { Secret } from './types/object.ts'

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

/** Findings of all documents together, after which each further document says only the first of its own. */
const maxFindingsInAll = 10_000

/** One manifest on its way; an object only if nothing speaks against it. */
interface Judged {
  readonly manifest: Manifest
  readonly findings: readonly Finding[]
  readonly object?: LoadedObject | undefined
  /** of `object` */
  readonly key?: ObjectKey | undefined
  /** what is wrong with a Secret's values as variables, by digest */
  readonly flaws: ReadonlyMap<string, Flaw>
  /** what has no effect */
  readonly reasons: readonly string[]
  readonly verdict: DocumentVerdict
}

/**
 * Checks every manifest and returns the objects of those that can be acted on or kept as data. A problem in one never
 * stops another. Pure but for `vault`; objects come sorted by key, problems by file and line.
 *
 * Of two different documents for one object neither is taken, so that what runs stays as it is.
 */
export function loadManifests(manifests: readonly Manifest[], options: LoadOptions): Loaded {
  return loadWith(manifests, options, new Map(), judge)
}

/**
 * Loads like `loadManifests`, and does not check a body again that it has checked before under the same options. A
 * body is known by its identity, as the renderer keeps it from revision to revision where a file stays the same.
 */
export function createLoader(): typeof loadManifests {
  let known = new WeakMap<object, Judged & { readonly sealed: Sealed }>()
  let last: ReadonlyMap<ObjectKey, LoadedObject> = new Map()
  let under = ''
  let digest: LoadOptions['digest'] | undefined
  return (manifests, options) => {
    const rules = canonicalText({ namespace: options.defaultNamespace, allow: options.allow })
    if (rules !== under || options.digest !== digest) known = new WeakMap()
    under = rules
    digest = options.digest
    const loaded = loadWith(manifests, options, last, (manifest, context, allow, most) => {
      const { body } = manifest
      if (!isMap(body)) return judge(manifest, context, allow, most)
      const earlier = known.get(body)
      if (earlier !== undefined) return movedTo(earlier, manifest, context)
      const judged = keepObject(judgeSealing(manifest, context, allow, most), last)
      known.set(body, judged)
      return judged
    })
    last = loaded.objects
    return loaded
  }
}

/** An object that says the same as before stays the same value, though its file was edited: nobody has to look at it again. */
function keepObject<T extends Judged>(judged: T, last: ReadonlyMap<ObjectKey, LoadedObject>): T {
  const before = judged.key === undefined ? undefined : last.get(judged.key)
  if (judged.object === undefined || before === undefined) return judged
  if (canonicalText(before.object) !== canonicalText(judged.object.object)) return judged
  return { ...judged, object: { ...judged.object, object: before.object } }
}

type Sealed = readonly (readonly [digest: string, bytes: Uint8Array])[]

/** Judges, and keeps what the vault was told meanwhile. */
function judgeSealing(
  manifest: Manifest,
  context: CanonicalContext,
  allow: Allowance,
  most: number,
): Judged & { readonly sealed: Sealed } {
  const sealed: [string, Uint8Array][] = []
  const vault: CanonicalContext['vault'] = (digest, bytes) => {
    sealed.push([digest, bytes])
    context.vault(digest, bytes)
  }
  return { ...judge(manifest, { ...context, vault }, allow, most), sealed }
}

/** The same verdict for the same body, at its place in the new revision. The vault has to hear of every Secret each time. */
function movedTo(earlier: Judged & { readonly sealed: Sealed }, manifest: Manifest, { vault }: CanonicalContext): Judged {
  const { findings, key, flaws, reasons, verdict, object, sealed } = earlier
  const { file, line } = manifest.origin
  for (const [digest, bytes] of sealed) vault(digest, bytes)
  return {
    // Its body as it was judged: one of an old API version was read as the current one.
    manifest: { ...manifest, body: earlier.manifest.body },
    findings,
    key,
    flaws,
    reasons,
    verdict: verdict.file === file && verdict.line === line ? verdict : { ...verdict, file, line },
    object: object && { object: object.object, origin: manifest.origin, unenforced: object.unenforced },
  }
}

function loadWith(
  manifests: readonly Manifest[],
  options: LoadOptions,
  last: ReadonlyMap<ObjectKey, LoadedObject>,
  judgeOne: typeof judge,
): Loaded {
  const context: CanonicalContext = {
    defaultNamespace: options.defaultNamespace ?? 'default',
    digest: options.digest,
    vault: options.vault,
  }
  let room = maxFindingsInAll
  const all = manifests.map((manifest) => {
    const one = judgeOne(manifest, context, options.allow ?? {}, room > 0 ? maxFindings : 1)
    room -= one.findings.length
    return one
  })
  const judged = admitted(withVariables(withoutDuplicates(all, context), context), context)
  return {
    revision: options.revision,
    objects: objectsOf(judged, last),
    problems: sortedProblems([...(options.extraProblems ?? []), ...judged.flatMap(problemsOf)]),
    verdicts: judged.map(({ verdict }) => verdict),
    brokenFiles: new Set([...(options.brokenFiles ?? []), ...judged.flatMap(brokenFileOf)]),
  }
}

/** @param most findings that are kept of it */
function judge(given: Manifest, context: CanonicalContext, allow: Allowance, most: number): Judged {
  const { report, findings } = reporter(most)
  const modern = isMap(given.body) ? modernized(given.body) : undefined
  const body = modern?.body ?? given.body
  const manifest = modern === undefined ? given : { ...given, body }
  if (!isMap(body)) {
    report([], 'NotAnObject', 'expected a map with apiVersion, kind and metadata')
    return withoutObject(manifest, findings, [], context)
  }
  if (modern !== undefined) reportOld(modern, report)
  const kind = checkDocument(body, report)
  const namespace = textAt(mapAt(body, 'metadata'), 'namespace') || context.defaultNamespace
  const reasons = kind === 'unknown' ? [] : limits(body, kind, namespace, allow, report)
  const judged = withoutObject(manifest, findings, reasons, context)
  if (findings.some(isError)) return judged
  const flaws = new Map<string, Flaw>()
  const vault: CanonicalContext['vault'] = (digest, bytes) => {
    const flaw = flawOf(bytes)
    if (flaw !== undefined) flaws.set(digest, flaw)
    context.vault(digest, bytes)
  }
  const object = canonicalize(body, { ...context, vault })
  return { ...judged, flaws, key: keyOf(object), object: { object, origin: manifest.origin, unenforced: reasons } }
}

/** What is said of a document, as long as nothing is made of it. */
function withoutObject(
  manifest: Manifest,
  findings: readonly Finding[],
  reasons: readonly string[],
  context: CanonicalContext,
): Judged {
  return { manifest, findings, flaws: NONE, reasons, verdict: verdictOf(manifest, findings, reasons, context) }
}

const NONE: ReadonlyMap<string, Flaw> = new Map()

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
  const assessment = assess(body, key, kind.kind === 'PersistentVolume' ? claimNamespace(body) : namespace, allow)
  if (assessment === undefined) return [`accepted, not enforced: ${dataKinds[key] ?? `${kind.kind} is kept as data`}`]
  for (const { path, code, why } of assessment.refusals) report(path, code, why)
  return assessment.unenforced
}

/** Whoever a PersistentVolume is for needs what the operator allows: where it is for nobody in particular, everybody. */
function claimNamespace(body: Raw): string {
  return textAt(mapAt(body, 'spec', 'claimRef'), 'namespace') || '*'
}

function isError(finding: { readonly severity?: 'error' | 'notice' }): boolean {
  return finding.severity !== 'notice'
}

function withoutDuplicates(documents: readonly Judged[], context: CanonicalContext): readonly Judged[] {
  const first = new Map<ObjectKey, Judged>()
  const repeated = new Map<ObjectKey, Judged[]>()
  for (const document of documents) {
    const { key } = document
    if (key === undefined) continue
    const earlier = first.get(key)
    const same = repeated.get(key)
    if (earlier === undefined) first.set(key, document)
    else if (same === undefined) repeated.set(key, [earlier, document])
    else same.push(document)
  }
  const replaced = new Map([...repeated].flatMap(([key, same]) => duplicates(key, same, context)))
  return replaced.size === 0 ? documents : documents.map((document) => replaced.get(document) ?? document)
}

/** The documents of one object as they count: all but the first when they are alike, else every one. */
function duplicates(key: ObjectKey, same: readonly Judged[], context: CanonicalContext): readonly (readonly [Judged, Judged])[] {
  const [first, ...others] = same
  if (first === undefined) return []
  const text = canonicalText(first.object?.object)
  const alike = others.every((document) => canonicalText(document.object?.object) === text)
  return (alike ? others : same).map((document) => {
    const twin = document === first ? (others[0] ?? first) : first
    return [document, duplicate(document, key, twin, alike, context)]
  })
}

function duplicate(document: Judged, key: ObjectKey, twin: Judged, alike: boolean, context: CanonicalContext): Judged {
  const { file, line } = twin.manifest.origin
  const where = `${key} is also declared in ${file}:${line}`
  const finding: Finding = alike
    ? { path: [], code: 'DuplicateObject', message: `${where}, with the same content`, severity: 'notice' }
    : { path: [], code: 'DuplicateObject', message: `${where}, with other content; neither is applied` }
  const findings = [...document.findings, finding]
  if (alike) return { ...document, findings }
  return withoutObject(document.manifest, findings, document.reasons, context)
}

/**
 * A pod that asks for a variable with a NUL can never be made: its document is refused, and what runs stays as it is.
 * Other bytes arrive as far as they are text, and the Secret says so: that is where it is to be mended.
 */
function withVariables(documents: readonly Judged[], context: CanonicalContext): readonly Judged[] {
  const secrets = flawedSecrets(documents)
  if (secrets.size === 0) return documents
  const asked = new Map<string, Set<string>>()
  const checked = documents.map((document) => {
    const { manifest, object } = document
    if (object === undefined || !isMap(manifest.body)) return document
    const { report, findings } = reporter()
    for (const use of flawedUses(manifest.body, object.object.metadata.namespace, secrets)) {
      if (use.flaw === 'NUL') report(use.path, 'NotText', nulSentence(use))
      else asked.set(use.secret, (asked.get(use.secret) ?? new Set()).add(use.key))
    }
    return findings.length === 0
      ? document
      : withoutObject(manifest, [...document.findings, ...findings], document.reasons, context)
  })
  return checked.map((document) => withLoss(document, asked, context))
}

/** A Secret with values that variables cannot hold as they are. */
function withLoss(document: Judged, asked: ReadonlyMap<string, ReadonlySet<string>>, context: CanonicalContext): Judged {
  const { manifest, object, key } = document
  const keys = object?.object.kind === 'Secret' ? asked.get(secretName(object.object as Secret)) : undefined
  if (object === undefined || keys === undefined) return document
  const { report, findings } = reporter()
  for (const lossy of keys) report(['data', lossy], 'NotText', bytesSentence, { severity: 'notice' })
  const reasons = [...document.reasons, ...findings.map(reasonText)]
  const partly = withoutObject(manifest, [...document.findings, ...findings], reasons, context)
  return { ...partly, key, flaws: document.flaws, object: { ...object, unenforced: reasons } }
}

function flawedSecrets(documents: readonly Judged[]): FlawedSecrets {
  const secrets = new Map<string, ReadonlyMap<string, Flaw>>()
  for (const { flaws, object } of documents) {
    if (flaws.size === 0 || object?.object.kind !== 'Secret') continue
    const secret = object.object as Secret
    const found = Object.entries(secret.data).flatMap(([key, digest]) => {
      const flaw = flaws.get(digest)
      return flaw === undefined ? [] : [[key, flaw] as const]
    })
    secrets.set(secretName(secret), new Map(found))
  }
  return secrets
}

function secretName({ metadata }: Secret): string {
  return `${metadata.namespace}/${metadata.name}`
}

/** Pods as their namespace lets them in. One that it does not let in is refused, and what runs stays as it is. */
function admitted(documents: readonly Judged[], context: CanonicalContext): readonly Judged[] {
  const rules = namespaceRules(documents.flatMap(({ object }) => object?.object ?? []))
  if (rules.size === 0) return documents
  return documents.map((document) => {
    const { manifest, object } = document
    const own = object === undefined ? undefined : rules.get(object.object.metadata.namespace)
    if (object === undefined || own === undefined) return document
    const { report, findings } = reporter()
    const next = admit(object.object, own, report)
    if (findings.length > 0) return withoutObject(manifest, [...document.findings, ...findings], document.reasons, context)
    return next === object.object ? document : { ...document, object: { ...object, object: next } }
  })
}

/** Sorted by key: in the order of `last` where the keys are the same, which is told faster than they are sorted. */
function objectsOf(
  documents: readonly Judged[],
  last: ReadonlyMap<ObjectKey, LoadedObject>,
): ReadonlyMap<ObjectKey, LoadedObject> {
  const objects = new Map<ObjectKey, LoadedObject>()
  for (const { key, object } of documents) {
    if (key !== undefined && object !== undefined && !objects.has(key)) objects.set(key, object)
  }
  const before = [...last.keys()]
  const alike = before.length === objects.size && before.every((key) => objects.has(key))
  return new Map((alike ? before : [...objects.keys()].sort()).map((key) => [key, objects.get(key)!]))
}

function problemsOf({ manifest, findings }: Judged): readonly Problem[] {
  if (findings.length === 0) return []
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

function verdictOf(
  manifest: Manifest,
  findings: readonly Finding[],
  reasons: readonly string[],
  context: CanonicalContext,
): DocumentVerdict {
  const body = isMap(manifest.body) ? manifest.body : {}
  const metadata = mapAt(body, 'metadata')
  const kind = textAt(body, 'kind') ?? ''
  const namespaced = builtinKind(textAt(body, 'apiVersion') ?? '', kind)?.namespaced ?? false
  const errors = findings.filter(isError).map(reasonText)
  return {
    file: manifest.origin.file,
    line: manifest.origin.line,
    kind,
    namespace: textAt(metadata, 'namespace') || (namespaced ? context.defaultNamespace : ''),
    name: textAt(metadata, 'name') ?? '',
    verdict: errors.length > 0 ? 'refused' : reasons.length > 0 ? 'partly' : 'honoured',
    reasons: [...errors, ...reasons],
  }
}

function reasonText({ path, message, suggestion }: Finding): string {
  const hint = suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`
  return path.length === 0 ? `${message}${hint}` : `${pathText(path)}: ${message}${hint}`
}

function brokenFileOf({ manifest, findings }: Judged): readonly string[] {
  return findings.some(isError) ? [manifest.origin.file] : []
}
