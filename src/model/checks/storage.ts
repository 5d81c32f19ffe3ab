/**
 * PersistentVolumeClaims, PersistentVolumes and StorageClasses.
 * @see Kubernetes pkg/apis/core/validation/validation.go, `ValidatePersistentVolumeClaim` and its neighbours
 */
import { isIP } from 'node:net'
import { field, has, listAt, mapAt, type Raw, textAt, textMapAt, textsAt } from '../raw.ts'
import type { Report } from '../report.ts'
import { isDnsLabel, isDnsSubdomain } from '../syntax.ts'
import type { FieldPath } from '../types/meta.ts'

export function checkPersistentVolumeClaim(body: Raw, report: Report): void {
  if (field(body, 'spec') === undefined) report(['spec'], 'MissingField', 'required field spec is missing')
  else checkClaimSpec(mapAt(body, 'spec'), ['spec'], report)
}

/** Of a claim, or of a template for claims. */
export function checkClaimSpec(spec: Raw, at: FieldPath, report: Report): void {
  checkModes(spec, at, report)
  if (!has(mapAt(spec, 'resources', 'requests'), 'storage')) {
    const message = 'required field storage is missing, such as 1Gi'
    report([...at, 'resources', 'requests', 'storage'], 'MissingField', message)
  }
}

function checkModes(spec: Raw, at: FieldPath, report: Report): void {
  const modes = textsAt(spec, 'accessModes')
  if (modes.length === 0) {
    report([...at, 'accessModes'], 'MissingField', 'required field accessModes is missing', { suggestion: '[ReadWriteOnce]' })
  }
  if (modes.includes('ReadWriteOncePod') && modes.length > 1)
    report([...at, 'accessModes'], 'TooMany', 'ReadWriteOncePod goes with no other access mode')
}

const pvSources = ['hostPath', 'local', 'nfs', 'csi']
const notSources = new Set(['accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity', 'storageClassName'])

export function checkPersistentVolume(body: Raw, report: Report): void {
  const [spec, at] = [mapAt(body, 'spec'), ['spec']]
  checkModes(spec, at, report)
  if (!has(mapAt(spec, 'capacity'), 'storage')) {
    report([...at, 'capacity', 'storage'], 'MissingField', 'required field storage is missing, such as 1Gi')
  }
  const others = Object.keys(spec).filter((key) => /^[a-z]+[A-Z]*/.test(key) && !notSources.has(key) && isSource(spec, key))
  const sources = [...new Set([...pvSources.filter((key) => has(spec, key)), ...others])]
  if (sources.length !== 1) {
    report(
      at,
      sources.length === 0 ? 'MissingField' : 'TooMany',
      `expected exactly one of ${pvSources.join(', ')}, found ${sources.length}`,
    )
  }
  for (const source of ['hostPath', 'local']) {
    if (has(spec, source)) checkNodePath(textAt(mapAt(spec, source), 'path') ?? '', [...at, source, 'path'], report)
  }
  if (has(spec, 'nfs')) checkNfs(mapAt(spec, 'nfs'), [...at, 'nfs'], report)
  if (has(spec, 'csi')) checkDriver(textAt(mapAt(spec, 'csi'), 'driver') ?? '', [...at, 'csi', 'driver'], report)
  checkMountOptions(spec, at, report)
  const claim = mapAt(spec, 'claimRef')
  if (has(spec, 'claimRef') && !(isDnsLabel(textAt(claim, 'namespace') ?? '') && isDnsSubdomain(textAt(claim, 'name') ?? '')))
    report([...at, 'claimRef'], 'BadName', 'expected the namespace and the name of a claim')
}

/** Whatever is a map beside the fields that are none. */
function isSource(spec: Raw, key: string): boolean {
  const value = field(spec, key)
  return typeof value === 'object' && !Array.isArray(value)
}

/** The names of CSI drivers have dots, and none of them runs here. */
function checkDriver(driver: string, at: FieldPath, report: Report): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_-]*$/.test(driver) && driver !== 'local') return
  const says = 'no CSI driver is run here: expected the name of a volume driver of Docker, which has no dots'
  report(at, 'UnknownValue', `${JSON.stringify(driver)}: ${says}`)
}

/** Of Linux: bytes. */
const LONGEST_PATH = 4095

/** The engine separates the parts of a bind with colons. */
export function checkNodePath(path: string, at: FieldPath, report: Report): void {
  const length = Buffer.byteLength(path)
  if (length > LONGEST_PATH) {
    report(at, 'BadPath', `no path of the node is longer than ${LONGEST_PATH} bytes, and this one has ${length}`)
    return
  }
  const fit = path.startsWith('/') && !path.includes(':') && !path.includes('\0') && !path.split('/').includes('..')
  if (!fit)
    report(at, 'BadPath', `${JSON.stringify(path)} is no path of the node: expected one that begins with /, without .. and :`)
}

export function checkNfs(source: Raw, at: FieldPath, report: Report): void {
  const [server, path] = [textAt(source, 'server') ?? '', textAt(source, 'path') ?? '']
  // Both become part of the options of a mount, where a comma would begin another one.
  if (isIP(server) === 0 && !isDnsSubdomain(server))
    report([...at, 'server'], 'BadAddress', `${JSON.stringify(server)} is neither an IP address nor a host name`)
  if (!path.startsWith('/') || path.includes('\0'))
    report([...at, 'path'], 'BadPath', `${JSON.stringify(path)} is no path of an NFS server: expected one that begins with /`)
}

/** Options that turn a mount of something else into one of a place of the node. */
const dangerous = new Set(['bind', 'rbind', 'move', 'remount', 'shared', 'rshared', 'slave', 'rslave'])

function checkMountOptions(map: Raw, at: FieldPath, report: Report): void {
  for (const [index, option] of listAt(map, 'mountOptions').entries()) {
    if (typeof option !== 'string' || !option.split(',').some((one) => dangerous.has(one.trim()))) continue
    report([...at, 'mountOptions', index], 'UnknownValue', `${JSON.stringify(option)} would mount a place of the node`)
  }
}

/** Filesystems that are no place of the node. */
const remoteTypes = new Set(['nfs', 'nfs4', 'cifs', 'tmpfs'])

/** `docker.io/local` mounts whatever its parameters say: what is on the node is not among that. */
export function checkStorageClass(body: Raw, report: Report): void {
  const provisioner = textAt(body, 'provisioner') ?? ''
  if (provisioner === '') report(['provisioner'], 'MissingField', 'required field provisioner is missing')
  checkMountOptions(body, [], report)
  if (provisioner !== 'docker.io/local') return
  const { type = '', o = '', ...others } = textMapAt(body, 'parameters')
  const touches = type !== '' || o !== '' || Object.keys(others).length > 0
  if (touches && !remoteTypes.has(type)) {
    const expected = [...remoteTypes].join(', ')
    report(['parameters', 'type'], 'UnknownValue', `${JSON.stringify(type)} may be a place of the node: expected ${expected}`)
  }
  if (o.split(',').some((option) => dangerous.has(option.trim())))
    report(['parameters', 'o'], 'UnknownValue', `${JSON.stringify(o)} would mount a place of the node`)
}
