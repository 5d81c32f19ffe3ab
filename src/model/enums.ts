/**
 * Values that a text field may have, by `type.field` of the schema. The published schema leaves them out.
 * @see Kubernetes pkg/apis/core/validation and its siblings
 */
const protocols = ['TCP', 'UDP', 'SCTP']
const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const trafficPolicies = ['Cluster', 'Local']
const nodeInclusionPolicies = ['Honor', 'Ignore']
const scopes = ['Cluster', 'Namespaced', '*']

const stopSignals =
  `ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP
TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX`
    .split(/\s+/)
    .flatMap((name) => [
      `SIG${name}`,
      ...(name === 'RTMIN' ? realTime('RTMIN+', 15) : name === 'RTMAX' ? realTime('RTMAX-', 14) : []),
    ])

function realTime(name: string, last: number): string[] {
  return Array.from({ length: last }, (_, index) => `SIG${name}${index + 1}`)
}

export const enums: Readonly<Record<string, readonly string[]>> = {
  'V1AppArmorProfile.type': ['RuntimeDefault', 'Localhost', 'Unconfined'],
  'V1Container.imagePullPolicy': ['Always', 'IfNotPresent', 'Never'],
  'V1Container.restartPolicy': ['Always', 'OnFailure', 'Never'],
  'V1Container.terminationMessagePolicy': ['File', 'FallbackToLogsOnError'],
  'V1ContainerPort.protocol': protocols,
  'V1CronJobSpec.concurrencyPolicy': ['Allow', 'Forbid', 'Replace'],
  'V1CustomResourceDefinitionSpec.scope': ['Cluster', 'Namespaced'],
  'V1DaemonSetUpdateStrategy.type': ['RollingUpdate', 'OnDelete'],
  'V1DeploymentStrategy.type': ['RollingUpdate', 'Recreate'],
  'V1EmptyDirVolumeSource.medium': ['', 'Memory', 'HugePages', 'HugePages-2Mi', 'HugePages-1Gi'],
  'V1Lifecycle.stopSignal': stopSignals,
  'V1HTTPGetAction.scheme': ['HTTP', 'HTTPS'],
  'V1HTTPIngressPath.pathType': ['Exact', 'Prefix', 'ImplementationSpecific'],
  'V1HostPathVolumeSource.type': [
    '',
    'DirectoryOrCreate',
    'Directory',
    'FileOrCreate',
    'File',
    'Socket',
    'CharDevice',
    'BlockDevice',
  ],
  'V1JobSpec.completionMode': ['NonIndexed', 'Indexed'],
  'V1JobSpec.podReplacementPolicy': ['TerminatingOrFailed', 'Failed'],
  'V1LabelSelectorRequirement.operator': ['In', 'NotIn', 'Exists', 'DoesNotExist'],
  'V1NetworkPolicyPort.protocol': protocols,
  'V1NetworkPolicySpec.policyTypes': ['Ingress', 'Egress'],
  'V1NodeSelectorRequirement.operator': ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'],
  'V1PersistentVolumeClaimSpec.accessModes': ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'],
  'V1PersistentVolumeClaimSpec.volumeMode': ['Filesystem', 'Block'],
  'V1PersistentVolumeSpec.accessModes': ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'],
  'V1PersistentVolumeSpec.persistentVolumeReclaimPolicy': ['Retain', 'Delete', 'Recycle'],
  'V1PersistentVolumeSpec.volumeMode': ['Filesystem', 'Block'],
  'V1PodFailurePolicyOnExitCodesRequirement.operator': ['In', 'NotIn'],
  'V1PodFailurePolicyOnPodConditionsPattern.status': ['True', 'False', 'Unknown'],
  'V1PodFailurePolicyRule.action': ['FailJob', 'FailIndex', 'Ignore', 'Count'],
  'V1PodSecurityContext.fsGroupChangePolicy': ['OnRootMismatch', 'Always'],
  'V1PodSecurityContext.supplementalGroupsPolicy': ['Merge', 'Strict'],
  'V1PodSpec.dnsPolicy': ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
  'V1PodSpec.preemptionPolicy': ['PreemptLowerPriority', 'Never'],
  'V1PodSpec.restartPolicy': ['Always', 'OnFailure', 'Never'],
  'V1RuleWithOperations.scope': scopes,
  'V1SeccompProfile.type': ['RuntimeDefault', 'Localhost', 'Unconfined'],
  'V1SecurityContext.procMount': ['Default', 'Unmasked'],
  'V1ServicePort.protocol': protocols,
  'V1ServiceSpec.externalTrafficPolicy': trafficPolicies,
  'V1ServiceSpec.internalTrafficPolicy': trafficPolicies,
  'V1ServiceSpec.ipFamilies': ['IPv4', 'IPv6'],
  'V1ServiceSpec.ipFamilyPolicy': ['SingleStack', 'PreferDualStack', 'RequireDualStack'],
  'V1ServiceSpec.sessionAffinity': ['None', 'ClientIP'],
  'V1ServiceSpec.type': ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
  'V1StatefulSetPersistentVolumeClaimRetentionPolicy.whenDeleted': ['Retain', 'Delete'],
  'V1StatefulSetPersistentVolumeClaimRetentionPolicy.whenScaled': ['Retain', 'Delete'],
  'V1StatefulSetSpec.podManagementPolicy': ['OrderedReady', 'Parallel'],
  'V1StatefulSetUpdateStrategy.type': ['RollingUpdate', 'OnDelete'],
  'V1StorageClass.reclaimPolicy': ['Retain', 'Delete'],
  'V1StorageClass.volumeBindingMode': ['Immediate', 'WaitForFirstConsumer'],
  'V1Taint.effect': taintEffects,
  'V1Toleration.effect': ['', ...taintEffects],
  'V1Toleration.operator': ['', 'Exists', 'Equal', 'Lt', 'Gt'],
  'V1TopologySpreadConstraint.nodeAffinityPolicy': nodeInclusionPolicies,
  'V1TopologySpreadConstraint.nodeTaintsPolicy': nodeInclusionPolicies,
  'V1TopologySpreadConstraint.whenUnsatisfiable': ['DoNotSchedule', 'ScheduleAnyway'],
  'V1VolumeMount.mountPropagation': ['None', 'HostToContainer', 'Bidirectional'],
}
