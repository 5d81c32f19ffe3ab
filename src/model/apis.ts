/** Which API a document belongs to: a built-in kind, a custom resource, or a mistake. */
import { nearest } from './nearest.ts'
import { type BuiltinKind, builtinKind, builtinKinds, preferredKind } from './schema.ts'

export type Api =
  | { readonly type: 'builtin'; readonly kind: BuiltinKind }
  | { readonly type: 'custom' }
  | {
      readonly type: 'unknown'
      readonly field: 'apiVersion' | 'kind'
      readonly code: string
      readonly message: string
      readonly suggestion?: string
    }

const groups: ReadonlySet<string> = new Set(builtinKinds().map(({ apiVersion }) => groupOf(apiVersion)))
const versions: ReadonlySet<string> = new Set(builtinKinds().map(({ apiVersion }) => apiVersion))
const kindNames: ReadonlySet<string> = new Set(builtinKinds().map(({ kind }) => kind))

/** Kinds that Kubernetes has dropped without a successor. */
const droppedKinds: ReadonlySet<string> = new Set(['PodSecurityPolicy', 'PodPreset', 'ThirdPartyResource'])

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? '' : apiVersion.slice(0, slash)
}

/** @see https://kubernetes.io/docs/reference/using-api/deprecation-guide/ */
export function apiOf(apiVersion: string, kind: string): Api {
  const builtin = builtinKind(apiVersion, kind)
  if (builtin !== undefined) return { type: 'builtin', kind: builtin }
  const group = groupOf(apiVersion)
  if (droppedKinds.has(kind) && (groups.has(group) || group === 'extensions')) {
    return { type: 'unknown', field: 'apiVersion', code: 'RemovedApiVersion', message: `Kubernetes has no ${kind} any more` }
  }
  if (groups.has(group) || group === 'extensions') return unknownBuiltin(apiVersion, kind)
  return group.includes('.') ? customOrSlip(apiVersion, kind) : unknownGroup(apiVersion, kind)
}

/** A group of Kubernetes that has no such kind in this version. */
function unknownBuiltin(apiVersion: string, kind: string): Api {
  const current = preferredKind(kind)
  if (current === undefined) {
    const suggestion = nearest(kind, kindNames)
    return unknown('kind', 'UnknownKind', `unknown kind ${JSON.stringify(kind)} in ${apiVersion}`, suggestion)
  }
  const removed = versions.has(apiVersion) ? 'has no' : 'is gone, or never had a'
  return unknown(
    'apiVersion',
    'RemovedApiVersion',
    `${apiVersion} ${removed} ${kind}: it is in ${current.apiVersion}`,
    current.apiVersion,
  )
}

function customOrSlip(apiVersion: string, kind: string): Api {
  const current = preferredKind(kind)
  const isSlip = current !== undefined && nearest(apiVersion, [current.apiVersion], 2) !== undefined
  if (!isSlip) return { type: 'custom' }
  return unknown(
    'apiVersion',
    'UnknownApiVersion',
    `unknown apiVersion ${JSON.stringify(apiVersion)} for ${kind}`,
    current.apiVersion,
  )
}

/** The group of a custom resource always has a dot. */
function unknownGroup(apiVersion: string, kind: string): Api {
  const suggestion = preferredKind(kind)?.apiVersion ?? nearest(apiVersion, versions)
  return unknown('apiVersion', 'UnknownApiVersion', `unknown apiVersion ${JSON.stringify(apiVersion)}`, suggestion)
}

function unknown(field: 'apiVersion' | 'kind', code: string, message: string, suggestion: string | undefined): Api {
  return { type: 'unknown', field, code, message, ...(suggestion === undefined ? {} : { suggestion }) }
}
