/**
 * StatefulSets and DaemonSets in canonical form.
 * @see Kubernetes pkg/apis/apps/v1/defaults.go, `SetDefaults_StatefulSet` and `SetDefaults_DaemonSet`
 */
import { canonicalTemplate } from './podspec.ts'
import { has, mapAt, mapsAt, numberAt, type Raw, textAt, textMapAt } from './raw.ts'
import { readSelector } from './selector.ts'
import { claimSpec } from './storage.ts'
import type {
  ClaimRetention,
  ClaimTemplate,
  DaemonSet,
  DaemonSetSpec,
  IntOrPercent,
  KubeObject,
  StatefulSet,
  StatefulSetSpec,
} from './types.ts'

export function statefulSet(base: KubeObject, spec: Raw): StatefulSet {
  return {
    ...base,
    kind: 'StatefulSet',
    spec: {
      replicas: numberAt(spec, 'replicas') ?? 1,
      ordinals: { start: numberAt(mapAt(spec, 'ordinals'), 'start') ?? 0 },
      selector: readSelector(mapAt(spec, 'selector')),
      serviceName: textAt(spec, 'serviceName') ?? '',
      template: canonicalTemplate(mapAt(spec, 'template')),
      podManagementPolicy: textAt(spec, 'podManagementPolicy') === 'Parallel' ? 'Parallel' : 'OrderedReady',
      updateStrategy: statefulStrategy(mapAt(spec, 'updateStrategy')),
      minReadySeconds: numberAt(spec, 'minReadySeconds') ?? 0,
      revisionHistoryLimit: numberAt(spec, 'revisionHistoryLimit') ?? 10,
      volumeClaimTemplates: mapsAt(spec, 'volumeClaimTemplates').map(claimTemplate),
      ...retention(spec),
    },
  }
}

function statefulStrategy(raw: Raw): StatefulSetSpec['updateStrategy'] {
  if (textAt(raw, 'type') === 'OnDelete') return { type: 'OnDelete' }
  const rolling = mapAt(raw, 'rollingUpdate')
  return {
    type: 'RollingUpdate',
    rollingUpdate: { partition: numberAt(rolling, 'partition') ?? 0, maxUnavailable: intOrPercent(rolling, 'maxUnavailable', 1) },
  }
}

function retention(spec: Raw): Pick<StatefulSetSpec, 'persistentVolumeClaimRetentionPolicy'> {
  if (!has(spec, 'persistentVolumeClaimRetentionPolicy')) return {}
  const policy = mapAt(spec, 'persistentVolumeClaimRetentionPolicy')
  const when = (key: string): ClaimRetention => (textAt(policy, key) === 'Delete' ? 'Delete' : 'Retain')
  return { persistentVolumeClaimRetentionPolicy: { whenDeleted: when('whenDeleted'), whenScaled: when('whenScaled') } }
}

function claimTemplate(raw: Raw): ClaimTemplate {
  const metadata = mapAt(raw, 'metadata')
  return {
    metadata: {
      name: textAt(metadata, 'name') ?? '',
      labels: textMapAt(metadata, 'labels'),
      annotations: textMapAt(metadata, 'annotations'),
    },
    spec: claimSpec(mapAt(raw, 'spec')),
  }
}

export function daemonSet(base: KubeObject, spec: Raw): DaemonSet {
  return {
    ...base,
    kind: 'DaemonSet',
    spec: {
      selector: readSelector(mapAt(spec, 'selector')),
      template: canonicalTemplate(mapAt(spec, 'template')),
      updateStrategy: daemonStrategy(mapAt(spec, 'updateStrategy')),
      minReadySeconds: numberAt(spec, 'minReadySeconds') ?? 0,
      revisionHistoryLimit: numberAt(spec, 'revisionHistoryLimit') ?? 10,
    },
  }
}

function daemonStrategy(raw: Raw): DaemonSetSpec['updateStrategy'] {
  if (textAt(raw, 'type') === 'OnDelete') return { type: 'OnDelete' }
  const rolling = mapAt(raw, 'rollingUpdate')
  return {
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge: intOrPercent(rolling, 'maxSurge', 0), maxUnavailable: intOrPercent(rolling, 'maxUnavailable', 1) },
  }
}

export function intOrPercent(map: Raw, key: string, otherwise: IntOrPercent): IntOrPercent {
  return numberAt(map, key) ?? textAt(map, key) ?? otherwise
}
