/**
 * Containers: image, ports, variables, resources, mounts, probes and hooks.
 * @see Kubernetes pkg/apis/core/validation/validation.go, `validateContainers`
 */
import { isExtendedResource } from '../extended.ts'
import { HUGE_PAGES } from '../hugepages.ts'
import { compareQuantities, formatQuantity, parseQuantity } from '../quantity.ts'
import { field, has, mapAt, mapsAt, type Raw, textAt } from '../raw.ts'
import { plainText, type Report } from '../report.ts'
import { dnsSuggestion, isDnsLabel, isPort, isPortName, isVariableName } from '../syntax.ts'
import type { FieldPath } from '../types/meta.ts'
import { checkFieldRef, checkResourceRef, downwardFields } from './downward.ts'
import { checkMounts, type PodVolumes } from './podvolume.ts'
import { checkHook, checkProbe } from './probe.ts'
import { checkProfiles } from './profiles.ts'

export function checkContainer(container: Raw, volumes: PodVolumes, at: FieldPath, report: Report): void {
  checkName(container, at, report)
  checkImage(container, at, report)
  checkPorts(container, at, report)
  checkVariables(container, at, report)
  checkResources(mapAt(container, 'resources'), [...at, 'resources'], report)
  checkProfiles(container, at, report)
  checkMounts(container, volumes, at, report)
  for (const key of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (has(container, key)) checkProbe(container, key, [...at, key], report)
  }
  for (const key of ['postStart', 'preStop']) {
    const hooks = mapAt(container, 'lifecycle')
    if (has(hooks, key)) checkHook(container, mapAt(hooks, key), [...at, 'lifecycle', key], report)
  }
}

function checkName(container: Raw, at: FieldPath, report: Report): void {
  const name = textAt(container, 'name')
  if (name === undefined || isDnsLabel(name)) return
  const says = 'expected small letters, digits and -, at most 63'
  report([...at, 'name'], 'BadName', `${JSON.stringify(name)} is not a valid container name: ${says}`, {
    suggestion: dnsSuggestion(name, 63),
  })
}

function checkImage(container: Raw, at: FieldPath, report: Report): void {
  const image = textAt(container, 'image')
  if (image === undefined || image === '') report([...at, 'image'], 'MissingField', 'required field image is missing')
  else if (image !== image.trim())
    report([...at, 'image'], 'BadImage', `${JSON.stringify(image)} begins or ends with white space`, { suggestion: image.trim() })
  else if (/\s/.test(image) || image.startsWith('-'))
    report([...at, 'image'], 'BadImage', `${JSON.stringify(image)} is no image reference`)
}

function checkPorts(container: Raw, at: FieldPath, report: Report): void {
  for (const [index, port] of mapsAt(container, 'ports').entries()) {
    const path = [...at, 'ports', index]
    for (const key of ['containerPort', 'hostPort']) {
      const value = field(port, key)
      if (value !== undefined && !isPort(value) && !(key === 'hostPort' && value === 0)) {
        report([...path, key], 'OutOfRange', `${plainText(value)} is no port: expected 1 to 65535`)
      }
    }
    const name = textAt(port, 'name')
    if (name && !isPortName(name)) {
      report(
        [...path, 'name'],
        'BadName',
        `${JSON.stringify(name)} is not a valid port name: expected at most 15 of a-z, 0-9 and -, with a letter`,
      )
    }
  }
}

function checkVariables(container: Raw, at: FieldPath, report: Report): void {
  for (const [index, variable] of mapsAt(container, 'env').entries()) {
    const path = [...at, 'env', index]
    const name = textAt(variable, 'name')
    if (name !== undefined && !isVariableName(name)) {
      report(
        [...path, 'name'],
        'BadName',
        `${JSON.stringify(name)} is not a valid variable name: expected printable characters but =`,
      )
    }
    if (has(variable, 'valueFrom')) checkValueFrom(variable, path, report)
  }
  for (const [index, source] of mapsAt(container, 'envFrom').entries()) {
    const path = [...at, 'envFrom', index]
    const references = ['configMapRef', 'secretRef'].filter((key) => has(source, key))
    if (references.length !== 1)
      report(path, 'TooMany', `expected exactly one of configMapRef and secretRef, found ${references.length}`)
    for (const key of references) checkReference(mapAt(source, key), ['name'], [...path, key], report)
  }
}

const valueSources = ['configMapKeyRef', 'secretKeyRef', 'fieldRef', 'resourceFieldRef', 'fileKeyRef']

function checkValueFrom(variable: Raw, at: FieldPath, report: Report): void {
  if (textAt(variable, 'value')) report([...at, 'valueFrom'], 'TooMany', 'a variable has either value or valueFrom, not both')
  const from = mapAt(variable, 'valueFrom')
  const sources = valueSources.filter((key) => has(from, key))
  if (sources.length !== 1) {
    report(
      [...at, 'valueFrom'],
      'TooMany',
      `expected exactly one of ${valueSources.slice(0, 4).join(', ')}, found ${sources.length}`,
    )
  }
  for (const key of ['configMapKeyRef', 'secretKeyRef']) {
    if (has(from, key)) checkReference(mapAt(from, key), ['name', 'key'], [...at, 'valueFrom', key], report)
  }
  if (has(from, 'fieldRef')) checkFieldRef(mapAt(from, 'fieldRef'), downwardFields, [...at, 'valueFrom', 'fieldRef'], report)
  if (has(from, 'resourceFieldRef'))
    checkResourceRef(mapAt(from, 'resourceFieldRef'), [...at, 'valueFrom', 'resourceFieldRef'], report)
}

function checkReference(reference: Raw, keys: readonly string[], at: FieldPath, report: Report): void {
  for (const key of keys) {
    if (textAt(reference, key) === '' || field(reference, key) === undefined) {
      // The schema already asks for the key, and only for the key.
      if (key === 'name') report([...at, key], 'MissingField', `required field ${key} is missing`)
    }
  }
}

function checkResources(resources: Raw, at: FieldPath, report: Report): void {
  const limits = mapAt(resources, 'limits')
  for (const [list, amounts] of [
    ['limits', limits],
    ['requests', mapAt(resources, 'requests')],
  ] as const) {
    for (const [name, value] of Object.entries(amounts)) {
      if (!NATIVE.has(name) && !isExtendedResource(name)) report([...at, list, name], 'UnknownValue', noResource(name))
      if (value !== null && quantity(value).nanos < 0n)
        report([...at, list, name], 'OutOfRange', `${plainText(value)} is below zero`)
    }
  }
  for (const [name, request] of Object.entries(mapAt(resources, 'requests'))) {
    const limit = field(limits, name)
    if (limit === undefined || request === null) continue
    if (compareQuantities(quantity(request), quantity(limit)) > 0) {
      const amounts = `${formatQuantity(quantity(request))} is more than the limit, ${formatQuantity(quantity(limit))}`
      report([...at, 'requests', name], 'RequestAboveLimit', `the request of ${amounts}`)
    }
  }
  const extended = new Set([limits, mapAt(resources, 'requests')].flatMap(Object.keys).filter(isExtendedResource))
  for (const name of extended) checkWhole(name, { unit: 1, called: 'units' }, resources, at, report)
  for (const [name, unit] of Object.entries(HUGE_PAGES)) checkWhole(name, { unit, called: 'such pages' }, resources, at, report)
}

const NATIVE: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage', ...Object.keys(HUGE_PAGES)])

function noResource(name: string): string {
  return `containers cannot ask for ${name}: expected ${[...NATIVE].join(', ')}, or an extended resource such as example.com/licence`
}

/** @see Kubernetes: extended resources and huge pages are whole, and never shared between a request and a larger limit */
function checkWhole(
  name: string,
  { unit, called }: { readonly unit: number; readonly called: string },
  resources: Raw,
  at: FieldPath,
  report: Report,
): void {
  const [limit, request] = ['limits', 'requests'].map((list) => field(mapAt(resources, list), name))
  if (limit === undefined && request === undefined) return
  if (limit === undefined) report([...at, 'limits', name], 'MissingField', `${name} needs a limit: a request alone gets none`)
  else if (quantity(limit).nanos % (BigInt(unit) * 1_000_000_000n) !== 0n)
    report([...at, 'limits', name], 'BadQuantity', `${plainText(limit)} is no whole number of ${called}`)
  else if (request !== undefined && quantity(request).nanos !== quantity(limit).nanos)
    report([...at, 'requests', name], 'OutOfRange', `${plainText(request)} must be as much as the limit, ${plainText(limit)}`)
}

/** The schema has already reported what is no quantity. */
function quantity(value: unknown) {
  try {
    return parseQuantity(value as string | number)
  } catch {
    return parseQuantity(0)
  }
}
