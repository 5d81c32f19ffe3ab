import { describe, expect, test } from 'vitest'
import { objectKey, splitKey } from '../../../src/model/types/meta.ts'
import { Stage } from '../../support/stage.ts'
import { app, cronJob, epochMs, namespace } from '../../support/world.ts'

const MINUTE = 60_000
const tick = objectKey('CronJob', namespace, 'tick')
/** minutes since the epoch at the beginning */
const first = epochMs / MINUTE

type Change = Parameters<typeof cronJob>

function begun(...change: Change): Stage {
  const stage = new Stage().apply(cronJob(...change))
  stage.settle()
  return stage
}

const status = (stage: Stage) => stage.passes.get(tick)?.status
/** Jobs that are there and are not to go, by the minute they were due at, from the beginning */
const jobs = (stage: Stage): number[] =>
  (stage.memory.get(tick)?.cron?.runs ?? [])
    .filter(({ leaving }) => leaving !== true)
    .map(({ job }) => Number(job.metadata.name.replace('tick-', '')) - first)
const remembered = (stage: Stage): string[] => [...stage.memory.keys()].filter((key) => splitKey(key).kind === 'Job')

function endAll(stage: Stage, code = 0): void {
  for (const view of stage.running()) stage.end(view, code)
  stage.settle()
}

/** Minutes in each of which what runs then ends. */
function pass(stage: Stage, minutes: number, code = 0): void {
  for (let minute = 0; minute < minutes; minute++) {
    stage.run(MINUTE)
    endAll(stage, code)
  }
}

describe('a CronJob', () => {
  test('makes nothing before its time, then a Job whose name is the minute it was due at', () => {
    const stage = begun()
    expect(status(stage)).toMatchObject({
      condition: 'Scheduled',
      healthy: true,
      cronJob: { active: 0, nextScheduleAt: epochMs + MINUTE },
    })
    expect(jobs(stage)).toEqual([])
    stage.run(MINUTE)
    expect(jobs(stage)).toEqual([1])
    expect(stage.running()).toHaveLength(1)
    expect(status(stage)).toMatchObject({ cronJob: { active: 1, lastScheduledAt: epochMs + MINUTE } })
    const made = stage.passes.get(objectKey('Job', namespace, `tick-${first + 1}`))?.status
    expect(made).toMatchObject({ condition: 'Progressing', job: { owner: tick } })
    endAll(stage)
    expect(status(stage)).toMatchObject({ cronJob: { active: 0, lastSuccessAt: stage.now } })
  })

  test('tells what it makes and lets go', () => {
    const stage = begun({ spec: { concurrencyPolicy: 'Replace' } })
    stage.run(MINUTE)
    stage.now += MINUTE
    expect(stage.plan(tick).events.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      `SuccessfulDelete: Deleted job tick-${first + 1}`,
      `SuccessfulCreate: Created job tick-${first + 2}`,
    ])
  })

  test('a pass that changes nothing remembers the same memory', () => {
    const stage = begun()
    stage.run(MINUTE)
    const before = stage.memory.get(tick)
    expect(stage.plan(tick).memory).toBe(before)
  })

  test('leaves Git: its Jobs go, and then it is forgotten', () => {
    const stage = begun()
    pass(stage, 2)
    stage.run(MINUTE)
    stage.remove(tick)
    stage.turn()
    expect(status(stage)).toMatchObject({ condition: 'Terminating', healthy: false })
    stage.settle()
    expect(stage.memory.size).toBe(0)
    expect(stage.containers()).toEqual([])
  })

  test('another template is for the Jobs to come', () => {
    const stage = begun()
    stage.run(MINUTE)
    stage.apply(cronJob({ template: { containers: [app({ image: 'web:2' })] } })).settle()
    expect(stage.running().map(({ image }) => image)).toEqual(['web:1'])
    stage.run(MINUTE)
    expect(stage.running().map(({ image }) => image)).toEqual(['web:1', 'web:2'])
  })

  test('a Job that fails is told, and makes nobody wait', () => {
    const stage = begun({}, { backoffLimit: 0 })
    pass(stage, 1, 1)
    expect(status(stage)).toMatchObject({ condition: 'Scheduled', healthy: true })
    expect(status(stage)?.message).toMatch(/^job tick-\d+ failed: BackoffLimitExceeded: /)
  })
})

describe('concurrencyPolicy', () => {
  test.each([
    ['Allow', [1, 2, 3], 3],
    ['Forbid', [1], 1],
    ['Replace', [3], 1],
  ])('%s', (concurrencyPolicy, due, running) => {
    const stage = begun({ spec: { concurrencyPolicy } })
    stage.run(3 * MINUTE)
    expect(jobs(stage)).toEqual(due)
    expect(stage.running()).toHaveLength(running)
  })

  test('Forbid makes up for the last time it has missed, once the Job before has ended', () => {
    const stage = begun({ spec: { concurrencyPolicy: 'Forbid' } })
    stage.run(3.5 * MINUTE)
    endAll(stage)
    expect(jobs(stage)).toEqual([1, 3])
  })

  test('Forbid does not when it is too late for that', () => {
    const stage = begun({ spec: { concurrencyPolicy: 'Forbid', startingDeadlineSeconds: 20 } })
    stage.run(3.5 * MINUTE)
    endAll(stage)
    expect(jobs(stage)).toEqual([1])
  })
})

describe('missed times', () => {
  test('after an absence only the most recent one is made up for', () => {
    const stage = begun()
    pass(stage, 1)
    stage.now += 1000.5 * MINUTE
    stage.settle()
    expect(jobs(stage)).toEqual([1, 1001])
  })

  test('none when it is too late', () => {
    const stage = begun({ spec: { schedule: '0 * * * *', startingDeadlineSeconds: 300 } })
    stage.now += 66 * MINUTE
    stage.settle()
    expect(jobs(stage)).toEqual([])
    stage.run(60 * MINUTE)
    expect(jobs(stage)).toEqual([120])
  })

  test('suspended, nothing is made; and on resuming the last time is made up for', () => {
    const stage = begun({ spec: { suspend: true } })
    stage.run(10 * MINUTE)
    expect(jobs(stage)).toEqual([])
    expect(status(stage)).toMatchObject({ condition: 'Suspended', healthy: true, cronJob: { nextScheduleAt: 0 } })
    stage.apply(cronJob()).settle()
    expect(jobs(stage)).toEqual([10])
  })

  test('times are those of its zone', () => {
    const stage = begun({ spec: { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' } })
    stage.run(24 * 60 * MINUTE)
    expect(jobs(stage)).toEqual([90])
  })
})

describe('history', () => {
  test('the last three that succeeded and the last that failed stay', () => {
    const stage = begun({}, { backoffLimit: 0 })
    pass(stage, 5)
    pass(stage, 2, 1)
    expect(jobs(stage)).toEqual([3, 4, 5, 7])
    expect(remembered(stage)).toHaveLength(4)
    expect(stage.records()).toHaveLength(4)
  })

  test('as many as the limits say', () => {
    const stage = begun({ spec: { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 } }, { backoffLimit: 0 })
    pass(stage, 2)
    pass(stage, 1, 1)
    expect(jobs(stage)).toEqual([2])
    expect(remembered(stage)).toHaveLength(1)
  })

  test('a Job whose time to live is over is gone altogether, and its time is not run again', () => {
    const stage = begun({ spec: { schedule: '0 * * * *' } }, { ttlSecondsAfterFinished: 30 })
    stage.run(60 * MINUTE)
    endAll(stage)
    stage.run(MINUTE)
    expect(jobs(stage)).toEqual([])
    expect(remembered(stage)).toEqual([])
    stage.run(30 * MINUTE)
    expect(jobs(stage)).toEqual([])
  })
})

describe('a time is never run twice', () => {
  test('after a restart', () => {
    const stage = begun()
    stage.run(MINUTE)
    stage.restart().settle()
    expect(jobs(stage)).toEqual([1])
    expect(stage.running()).toHaveLength(1)
  })

  test('after the store was lost: Jobs with pods are taken over as they are', () => {
    const stage = begun()
    pass(stage, 1)
    stage.run(MINUTE)
    stage.memory.clear()
    stage.apply(cronJob({ template: { containers: [app({ image: 'web:2' })] } }))
    stage.restart().settle()
    expect(jobs(stage)).toEqual([1, 2])
    expect(stage.running().map(({ image }) => image)).toEqual(['web:1'])
    expect(stage.records().map(({ outcome }) => outcome)).toEqual(['Succeeded', undefined])
    stage.run(MINUTE)
    expect(jobs(stage)).toEqual([1, 2, 3])
  })

  test('after the store was lost: what was being replaced does not run on beside its successor', () => {
    const stage = begun()
    stage.run(2 * MINUTE)
    expect(stage.running()).toHaveLength(2)
    stage.apply(cronJob({ spec: { concurrencyPolicy: 'Replace' } }))
    stage.memory.clear()
    stage.restart().plan(tick)
    expect(jobs(stage)).toEqual([2])
  })

  test('after the clock was set back, and nobody waits for it either', () => {
    const stage = begun()
    stage.now += 100 * 60 * MINUTE
    stage.settle()
    endAll(stage)
    stage.now -= 99 * 60 * MINUTE
    stage.settle()
    expect(jobs(stage)).toEqual([6000])
    stage.run(MINUTE)
    expect(jobs(stage)).toEqual([6000, 61])
  })
})

test('a CronJob that has not run yet when the clock is set back runs at the next time that comes', () => {
  const stage = begun()
  stage.now -= 60 * MINUTE
  stage.settle()
  expect(jobs(stage)).toEqual([])
  stage.run(MINUTE)
  expect(jobs(stage)).toEqual([-59])
})
