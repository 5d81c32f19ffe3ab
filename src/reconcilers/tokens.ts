/** Tokens of ServiceAccounts as files of pods: what they say, and who may read them. @see Kubernetes pkg/serviceaccount/claims.go */
import { canonicalText, sha256 } from '../model/canonical.ts'
import type { PodSpec } from '../model/types/pod.ts'
import type { TokenSource } from '../model/types/volume.ts'
import type { Cluster } from './cluster.ts'
import type { PodFacts } from './downward.ts'
import type { FileSpec, TokenRequest } from './plan.ts'

export interface TokenClaims {
  readonly aud: readonly string[]
  /** s since the epoch, as all times of a token */
  readonly exp: number
  readonly iat: number
  readonly iss: string
  readonly jti: string
  readonly 'kubernetes.io': {
    readonly namespace: string
    readonly node: { readonly name: string; readonly uid: string }
    readonly pod: { readonly name: string; readonly uid: string }
    readonly serviceaccount: { readonly name: string; readonly uid: string }
  }
  readonly nbf: number
  readonly sub: string
}

/**
 * The file of a token. Where its reader is known it is for nobody else.
 * @see Kubernetes pkg/volume/projected/projected.go, and SetVolumeOwnership, which lets the group read
 */
export function tokenFile(source: TokenSource, defaultMode: number, pod: PodFacts, cluster: Cluster): FileSpec {
  const { path, audience = '', expirationSeconds } = source
  const { spec } = pod.template
  const account = spec.serviceAccountName
  const uidOf = (kind: string, name: string): string => stableUid(`${cluster.id}/${kind}/${name}`)
  const token: TokenRequest = {
    namespace: pod.namespace,
    serviceAccount: { name: account, uid: uidOf('ServiceAccount', `${pod.namespace}/${account}`) },
    pod: { name: pod.name, uid: pod.uid },
    node: { name: pod.node, uid: uidOf('Node', pod.node) },
    audience,
    expirationSeconds,
  }
  const uid = onlyUser(spec)
  const group = spec.securityContext.fsGroup
  const mode = group !== undefined ? 0o640 : uid !== undefined ? 0o600 : defaultMode
  return { path, mode, ...(uid === undefined ? {} : { uid }), content: { token }, digest: sha256(canonicalText(token)) }
}

/** Whether a token is among the files of a volume. */
export function hasToken(files: readonly FileSpec[]): boolean {
  return files.some(({ content }) => 'token' in content)
}

/** The user that all containers run as, where they say so. @see Kubernetes pkg/volume/util FsUserFrom */
function onlyUser({ initContainers, containers, securityContext }: PodSpec): number | undefined {
  const all = [...initContainers, ...containers]
  const users = new Set(all.map((one) => one.securityContext.runAsUser ?? securityContext.runAsUser))
  return users.size === 1 ? [...users][0] : undefined
}

/** What Git declares has no uid, so it is made of the name: an account that is declared again is the same one. A UUID of version 8. */
function stableUid(name: string): string {
  const hex = sha256(name)
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4]
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

/**
 * @param at when it is signed, ms since the epoch
 * @param id that no other token has
 */
export function tokenClaims(request: TokenRequest, issuer: string, at: number, id: string): TokenClaims {
  const { namespace, node, pod, serviceAccount, audience, expirationSeconds } = request
  const seconds = Math.floor(at / 1000)
  return {
    aud: [audience || issuer],
    exp: seconds + expirationSeconds,
    iat: seconds,
    iss: issuer,
    jti: id,
    'kubernetes.io': { namespace, node, pod, serviceaccount: serviceAccount },
    nbf: seconds,
    sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
  }
}
