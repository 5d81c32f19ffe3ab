import { describe, expect, test } from 'vitest'
import type { CronJob, Job } from '../../../src/model/types/workload.ts'
import { loadText, problemLines } from '../../support/manifests.ts'
import { cronJob, job } from '../../support/world.ts'

interface Pieces {
  readonly spec?: string
  readonly pod?: string
  readonly name?: string
}

/** A small Job, with pieces of YAML in flow style. */
function jobText({ spec = '', pod = 'restartPolicy: Never', name = 'work' }: Pieces = {}): string {
  const template = `template: {spec: {${pod === '' ? '' : `${pod}, `}containers: [{name: app, image: web:1}]}}`
  return `apiVersion: batch/v1\nkind: Job\nmetadata: {name: ${name}}\nspec: {${spec === '' ? '' : `${spec}, `}${template}}`
}

function cronText(spec: string, name = 'tick', inner = ''): string {
  const template = 'template: {spec: {restartPolicy: Never, containers: [{name: app, image: web:1}]}}'
  return `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: ${name}}\nspec: {${spec}, jobTemplate: {spec: {${inner}${template}}}}`
}

const problems = (text: string): readonly string[] =>
  problemLines(loadText(text).problems).map((line) => line.replace(/^app\.yaml:\d+ /, ''))

describe('defaults', () => {
  test.each([
    ['neither completions nor parallelism', {}, { completions: 1, parallelism: 1, backoffLimit: 6 }],
    ['parallelism alone', { parallelism: 3 }, { parallelism: 3 }],
    ['completions alone', { completions: 3 }, { completions: 3, parallelism: 1 }],
    [
      'a limit for each index',
      { completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 1 },
      { backoffLimit: 2 ** 31 - 1 },
    ],
    ['nothing else', {}, { completionMode: 'NonIndexed', suspend: false, podReplacementPolicy: 'TerminatingOrFailed' }],
    [
      'a failure policy',
      { podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] } },
      {
        podReplacementPolicy: 'Failed',
        podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
      },
    ],
  ])('%s', (_name, spec, expected) => expect(job({ spec }).spec).toMatchObject(expected))

  test('parallelism alone states no completions', () =>
    expect(job({ spec: { parallelism: 3 } }).spec).not.toHaveProperty('completions'))

  test('a changed ConfigMap begins no other run, unless the template asks for that', () => {
    const annotation = 'trireme.dev/roll-on-config-change'
    expect(job().spec.template.metadata.annotations).toEqual({ [annotation]: 'false' })
    expect(job({ template: { annotations: { [annotation]: 'true' } } }).spec.template.metadata.annotations).toEqual({
      [annotation]: 'true',
    })
  })

  test('of a CronJob', () =>
    expect(cronJob().spec).toMatchObject({
      timeZone: 'UTC',
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    }))

  test('what is canonical stays as it is', () => {
    for (const text of [jobText({ spec: 'parallelism: 2' }), cronText("schedule: '@daily'")]) {
      const [object] = [...loadText(text).objects.values()]
      const again = loadText(JSON.stringify(object?.object)).objects
      expect([...again.values()][0]?.object).toEqual(object?.object as Job | CronJob)
    }
  })
})

describe('checks', () => {
  test.each([
    ['all is well', jobText(), []],
    ['pods that always start again', jobText({ pod: '' }), ['spec.template.spec.restartPolicy UnknownValue → OnFailure']],
    ['a name too long for a label', jobText({ name: 'a'.repeat(64) }), ['metadata.name BadName']],
    ['a negative number', jobText({ spec: 'backoffLimit: -1' }), ['spec.backoffLimit OutOfRange']],
    ['Indexed without completions', jobText({ spec: 'completionMode: Indexed' }), ['spec.completions MissingField']],
    [
      'a limit for indexes without indexes',
      jobText({ spec: 'backoffLimitPerIndex: 1' }),
      ['spec.backoffLimitPerIndex UnknownValue'],
    ],
    [
      'more failed indexes than there are',
      jobText({ spec: 'completionMode: Indexed, completions: 2, backoffLimitPerIndex: 1, maxFailedIndexes: 3' }),
      ['spec.maxFailedIndexes OutOfRange'],
    ],
    [
      'a failure policy with OnFailure',
      jobText({
        spec: 'podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [1]}}]}',
        pod: 'restartPolicy: OnFailure',
      }),
      ['spec.podFailurePolicy UnknownValue'],
    ],
    [
      'rules that say nothing, or nothing that can be',
      jobText({
        spec: 'podFailurePolicy: {rules: [{action: Count}, {action: FailIndex, onExitCodes: {operator: In, values: [0], containerName: x}}]}',
      }),
      [
        'spec.podFailurePolicy.rules[0] MissingField',
        'spec.podFailurePolicy.rules[1].action UnknownValue',
        'spec.podFailurePolicy.rules[1].onExitCodes.containerName UnknownValue',
        'spec.podFailurePolicy.rules[1].onExitCodes.values OutOfRange',
      ],
    ],
    [
      'a condition that pods never have',
      jobText({ spec: 'podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: Rainy}]}]}' }),
      ['spec.podFailurePolicy.rules[0].onPodConditions[0].type UnsupportedField'],
    ],
    [
      'a success policy beyond the indexes',
      jobText({
        spec: 'completionMode: Indexed, completions: 2, successPolicy: {rules: [{succeededIndexes: 1-2}, {succeededIndexes: x}, {}]}',
      }),
      [
        'spec.successPolicy.rules[0].succeededIndexes OutOfRange',
        'spec.successPolicy.rules[1].succeededIndexes UnknownValue',
        'spec.successPolicy.rules[2] MissingField',
      ],
    ],
    ['a selector of its own', jobText({ spec: 'manualSelector: true' }), ['spec.manualSelector UnsupportedField']],
    ['a CronJob', cronText("schedule: '*/5 * * * *', timeZone: Europe/Berlin"), []],
    ['a schedule that cannot be read', cronText("schedule: '61 * * * *'"), ['spec.schedule BadSchedule']],
    ['a zone that is not known', cronText("schedule: '@daily', timeZone: Europe/Atlantis"), ['spec.timeZone BadSchedule']],
    ['a name too long for its Jobs', cronText("schedule: '@daily'", 'a'.repeat(53)), ['metadata.name BadName']],
    [
      'what is wrong with its Jobs',
      cronText("schedule: '@daily'", 'tick', 'completionMode: Indexed, '),
      ['spec.jobTemplate.spec.completions MissingField'],
    ],
  ])('%s', (_name, text, expected) => expect(problems(text)).toEqual(expected))

  test('a variable with a NUL is found in the pods of a CronJob too', () => {
    const env = 'env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: nul}}}]'
    const text = cronText("schedule: '@daily'").replace('image: web:1', `image: web:1, ${env}`)
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {nul: YQBi}'
    expect(problems(`${text}\n---\n${secret}`)).toEqual([
      'spec.jobTemplate.spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.key NotText',
    ])
  })
})
