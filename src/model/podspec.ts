/**
 * Pod specs in canonical form.
 * @see Kubernetes pkg/apis/core/v1/defaults.go, `SetDefaults_PodSpec` and its neighbours
 */
import { compact } from './compact.ts'
import { canonicalContainer, profile } from './container.ts'
import { sortable, sortedBy } from './order.ts'
import { canonicalVolume } from './podvolume.ts'
import { field, flagAt, has, listAt, mapAt, mapsAt, numberAt, type Raw, textAt, textMapAt, textsAt } from './raw.ts'
import type { PodSecurityContext, PodSpec, PodTemplate } from './types/pod.ts'

export function canonicalTemplate(raw: Raw): PodTemplate {
  const metadata = mapAt(raw, 'metadata')
  return {
    metadata: { labels: textMapAt(metadata, 'labels'), annotations: textMapAt(metadata, 'annotations') },
    spec: canonicalPodSpec(mapAt(raw, 'spec')),
  }
}

export function canonicalPodSpec(raw: Raw): PodSpec {
  return compact<PodSpec>({
    containers: mapsAt(raw, 'containers').map(canonicalContainer),
    initContainers: mapsAt(raw, 'initContainers').map(canonicalContainer),
    volumes: sortedBy(mapsAt(raw, 'volumes').map(canonicalVolume), ({ name }) => name),
    restartPolicy: (textAt(raw, 'restartPolicy') || 'Always') as PodSpec['restartPolicy'],
    terminationGracePeriodSeconds: numberAt(raw, 'terminationGracePeriodSeconds') ?? 30,
    activeDeadlineSeconds: numberAt(raw, 'activeDeadlineSeconds'),
    dnsPolicy: (textAt(raw, 'dnsPolicy') || 'ClusterFirst') as PodSpec['dnsPolicy'],
    dnsConfig: has(raw, 'dnsConfig') ? dnsConfig(mapAt(raw, 'dnsConfig')) : undefined,
    hostname: textAt(raw, 'hostname') || undefined,
    subdomain: textAt(raw, 'subdomain') || undefined,
    hostAliases: mapsAt(raw, 'hostAliases').map((item) => ({
      ip: textAt(item, 'ip') ?? '',
      hostnames: textsAt(item, 'hostnames'),
    })),
    hostNetwork: flagAt(raw, 'hostNetwork') ?? false,
    hostPID: flagAt(raw, 'hostPID') ?? false,
    hostIPC: flagAt(raw, 'hostIPC') ?? false,
    shareProcessNamespace: flagAt(raw, 'shareProcessNamespace') ?? false,
    setHostnameAsFQDN: flagAt(raw, 'setHostnameAsFQDN') === true ? true : undefined,
    hostnameOverride: textAt(raw, 'hostnameOverride') || undefined,
    nodeName: textAt(raw, 'nodeName') || undefined,
    nodeSelector: textMapAt(raw, 'nodeSelector'),
    serviceAccountName: textAt(raw, 'serviceAccountName') || textAt(raw, 'serviceAccount') || 'default',
    automountServiceAccountToken: flagAt(raw, 'automountServiceAccountToken'),
    enableServiceLinks: flagAt(raw, 'enableServiceLinks') ?? true,
    imagePullSecrets: names(raw, 'imagePullSecrets').map((name) => ({ name })),
    securityContext: podSecurityContext(mapAt(raw, 'securityContext')),
    priorityClassName: textAt(raw, 'priorityClassName') || undefined,
    runtimeClassName: textAt(raw, 'runtimeClassName') || undefined,
    schedulerName: textAt(raw, 'schedulerName') || 'default-scheduler',
    affinity: structuredClone(field(raw, 'affinity')),
    tolerations: structuredClone(listAt(raw, 'tolerations')),
    topologySpreadConstraints: structuredClone(listAt(raw, 'topologySpreadConstraints')),
    readinessGates: mapsAt(raw, 'readinessGates').map((item) => ({ conditionType: textAt(item, 'conditionType') ?? '' })),
  })
}

/** Sorted and each once: the order in which credentials are tried has no meaning. */
function names(raw: Raw, key: string): readonly string[] {
  return [...new Set(mapsAt(raw, key).map((item) => textAt(item, 'name') ?? ''))].sort()
}

function dnsConfig(raw: Raw): NonNullable<PodSpec['dnsConfig']> {
  return {
    nameservers: textsAt(raw, 'nameservers'),
    searches: textsAt(raw, 'searches'),
    options: mapsAt(raw, 'options').map((item) =>
      compact<{ name: string; value?: string }>({ name: textAt(item, 'name') ?? '', value: textAt(item, 'value') }),
    ),
  }
}

function podSecurityContext(raw: Raw): PodSecurityContext {
  const groups = listAt(raw, 'supplementalGroups').filter((item) => typeof item === 'number')
  const sysctls = mapsAt(raw, 'sysctls').map((item) => ({ name: textAt(item, 'name') ?? '', value: textAt(item, 'value') ?? '' }))
  return compact<PodSecurityContext>({
    runAsUser: numberAt(raw, 'runAsUser'),
    runAsGroup: numberAt(raw, 'runAsGroup'),
    runAsNonRoot: flagAt(raw, 'runAsNonRoot'),
    fsGroup: numberAt(raw, 'fsGroup'),
    fsGroupChangePolicy: textAt(raw, 'fsGroupChangePolicy'),
    supplementalGroups: sortedBy([...new Set(groups)], sortable),
    sysctls: sortedBy(sysctls, ({ name }) => name),
    seccompProfile: profile(raw, 'seccompProfile'),
    appArmorProfile: profile(raw, 'appArmorProfile'),
  })
}
