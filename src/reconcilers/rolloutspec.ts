/** What Git wants of any workload, told as the spec of a Deployment: how many pods, of which template, changed how fast. */
import { compact } from '../model/compact.ts'
import type { PodSpec, PodTemplate } from '../model/types/pod.ts'
import type { Volume } from '../model/types/volume.ts'
import type { DaemonSet, DeploymentSpec, PodWorkload, StatefulSet } from '../model/types/workload.ts'
import { inOrder } from './podorder.ts'
import { resolveCount } from './rollout.ts'
import { type NodeTraits, runsOn } from './scheduling.ts'

type Strategy = DeploymentSpec['strategy']

/** Of what is never rolled: its pods are all old or all new. */
const alone = { minReadySeconds: 0, selector: { matchLabels: {}, matchExpressions: [] }, strategy: { type: 'Recreate' } } as const

/** @param nodes all of them: a DaemonSet has as many pods as there are nodes for it */
export function rolloutSpec(target: PodWorkload, nodes: readonly NodeTraits[]): DeploymentSpec {
  return withHostPorts(specOf(target, nodes))
}

/**
 * A bare ReplicaSet rolls a changed template like a Deployment with default bounds, and a bare Pod is replaced:
 * unlike in Kubernetes a commit always takes effect, because Git is the only way to change anything.
 */
function specOf(target: PodWorkload, nodes: readonly NodeTraits[]): DeploymentSpec {
  const common = { revisionHistoryLimit: 1, progressDeadlineSeconds: 600, paused: false }
  switch (target.kind) {
    case 'Deployment':
      return target.spec
    case 'StatefulSet':
      return { ...common, ...statefulSpec(target) }
    case 'DaemonSet':
      return { ...common, ...daemonSpec(target, nodes) }
    case 'ReplicaSet':
    case 'ReplicationController':
      return { ...common, ...target.spec, strategy: rolling('25%', '25%') }
    case 'Job':
      return { ...common, ...alone, revisionHistoryLimit: 0, replicas: target.spec.parallelism, template: target.spec.template }
    case 'Pod':
      return {
        ...common,
        ...alone,
        replicas: 1,
        template: { metadata: { labels: target.metadata.labels, annotations: target.metadata.annotations }, spec: target.spec },
      }
  }
}

function rolling(maxSurge: number | string, maxUnavailable: number | string): Strategy {
  return { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }
}

/**
 * Kubernetes knows no progress deadline for these two; here it only changes what the status says.
 * @see Kubernetes pkg/controller/statefulset getStatefulSetMaxUnavailable: a percentage rounds down, and never to zero
 */
function statefulSpec({ spec }: StatefulSet): Omit<DeploymentSpec, 'paused'> {
  const { replicas, selector, minReadySeconds, revisionHistoryLimit, updateStrategy } = spec
  const most = updateStrategy.type === 'OnDelete' ? 1 : updateStrategy.rollingUpdate.maxUnavailable
  return {
    replicas,
    selector,
    minReadySeconds,
    revisionHistoryLimit,
    progressDeadlineSeconds: 600 + minReadySeconds,
    template: statefulTemplate(spec),
    strategy: rolling(0, Math.max(1, resolveCount(most, replicas, Math.floor))),
  }
}

/**
 * The template with what the StatefulSet adds for all of its pods, so that a change of it rolls them. Names of claims lack the
 * name of the pod, which `ownClaim` adds. A claim hides a volume of the same name.
 */
function statefulTemplate({ template, serviceName, volumeClaimTemplates }: StatefulSet['spec']): PodTemplate {
  const names = volumeClaimTemplates.map(({ metadata }) => metadata.name)
  const volumes = [
    ...template.spec.volumes.filter(({ name }) => !names.includes(name)),
    ...names.map((name) => ({ name, claim: { claimName: `${name}-`, readOnly: false } })),
  ]
  const spec: PodSpec = compact<PodSpec>({
    ...template.spec,
    hostname: undefined,
    subdomain: serviceName || undefined,
    volumes,
  })
  return { ...template, spec }
}

/** The volume as one pod has it: no claim that somebody names ends with a `-`. */
export function ownClaim(volume: Volume, pod: string): Volume {
  const { claim } = volume
  return claim?.claimName.endsWith('-') ? { ...volume, claim: { ...claim, claimName: `${claim.claimName}${pod}` } } : volume
}

/** What keeps other pods off a node that is unwell. @see Kubernetes pkg/controller/daemon/util AddOrUpdateDaemonPodTolerations */
const daemonTolerations = [
  ...['not-ready', 'unreachable'].map((key) => ({ key, effect: 'NoExecute' })),
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((key) => ({ key, effect: 'NoSchedule' })),
].map(({ key, effect }) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect }))

/** @see Kubernetes pkg/controller/daemon: percentages of the nodes round up */
function daemonSpec({ spec }: DaemonSet, nodes: readonly NodeTraits[]): Omit<DeploymentSpec, 'paused'> {
  const { selector, minReadySeconds, revisionHistoryLimit, updateStrategy } = spec
  const tolerations = [...spec.template.spec.tolerations, ...daemonTolerations]
  const template = { ...spec.template, spec: { ...spec.template.spec, tolerations } }
  const replicas = nodes.filter((node) => runsOn(template.spec, node)).length
  const { maxSurge, maxUnavailable } =
    updateStrategy.type === 'OnDelete' ? { maxSurge: 0, maxUnavailable: 1 } : updateStrategy.rollingUpdate
  return {
    replicas,
    selector,
    template,
    minReadySeconds,
    revisionHistoryLimit,
    progressDeadlineSeconds: 600 + minReadySeconds,
    strategy: rolling(resolveCount(maxSurge, replicas, Math.ceil), resolveCount(maxUnavailable, replicas, Math.ceil)),
  }
}

/**
 * A new pod cannot start while the old one holds its host port, or a port of its node's network, so these roll by stopping first, one at a time.
 * Kubernetes would leave the new pod pending until somebody steps in.
 */
function withHostPorts(spec: DeploymentSpec): DeploymentSpec {
  const { hostNetwork } = spec.template.spec
  const held = inOrder(spec.template.spec).some(({ container: { ports } }) =>
    ports.some(({ hostPort }) => hostNetwork || (hostPort ?? 0) > 0),
  )
  return !held || spec.strategy.type === 'Recreate' ? spec : { ...spec, strategy: rolling(0, 1) }
}
