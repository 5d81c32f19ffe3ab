/**
 * Pod specs: containers, volumes, and what refers to what.
 * @see Kubernetes pkg/apis/core/validation/validation.go, `ValidatePodSpec`
 */
import { isIP } from 'node:net'
import { field, flagAt, has, listAt, mapAt, mapsAt, numberAt, type Raw, textAt, textsAt } from '../raw.ts'
import type { Report } from '../report.ts'
import { isDnsLabel, isDnsSubdomain, isLabelKey } from '../syntax.ts'
import type { FieldPath } from '../types/meta.ts'
import { checkContainer } from './container.ts'
import { checkVolumes, type PodVolumes } from './podvolume.ts'
import { checkProfiles } from './profiles.ts'

/** @param claims names of volumes that its workload adds to those of the spec */
export function checkPodSpec(spec: Raw, at: FieldPath, report: Report, claims: readonly string[] = []): void {
  if (field(spec, 'containers') !== undefined && listAt(spec, 'containers').length === 0) {
    report([...at, 'containers'], 'MissingField', 'a pod needs at least one container')
  }
  const volumes = new Map([...checkVolumes(spec, at, report), ...claims.map((name) => [name, 'persistentVolumeClaim'] as const)])
  checkContainers(spec, volumes, at, report)
  checkNames(spec, at, report)
  checkProfiles(spec, at, report)
  checkAliases(spec, at, report)
  checkProcesses(spec, at, report)
  checkGates(spec, at, report)
  const deadline = numberAt(spec, 'activeDeadlineSeconds')
  if (deadline !== undefined && deadline < 1)
    report([...at, 'activeDeadlineSeconds'], 'OutOfRange', `${deadline} is not above zero`)
  const grace = numberAt(spec, 'terminationGracePeriodSeconds')
  if (grace !== undefined && grace < 0) report([...at, 'terminationGracePeriodSeconds'], 'OutOfRange', `${grace} is below zero`)
  if (textAt(spec, 'dnsPolicy') === 'None' && textsAt(mapAt(spec, 'dnsConfig'), 'nameservers').length === 0) {
    report([...at, 'dnsConfig', 'nameservers'], 'MissingField', 'dnsPolicy None needs at least one nameserver')
  }
}

function checkContainers(spec: Raw, volumes: PodVolumes, at: FieldPath, report: Report): void {
  const seen = new Map<string, string>()
  for (const list of ['initContainers', 'containers']) {
    for (const [index, container] of mapsAt(spec, list).entries()) {
      const path = [...at, list, index]
      checkContainer(container, volumes, path, report)
      if (list === 'initContainers') checkInit(container, path, report)
      if (flagAt(spec, 'hostNetwork')) checkNodePorts(container, path, report)
      const name = textAt(container, 'name') ?? ''
      const earlier = seen.get(name)
      // Within one list the schema's merge key finds it.
      if (earlier !== undefined && earlier !== list) {
        report([...path, 'name'], 'DuplicateItem', `container name ${name} is already used in ${earlier}`)
      }
      seen.set(name, list)
    }
  }
  checkPortNames(spec, at, report)
}

/** What waits for a container to end cannot ask it how it is. Only a sidecar runs on. */
function checkInit(container: Raw, at: FieldPath, report: Report): void {
  if (textAt(container, 'restartPolicy') === 'Always') return
  for (const key of ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle']) {
    if (!has(container, key)) continue
    const remedy = 'with restartPolicy: Always it is a sidecar, which may have one'
    report([...at, key], 'UnknownField', `not possible for an init container, which runs to its end: ${remedy}`)
  }
}

/** A pod on the network of its node has the ports that it listens on, and no others. */
function checkNodePorts(container: Raw, at: FieldPath, report: Report): void {
  for (const [index, port] of mapsAt(container, 'ports').entries()) {
    const [hostPort, containerPort] = [numberAt(port, 'hostPort') || undefined, numberAt(port, 'containerPort')]
    if (hostPort === undefined || hostPort === containerPort) continue
    report(
      [...at, 'ports', index, 'hostPort'],
      'OutOfRange',
      `${hostPort} must be the containerPort, for the pod has hostNetwork`,
    )
  }
}

function checkGates(spec: Raw, at: FieldPath, report: Report): void {
  for (const [index, gate] of mapsAt(spec, 'readinessGates').entries()) {
    const type = textAt(gate, 'conditionType')
    if (type === undefined || isLabelKey(type)) continue
    report([...at, 'readinessGates', index, 'conditionType'], 'BadName', `${JSON.stringify(type)} is not a valid condition type`)
  }
}

function checkProcesses(spec: Raw, at: FieldPath, report: Report): void {
  if (flagAt(spec, 'hostPID') && flagAt(spec, 'shareProcessNamespace')) {
    report([...at, 'shareProcessNamespace'], 'TooMany', 'a pod has either shareProcessNamespace or hostPID, not both')
  }
  const override = textAt(spec, 'hostnameOverride')
  if (!override) return
  for (const key of ['hostNetwork', 'setHostnameAsFQDN']) {
    if (flagAt(spec, key)) report([...at, 'hostnameOverride'], 'TooMany', `a pod has either hostnameOverride or ${key}, not both`)
  }
  if (!isDnsSubdomain(override) || override.length > 64) {
    report([...at, 'hostnameOverride'], 'BadName', `${JSON.stringify(override)} is no host name of at most 64 characters`)
  }
}

function checkPortNames(spec: Raw, at: FieldPath, report: Report): void {
  for (const [index, container] of mapsAt(spec, 'containers').entries()) {
    const seen = new Set<string>()
    for (const [port, item] of mapsAt(container, 'ports').entries()) {
      const name = textAt(item, 'name')
      if (name === undefined || name === '') continue
      const same = `${name}/${numberAt(item, 'containerPort')}/${textAt(item, 'protocol') ?? 'TCP'}`
      if (seen.has(name) && !seen.has(same)) {
        report(
          [...at, 'containers', index, 'ports', port, 'name'],
          'DuplicateItem',
          `port name ${name} is already used in this container`,
        )
      }
      seen.add(name).add(same)
    }
  }
}

function checkNames(spec: Raw, at: FieldPath, report: Report): void {
  for (const key of ['hostname', 'subdomain']) {
    const name = textAt(spec, key)
    if (name && !isDnsLabel(name)) report([...at, key], 'BadName', `${JSON.stringify(name)} is not a DNS label`)
  }
  const account = textAt(spec, 'serviceAccountName')
  if (account && !isDnsSubdomain(account)) {
    report([...at, 'serviceAccountName'], 'BadName', `${JSON.stringify(account)} is not a valid ServiceAccount name`)
  }
}

function checkAliases(spec: Raw, at: FieldPath, report: Report): void {
  for (const [index, alias] of mapsAt(spec, 'hostAliases').entries()) {
    const ip = textAt(alias, 'ip') ?? ''
    if (isIP(ip) === 0) report([...at, 'hostAliases', index, 'ip'], 'BadAddress', `${JSON.stringify(ip)} is not an IP address`)
    for (const [position, hostname] of textsAt(alias, 'hostnames').entries()) {
      if (isDnsSubdomain(hostname)) continue
      report([...at, 'hostAliases', index, 'hostnames', position], 'BadName', `${JSON.stringify(hostname)} is not a host name`)
    }
  }
}
