/**
 * Documents written for API versions that Kubernetes has removed, as the version it has now would say the same.
 *
 * Defaults have changed between versions: those of the old one are written out, so nothing about the object changes.
 * @see https://kubernetes.io/docs/reference/using-api/deprecation-guide/
 * @see Kubernetes v1.15 pkg/apis/extensions/v1beta1/defaults.go, pkg/apis/apps/v1beta1/defaults.go
 */
import { autoscaler, customResourceDefinition, emptySelector, endpointSlice, ingress, topologyLost } from './oldshapes.ts'
import { has, mapAt, type Raw, textAt } from './raw.ts'
import type { Report } from './report.ts'
import { type Rewrite, withDefaults, within, without } from './rewrite.ts'

/** A kind of an old version. */
interface Old {
  readonly now: string
  /** What has another shape or default; without it, only the version differs. */
  readonly rewrite?: Rewrite
  /** Fields of the spec that nothing takes the place of. */
  readonly drops?: readonly string[]
  /** Why this very document cannot be said in the current version. */
  readonly inexact?: (body: Raw) => string | undefined
}

/** `int32` max: Kubernetes' way to say without a limit. */
const noLimit = 2_147_483_647

const inSpec =
  (rewrite: Rewrite): Rewrite =>
  (body) =>
    within(body, 'spec', rewrite)

const same = (from: string, now: string, ...kinds: readonly string[]): Readonly<Record<string, Old>> =>
  Object.fromEntries(kinds.map((kind) => [`${from}/${kind}`, { now }]))

const olds: Readonly<Record<string, Old>> = {
  'extensions/v1beta1/Deployment': {
    now: 'apps/v1',
    drops: ['rollbackTo'],
    rewrite: inSpec((spec) =>
      ownSelector(
        strategyOf(withDefaults(spec, { revisionHistoryLimit: noLimit, progressDeadlineSeconds: noLimit }), {
          maxSurge: 1,
          maxUnavailable: 1,
        }),
      ),
    ),
  },
  'extensions/v1beta1/ReplicaSet': { now: 'apps/v1', rewrite: inSpec(ownSelector) },
  'extensions/v1beta1/DaemonSet': {
    now: 'apps/v1',
    drops: ['templateGeneration'],
    rewrite: inSpec((spec) => ownSelector(onDelete(spec))),
  },
  'apps/v1beta1/Deployment': {
    now: 'apps/v1',
    drops: ['rollbackTo'],
    rewrite: inSpec((spec) => ownSelector(withDefaults(spec, { revisionHistoryLimit: 2 }))),
  },
  'apps/v1beta1/StatefulSet': { now: 'apps/v1', rewrite: inSpec((spec) => ownSelector(onDelete(spec))) },
  ...same('apps/v1beta2', 'apps/v1', 'Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'),
  ...same('batch/v1beta1', 'batch/v1', 'CronJob'),
  'batch/v2alpha1/CronJob': {
    now: 'batch/v1',
    rewrite: inSpec((spec) => withDefaults(spec, { successfulJobsHistoryLimit: noLimit, failedJobsHistoryLimit: noLimit })),
  },
  'policy/v1beta1/PodDisruptionBudget': { now: 'policy/v1', inexact: emptySelector },
  'discovery.k8s.io/v1beta1/EndpointSlice': { now: 'discovery.k8s.io/v1', rewrite: endpointSlice, inexact: topologyLost },
  'extensions/v1beta1/Ingress': { now: 'networking.k8s.io/v1', rewrite: ingress },
  'networking.k8s.io/v1beta1/Ingress': { now: 'networking.k8s.io/v1', rewrite: ingress },
  ...same('networking.k8s.io/v1beta1', 'networking.k8s.io/v1', 'IngressClass'),
  ...same('extensions/v1beta1', 'networking.k8s.io/v1', 'NetworkPolicy'),
  'autoscaling/v2beta1/HorizontalPodAutoscaler': { now: 'autoscaling/v2', rewrite: autoscaler },
  ...same('autoscaling/v2beta2', 'autoscaling/v2', 'HorizontalPodAutoscaler'),
  'apiextensions.k8s.io/v1beta1/CustomResourceDefinition': { now: 'apiextensions.k8s.io/v1', rewrite: customResourceDefinition },
  ...same('node.k8s.io/v1beta1', 'node.k8s.io/v1', 'RuntimeClass'),
  ...same('apiregistration.k8s.io/v1beta1', 'apiregistration.k8s.io/v1', 'APIService'),
  // Not v1alpha1: its subjects are written in another way, and its user `*` is a group.
  ...same(
    'rbac.authorization.k8s.io/v1beta1',
    'rbac.authorization.k8s.io/v1',
    ...['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  ),
  ...same('scheduling.k8s.io/v1alpha1', 'scheduling.k8s.io/v1', 'PriorityClass'),
  ...same('scheduling.k8s.io/v1beta1', 'scheduling.k8s.io/v1', 'PriorityClass'),
  ...same('storage.k8s.io/v1beta1', 'storage.k8s.io/v1', 'StorageClass', 'CSIDriver', 'CSINode', 'VolumeAttachment'),
}

interface Modern {
  /** The document as the current version has it, as far as that can say it. */
  readonly body: Raw
  readonly from: string
  readonly now: string
  /** Fields of the spec that it had, and that are not acted on. */
  readonly dropped: readonly string[]
  readonly inexact: string | undefined
}

/** @returns `undefined` for a document of any other version */
export function modernized(body: Raw): Modern | undefined {
  const from = textAt(body, 'apiVersion') ?? ''
  const name = `${from}/${textAt(body, 'kind')}`
  const old = Object.hasOwn(olds, name) ? olds[name] : undefined
  if (old === undefined) return undefined
  const { now, rewrite = (same) => same, drops = [], inexact } = old
  const kept = within(body, 'spec', (spec) => without(spec, ...drops))
  return {
    body: { ...rewrite(kept), apiVersion: now },
    from,
    now,
    dropped: drops.filter((key) => has(mapAt(body, 'spec'), key)),
    inexact: inexact?.(body),
  }
}

export function reportOld({ from, now, dropped, inexact }: Modern, report: Report): void {
  if (inexact !== undefined) {
    const message = `Kubernetes has removed ${from}, and ${now} does not say the same: ${inexact}`
    report(['apiVersion'], 'RemovedApiVersion', message, { suggestion: now })
    return
  }
  const but = dropped.map((key) => ` but for spec.${key}, which is left out`).join('')
  report(['apiVersion'], 'OldApiVersion', `Kubernetes has removed ${from}; read as ${now}, which says the same${but}`, {
    severity: 'notice',
  })
}

/** A selector that is left out is the labels of the template. */
function ownSelector(spec: Raw): Raw {
  return withDefaults(spec, { selector: { matchLabels: mapAt(spec, 'template', 'metadata', 'labels') } })
}

function onDelete(spec: Raw): Raw {
  return textAt(mapAt(spec, 'updateStrategy'), 'type') ? spec : { ...spec, updateStrategy: { type: 'OnDelete' } }
}

function strategyOf(spec: Raw, bounds: Raw): Raw {
  const strategy = mapAt(spec, 'strategy')
  if (textAt(strategy, 'type') === 'Recreate') return spec
  return { ...spec, strategy: { ...strategy, rollingUpdate: withDefaults(mapAt(strategy, 'rollingUpdate'), bounds) } }
}
