/**
 * Volumes of a pod: one source each, and what that says.
 * @see Kubernetes pkg/apis/core/validation/validation.go, `validateVolumeSource`
 */
import { hugePagesFor, isHugePages } from '../hugepages.ts'
import { nearest } from '../nearest.ts'
import { field, has, mapAt, mapsAt, numberAt, ownOf, type Raw, textAt } from '../raw.ts'
import type { Report } from '../report.ts'
import { isDnsLabel, isDnsSubdomain } from '../syntax.ts'
import type { FieldPath } from '../types/meta.ts'
import { checkFieldRef, checkResourceRef, downwardFields } from './downward.ts'
import { checkClaimSpec, checkNfs, checkNodePath } from './storage.ts'

/** The volumes of the pod by name, and what each is made of: the name of its source. */
export type PodVolumes = ReadonlyMap<string, string>

const sourceHint = 'such as emptyDir: {}, configMap: or secret:'

export function checkVolumes(spec: Raw, at: FieldPath, report: Report): PodVolumes {
  const volumes = new Map<string, string>()
  for (const [index, volume] of mapsAt(spec, 'volumes').entries()) {
    const path = [...at, 'volumes', index]
    const name = textAt(volume, 'name') ?? ''
    const sources = Object.keys(volume).filter((key) => key !== 'name' && has(volume, key))
    volumes.set(name, sources[0] ?? 'emptyDir')
    if (!isDnsLabel(name)) report([...path, 'name'], 'BadName', `${JSON.stringify(name)} is not a valid volume name`)
    if (sources.length > 1) {
      report(path, 'TooMany', `volume ${name} has ${sources.length} sources (${sources.join(', ')}); expected one, ${sourceHint}`)
    }
    for (const source of sources) ownOf(checks, source)?.(mapAt(volume, source), { at: [...path, source], spec, report })
  }
  return volumes
}

interface Where {
  readonly at: FieldPath
  /** of the pod */
  readonly spec: Raw
  readonly report: Report
}

const checks: Readonly<Record<string, (source: Raw, where: Where) => void>> = {
  emptyDir: checkEmptyDir,
  configMap: checkConfigMap,
  secret: checkSecret,
  downwardAPI: checkDownward,
  projected: checkProjected,
  persistentVolumeClaim: checkClaim,
  ephemeral: checkEphemeral,
  hostPath: checkHostPath,
  nfs: (source, { at, report }) => checkNfs(source, at, report),
}

/** @see Kubernetes pkg/volume/emptydir getPageSizeMountOption, which refuses it when the pod is to start */
function checkEmptyDir(source: Raw, { at, spec, report }: Where): void {
  const medium = textAt(source, 'medium') ?? ''
  if (!isHugePages(medium)) return
  const containers = [...mapsAt(spec, 'initContainers'), ...mapsAt(spec, 'containers')]
  const asked = containers.flatMap((one) => ['requests', 'limits'].flatMap((list) => Object.keys(mapAt(one, 'resources', list))))
  const found = hugePagesFor(medium, asked)
  if ('why' in found)
    report([...at, 'medium'], 'UnknownValue', `an emptyDir of ${medium} is made of what its pod asks for, and ${found.why}`)
}

function checkConfigMap(source: Raw, { at, report }: Where): void {
  if (!textAt(source, 'name')) report([...at, 'name'], 'MissingField', 'required field name is missing')
  checkFiles(source, at, report)
}

function checkSecret(source: Raw, { at, report }: Where): void {
  if (!textAt(source, 'secretName')) {
    const named = textAt(source, 'name') !== undefined
    report(
      [...at, 'secretName'],
      'MissingField',
      `required field secretName is missing${named ? ' (it is not called name here)' : ''}`,
    )
  }
  checkFiles(source, at, report)
}

/** `items` and `defaultMode`, which all volumes of files have. */
function checkFiles(source: Raw, at: FieldPath, report: Report): void {
  checkMode(source, 'defaultMode', at, report)
  for (const [index, item] of mapsAt(source, 'items').entries()) checkItem(item, [...at, 'items', index], report)
}

function checkDownward(source: Raw, where: Where): void {
  checkFiles(source, where.at, where.report)
  checkDownwardItems(source, where)
}

/** What a file can tell and a variable cannot. */
const fileFields = ['metadata.labels', 'metadata.annotations', ...downwardFields.filter((name) => name.startsWith('metadata.'))]

function checkDownwardItems(source: Raw, { at, spec, report }: Where): void {
  for (const [index, item] of mapsAt(source, 'items').entries()) {
    const path = [...at, 'items', index]
    const references = ['fieldRef', 'resourceFieldRef'].filter((key) => has(item, key))
    if (references.length !== 1)
      report(path, 'TooMany', `expected exactly one of fieldRef and resourceFieldRef, found ${references.length}`)
    if (has(item, 'fieldRef')) checkFieldRef(mapAt(item, 'fieldRef'), fileFields, [...path, 'fieldRef'], report)
    if (!has(item, 'resourceFieldRef')) continue
    const reference = mapAt(item, 'resourceFieldRef')
    checkResourceRef(reference, [...path, 'resourceFieldRef'], report)
    checkContainerName(reference, spec, [...path, 'resourceFieldRef', 'containerName'], report)
  }
}

function checkContainerName(reference: Raw, spec: Raw, at: FieldPath, report: Report): void {
  const name = textAt(reference, 'containerName') ?? ''
  const names = ['containers', 'initContainers'].flatMap((list) => mapsAt(spec, list).map((one) => textAt(one, 'name') ?? ''))
  if (name === '') report(at, 'MissingField', 'required field containerName is missing: a volume belongs to no container')
  else if (!names.includes(name))
    report(at, 'UnknownValue', `the pod has no container ${JSON.stringify(name)}`, { suggestion: nearest(name, names) })
}

function checkProjected(source: Raw, { at, spec, report }: Where): void {
  checkMode(source, 'defaultMode', at, report)
  for (const [index, projection] of mapsAt(source, 'sources').entries()) {
    const path = [...at, 'sources', index]
    const kinds = Object.keys(projection).filter((key) => has(projection, key))
    if (kinds.length !== 1) report(path, 'TooMany', `expected exactly one source, found ${kinds.length}`)
    for (const kind of kinds) checkProjection(kind, mapAt(projection, kind), { at: [...path, kind], spec, report })
  }
}

function checkProjection(kind: string, projection: Raw, where: Where): void {
  const { at, report } = where
  if (kind === 'serviceAccountToken') checkToken(projection, at, report)
  if (kind !== 'configMap' && kind !== 'secret' && kind !== 'downwardAPI') return
  if (kind !== 'downwardAPI' && !textAt(projection, 'name'))
    report([...at, 'name'], 'MissingField', 'required field name is missing')
  checkFiles(projection, at, report)
  if (kind === 'downwardAPI') checkDownwardItems(projection, where)
}

const leastTokenSeconds = 600
const mostTokenSeconds = 2 ** 32

/** @see Kubernetes `validateProjectionSources` */
function checkToken(token: Raw, at: FieldPath, report: Report): void {
  checkPath(token, at, report)
  const seconds = numberAt(token, 'expirationSeconds')
  if (seconds === undefined || (seconds >= leastTokenSeconds && seconds <= mostTokenSeconds)) return
  report(
    [...at, 'expirationSeconds'],
    'OutOfRange',
    `a token cannot be good for ${seconds} s: expected ${leastTokenSeconds} (10 minutes) to ${mostTokenSeconds} (2^32)`,
  )
}

function checkClaim(source: Raw, { at, report }: Where): void {
  const name = textAt(source, 'claimName') ?? ''
  if (!isDnsSubdomain(name))
    report([...at, 'claimName'], 'BadName', `${JSON.stringify(name)} is not a valid name of a PersistentVolumeClaim`)
}

function checkEphemeral(source: Raw, { at, report }: Where): void {
  const claim = mapAt(source, 'volumeClaimTemplate', 'spec')
  checkClaimSpec(claim, [...at, 'volumeClaimTemplate', 'spec'], report)
}

function checkHostPath(source: Raw, { at, report }: Where): void {
  checkNodePath(textAt(source, 'path') ?? '', [...at, 'path'], report)
}

/** @see Kubernetes `validateLocalNonReservedPath` */
function checkItem(item: Raw, at: FieldPath, report: Report): void {
  checkPath(item, at, report)
  checkMode(item, 'mode', at, report)
}

function checkPath(item: Raw, at: FieldPath, report: Report): void {
  const path = textAt(item, 'path') ?? ''
  const parts = path.split('/')
  if (path.startsWith('/') || parts.includes('..')) {
    report([...at, 'path'], 'BadPath', `${JSON.stringify(path)} leaves the volume: expected a relative path without ..`)
  } else if (path.startsWith('..')) {
    report([...at, 'path'], 'BadPath', `${JSON.stringify(path)} begins with two dots, as only the links to the files do`)
  } else if (path.includes('\0') || parts.every((part) => part === '' || part === '.')) {
    report([...at, 'path'], 'BadPath', `${JSON.stringify(path)} is the name of no file`)
  }
}

function checkMode(map: Raw, key: string, at: FieldPath, report: Report): void {
  const mode = numberAt(map, key)
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return
  const meant = /^[0-7]{3}$/.test(String(mode)) ? `0${mode}` : undefined
  report([...at, key], 'OutOfRange', `${mode} is no file mode: expected 0 to 0777 (octal, 511 in decimal)`, { suggestion: meant })
}

/** Mounts of one container against the volumes of its pod. */
export function checkMounts(container: Raw, volumes: PodVolumes, at: FieldPath, report: Report): void {
  for (const [index, mount] of mapsAt(container, 'volumeMounts').entries()) {
    const path = [...at, 'volumeMounts', index]
    const name = textAt(mount, 'name') ?? ''
    const source = volumes.get(name)
    if (source === undefined) {
      report([...path, 'name'], 'UnknownVolume', `the pod has no volume ${JSON.stringify(name)}`, {
        suggestion: nearest(name, volumes.keys()),
      })
    }
    const mountPath = textAt(mount, 'mountPath') ?? ''
    if (mountPath === '' || mountPath.includes(':')) {
      report([...path, 'mountPath'], 'BadPath', `${JSON.stringify(mountPath)} is no mount path: expected a path without :`)
    }
    checkPart(mount, source, path, report)
    checkPropagation(mount, container, path, report)
  }
}

function checkPart(mount: Raw, source: string | undefined, at: FieldPath, report: Report): void {
  const [subPath, expression] = [textAt(mount, 'subPath') ?? '', textAt(mount, 'subPathExpr') ?? '']
  for (const [key, path] of Object.entries({ subPath, subPathExpr: expression })) {
    if (path.startsWith('/') || path.split('/').includes('..') || path.includes('\0')) {
      report([...at, key], 'BadPath', `${JSON.stringify(path)} leaves the volume: expected a relative path without ..`)
    }
    if (path !== '' && source === 'hostPath')
      report([...at, key], 'BadPath', 'a part of a hostPath cannot be mounted: give the hostPath that path')
  }
  if (subPath !== '' && expression !== '') report(at, 'TooMany', 'a mount has either subPath or subPathExpr, not both')
}

/** @see Kubernetes `validateMountPropagation` */
function checkPropagation(mount: Raw, container: Raw, at: FieldPath, report: Report): void {
  const mode = textAt(mount, 'mountPropagation') ?? 'None'
  if (mode === 'None' || mode === '') return
  const path = [...at, 'mountPropagation']
  if (mode === 'Bidirectional' && field(mapAt(container, 'securityContext'), 'privileged') !== true)
    report(path, 'UnknownValue', 'Bidirectional is possible in a privileged container alone')
}
