/**
 * Services.
 * @see Kubernetes pkg/apis/core/validation/validation.go, `ValidateService`
 */
import { isIP } from 'node:net'
import { field, listAt, mapAt, mapsAt, numberAt, type Raw, textAt, textMapAt, textsAt } from '../raw.ts'
import { plainText, type Report } from '../report.ts'
import { isDnsLabel, isDnsSubdomain, isPort, isPortName } from '../syntax.ts'
import { checkLabelPair } from './metadata.ts'

const nodePorts = { from: 30_000, to: 32_767 }

export function checkService(body: Raw, report: Report): void {
  const spec = mapAt(body, 'spec')
  if (field(body, 'spec') === undefined) report(['spec'], 'MissingField', 'required field spec is missing')
  const type = textAt(spec, 'type') || 'ClusterIP'
  if (type === 'ExternalName') checkExternalName(spec, report)
  else if (textAt(spec, 'clusterIP') !== 'None' && listAt(spec, 'ports').length === 0) {
    report(['spec', 'ports'], 'MissingField', 'a Service that is not headless needs at least one port')
  }
  for (const [key, value] of Object.entries(textMapAt(spec, 'selector'))) {
    checkLabelPair(key, value, ['spec', 'selector', key], report)
  }
  checkPorts(spec, type, report)
  checkAddresses(spec, type, report)
  const timeout = numberAt(mapAt(spec, 'sessionAffinityConfig', 'clientIP'), 'timeoutSeconds')
  if (timeout !== undefined && (timeout < 1 || timeout > 86_400)) {
    report(['spec', 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds'], 'OutOfRange', `${timeout} is not within 1 to 86400`)
  }
}

function checkExternalName(spec: Raw, report: Report): void {
  const name = (textAt(spec, 'externalName') ?? '').replace(/\.$/, '')
  if (!isDnsSubdomain(name)) {
    report(['spec', 'externalName'], 'BadName', `${JSON.stringify(name)} is not a DNS name, which type ExternalName needs`)
  }
  if (textAt(spec, 'clusterIP')) report(['spec', 'clusterIP'], 'UnknownField', 'not possible with type ExternalName')
}

function checkPorts(spec: Raw, type: string, report: Report): void {
  const ports = mapsAt(spec, 'ports')
  const seen = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const at = ['spec', 'ports', index]
    const name = textAt(port, 'name') ?? ''
    if (name === '' && ports.length > 1) {
      report([...at, 'name'], 'MissingField', 'required field name is missing: a Service of several ports names each')
    }
    if (name !== '' && !isDnsLabel(name)) report([...at, 'name'], 'BadName', `${JSON.stringify(name)} is not a valid port name`)
    if (name !== '' && seen.has(name)) report([...at, 'name'], 'DuplicateItem', `port name ${name} is already used`)
    seen.add(name)
    checkNumbers(port, at, type, report)
  }
}

function checkNumbers(port: Raw, at: readonly (string | number)[], type: string, report: Report): void {
  const number = field(port, 'port')
  if (number !== undefined && !isPort(number))
    report([...at, 'port'], 'OutOfRange', `${plainText(number)} is no port: expected 1 to 65535`)
  const target = field(port, 'targetPort')
  if (typeof target === 'number' && target !== 0 && !isPort(target)) {
    report([...at, 'targetPort'], 'OutOfRange', `${target} is no port: expected 1 to 65535`)
  }
  if (typeof target === 'string' && target !== '' && !isPortName(target)) {
    const meant = isPort(Number(target)) ? target : undefined
    report(
      [...at, 'targetPort'],
      'BadName',
      `${JSON.stringify(target)} is not a valid port name; a number is written without quotes`,
      {
        suggestion: meant,
      },
    )
  }
  checkNodePort(port, at, type, report)
}

function checkNodePort(port: Raw, at: readonly (string | number)[], type: string, report: Report): void {
  const nodePort = numberAt(port, 'nodePort')
  if (nodePort === undefined || nodePort === 0) return
  const path = [...at, 'nodePort']
  if (type !== 'NodePort' && type !== 'LoadBalancer') report(path, 'UnknownField', `not possible with type ${type}`)
  else if (nodePort < nodePorts.from || nodePort > nodePorts.to) {
    report(path, 'OutOfRange', `${nodePort} is not within ${nodePorts.from} to ${nodePorts.to}`)
  }
}

function checkAddresses(spec: Raw, type: string, report: Report): void {
  const clusterIP = textAt(spec, 'clusterIP') ?? ''
  if (clusterIP !== '' && clusterIP !== 'None' && isIP(clusterIP) === 0) {
    report(['spec', 'clusterIP'], 'BadAddress', `${JSON.stringify(clusterIP)} is neither an IP address nor None`, {
      suggestion: clusterIP.toLowerCase() === 'none' ? 'None' : undefined,
    })
  }
  if (clusterIP === 'None' && (type === 'NodePort' || type === 'LoadBalancer')) {
    report(['spec', 'clusterIP'], 'UnknownValue', `None is not possible with type ${type}`)
  }
  for (const [index, address] of textsAt(spec, 'externalIPs').entries()) {
    if (isIP(address) === 0)
      report(['spec', 'externalIPs', index], 'BadAddress', `${JSON.stringify(address)} is not an IP address`)
  }
}
