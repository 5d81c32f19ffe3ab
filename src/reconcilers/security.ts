/** What a pod says of its rights, as an engine is told it. */
import type { Container, PodSpec, SecurityContext } from '../model/types/pod.ts'
import type { ContainerSpec } from './plan.ts'

/** Of a container, with what its pod says for all of them. @see Kubernetes pkg/securitycontext/util.go, `DetermineEffectiveSecurityContext` */
export function compileSecurity(
  container: Container,
  pod: PodSpec,
): Pick<ContainerSpec, 'capAdd' | 'capDrop' | 'readonlyRootfs' | 'securityOpt' | 'groupAdd' | 'privileged' | 'unmaskedProc'> {
  const { securityContext: own } = container
  const seccomp = own.seccompProfile ?? pod.securityContext.seccompProfile
  const groups = [
    ...pod.securityContext.supplementalGroups,
    ...(pod.securityContext.fsGroup === undefined ? [] : [pod.securityContext.fsGroup]),
  ]
  return {
    capAdd: own.capabilities?.add ?? [],
    capDrop: own.capabilities?.drop ?? [],
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    privileged: own.privileged ?? false,
    ...(own.procMount === 'Unmasked' ? { unmaskedProc: true } : {}),
    securityOpt: [
      ...(own.allowPrivilegeEscalation === false ? ['no-new-privileges'] : []),
      ...seccompOption(seccomp),
      ...appArmorOption(own.appArmorProfile ?? pod.securityContext.appArmorProfile),
    ],
    groupAdd: [...new Set(groups)].map(String),
  }
}

/** Before the name of a file of the operator, whose content takes its place when the container is made. */
export const SECCOMP_FILE = 'seccomp=localhost/'

function seccompOption(profile: SecurityContext['seccompProfile']): string[] {
  if (profile?.type === 'Unconfined') return ['seccomp=unconfined']
  return profile?.type === 'Localhost' ? [`${SECCOMP_FILE}${profile.localhostProfile ?? ''}`] : []
}

/** The engine's own profile unless another is named; the engine refuses to start a container with one that is not loaded. */
function appArmorOption(profile: SecurityContext['appArmorProfile']): string[] {
  if (profile?.type === 'Unconfined') return ['apparmor=unconfined']
  return profile?.type === 'Localhost' ? [`apparmor=${profile.localhostProfile ?? ''}`] : []
}

/** `uid[:gid]`; the group alone keeps the image's user. */
export function runAs(container: Container, pod: PodSpec, imageUser: string): string | undefined {
  const uid = container.securityContext.runAsUser ?? pod.securityContext.runAsUser
  const gid = container.securityContext.runAsGroup ?? pod.securityContext.runAsGroup
  if (uid === undefined && gid === undefined) return undefined
  const user = uid === undefined ? (imageUser.split(':')[0] ?? '') || '0' : String(uid)
  return gid === undefined ? user : `${user}:${gid}`
}

/**
 * Reading the engine's profile is a seventh of what it takes to start a container. One that only waits, with no capability
 * and nobody who could reach its process, does without; so do sandboxes of Kubernetes.
 */
export function sandboxSecurity({ shareProcessNamespace }: PodSpec, capAdd: readonly string[]): string[] {
  const onlyWaits = !shareProcessNamespace && capAdd.length === 0
  return ['no-new-privileges', ...(onlyWaits ? ['seccomp=unconfined'] : [])]
}
