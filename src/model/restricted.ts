/**
 * What the restricted Pod Security Standard asks beyond the baseline.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
import type { Report } from './report.ts'
import type { FieldPath } from './types/meta.ts'
import type { Container, PodSpec } from './types/pod.ts'

const CODE = 'PolicyViolation'
const WHY = 'policy restricted, which the label of its namespace asks for,'

/** Volumes that are no part of the node. */
const SOURCES: ReadonlySet<string> = new Set([
  'configMap',
  'claim',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

export function checkRestricted(spec: PodSpec, at: FieldPath, report: Report): void {
  for (const volume of spec.volumes) {
    const sources = Object.keys(volume.other ?? volume).filter((key) => key !== 'name')
    for (const source of sources)
      if (!SOURCES.has(source)) report([...at, 'volumes'], CODE, `${WHY} refuses volume ${volume.name} of type ${source}`)
  }
  for (const list of ['initContainers', 'containers'] as const)
    for (const [index, container] of spec[list].entries()) checkContainer(container, spec, [...at, list, index], report)
}

function checkContainer({ name, securityContext: own }: Container, spec: PodSpec, at: FieldPath, report: Report): void {
  const pod = spec.securityContext
  const say = (field: string, message: string): void => report([...at, 'securityContext', field], CODE, `${WHY} ${message}`)
  if (own.allowPrivilegeEscalation !== false)
    say('allowPrivilegeEscalation', `wants container ${name} to set allowPrivilegeEscalation to false`)
  if ((own.runAsNonRoot ?? pod.runAsNonRoot) !== true) say('runAsNonRoot', `wants runAsNonRoot of container ${name} to be true`)
  if ((own.runAsUser ?? pod.runAsUser) === 0) say('runAsUser', `refuses that container ${name} runs as user 0`)
  const seccomp = (own.seccompProfile ?? pod.seccompProfile)?.type
  if (seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost')
    say('seccompProfile', `wants container ${name} to have the seccomp profile RuntimeDefault`)
  const { add = [], drop = [] } = own.capabilities ?? {}
  if (!drop.some((one) => one.toUpperCase() === 'ALL')) say('capabilities', `wants container ${name} to drop ALL capabilities`)
  const added = add.filter((one) => one.replace(/^CAP_/, '') !== 'NET_BIND_SERVICE')
  if (added.length > 0) say('capabilities', `refuses that container ${name} adds ${added.join(', ')}`)
}
