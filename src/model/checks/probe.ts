/** Probes and lifecycle hooks: exactly one action, and a port that exists. */
import { nearest } from '../nearest.ts'
import { field, has, mapAt, mapsAt, numberAt, type Raw, textAt, textsAt } from '../raw.ts'
import { plainText, type Report } from '../report.ts'
import { isPort } from '../syntax.ts'
import type { FieldPath } from '../types/meta.ts'

const probeActions = ['httpGet', 'tcpSocket', 'exec', 'grpc']
const hookActions = ['httpGet', 'tcpSocket', 'exec', 'sleep']
const seconds = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']

export function checkProbe(container: Raw, key: string, at: FieldPath, report: Report): void {
  const probe = mapAt(container, key)
  checkAction(container, probe, probeActions, at, report)
  for (const name of seconds) {
    const value = numberAt(probe, name)
    if (value !== undefined && value < 0) report([...at, name], 'OutOfRange', `${value} is below zero`)
  }
  const successes = numberAt(probe, 'successThreshold') || 1
  if (key !== 'readinessProbe' && successes !== 1) report([...at, 'successThreshold'], 'OutOfRange', `must be 1 for a ${key}`)
  const grace = numberAt(probe, 'terminationGracePeriodSeconds')
  if (grace !== undefined && grace <= 0)
    report([...at, 'terminationGracePeriodSeconds'], 'OutOfRange', `${grace} is not above zero`)
  if (grace !== undefined && key === 'readinessProbe') {
    report([...at, 'terminationGracePeriodSeconds'], 'UnknownField', 'not possible here: a readinessProbe ends no container')
  }
}

export function checkHook(container: Raw, hook: Raw, at: FieldPath, report: Report): void {
  checkAction(container, hook, hookActions, at, report)
}

function checkAction(container: Raw, owner: Raw, actions: readonly string[], at: FieldPath, report: Report): void {
  const found = actions.filter((action) => has(owner, action))
  if (found.length !== 1) {
    const what = found.length === 0 ? 'none' : found.join(' and ')
    report(at, 'OneAction', `expected exactly one of ${actions.join(', ')}, found ${what}`)
  }
  for (const action of ['httpGet', 'tcpSocket', 'grpc']) {
    if (has(owner, action)) checkPort(container, mapAt(owner, action), [...at, action, 'port'], report)
  }
  if (has(owner, 'exec') && textsAt(mapAt(owner, 'exec'), 'command').length === 0) {
    report([...at, 'exec', 'command'], 'MissingField', 'required field command is missing')
  }
}

function checkPort(container: Raw, action: Raw, path: FieldPath, report: Report): void {
  const port = field(action, 'port')
  if (port === undefined) return
  const isName = typeof port === 'string' && !/^\d+$/.test(port)
  if (!isName) {
    if (!isPort(Number(plainText(port)))) report(path, 'OutOfRange', `${plainText(port)} is no port: expected 1 to 65535`)
    return
  }
  const names = mapsAt(container, 'ports').flatMap((item) => textAt(item, 'name') ?? [])
  if (names.includes(port)) return
  report(path, 'UnknownPort', `the container has no port named ${JSON.stringify(port)}`, { suggestion: nearest(port, names) })
}
