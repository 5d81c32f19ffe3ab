import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../../src/model/cron.ts'

const at = (text: string): number => Date.parse(text)
const text = (time: number | undefined): string =>
  time === undefined ? 'never' : new Date(time).toISOString().replace(':00.000Z', 'Z')

/** By the rules of robfig/cron, which Kubernetes uses. */
describe('next', () => {
  test.each([
    ['* * * * *', 'UTC', '2026-01-01T00:00:30Z', '2026-01-01T00:01Z'],
    ['* * * * *', 'UTC', '2026-01-01T00:01:00Z', '2026-01-01T00:02Z'],
    ['5/15 * * * *', 'UTC', '2026-01-01T00:06:00Z', '2026-01-01T00:20Z'],
    ['*/15 9-17 * * mon-FRI', 'UTC', '2026-01-02T17:50:00Z', '2026-01-05T09:00Z'],
    ['0 0 1,15 jan,Jul *', 'UTC', '2026-01-15T00:00:00Z', '2026-07-01T00:00Z'],
    ['0 0 ? * 0', 'UTC', '2026-01-01T00:00:00Z', '2026-01-04T00:00Z'],
    ['0 0 29 2 *', 'UTC', '2026-03-01T00:00:00Z', '2028-02-29T00:00Z'],
    ['0 0 31 2 *', 'UTC', '2026-03-01T00:00:00Z', 'never'],
    ['@hourly', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T01:00Z'],
    ['@yearly', 'UTC', '2026-01-01T00:00:00Z', '2027-01-01T00:00Z'],
    ['@every 1h30m', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T01:30Z'],
    // Either day is enough when both are restricted, and a step restricts.
    ['0 0 13 * 5', 'UTC', '2026-01-03T00:00:00Z', '2026-01-09T00:00Z'],
    ['0 0 */2 * 1', 'UTC', '2026-01-02T00:00:00Z', '2026-01-03T00:00Z'],
    ['0 0 * * 1', 'UTC', '2026-01-01T00:00:00Z', '2026-01-05T00:00Z'],
    ['0 9 * * *', 'Europe/Berlin', '2026-01-01T00:00:00Z', '2026-01-01T08:00Z'],
    ['0 9 * * *', 'Europe/Berlin', '2026-07-01T00:00:00Z', '2026-07-01T07:00Z'],
    ['0 9 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2026-01-01T03:30Z'],
    // What the clock leaves out does not come that day.
    ['30 2 * * *', 'America/New_York', '2012-03-11T05:00:00Z', '2012-03-12T06:30Z'],
    ['0 * * * *', 'America/New_York', '2012-03-11T06:00:00Z', '2012-03-11T07:00Z'],
    // What it repeats comes twice.
    ['0 1 * * *', 'America/New_York', '2012-11-04T04:00:00Z', '2012-11-04T05:00Z'],
    ['0 1 * * *', 'America/New_York', '2012-11-04T05:00:00Z', '2012-11-04T06:00Z'],
    ['0 1 * * *', 'America/New_York', '2012-11-04T06:00:00Z', '2012-11-05T06:00Z'],
    // A day that begins at one o'clock, because midnight is left out.
    ['0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-05T02:00Z'],
    ['0 1 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-04T03:00Z'],
    // Half an hour of daylight saving.
    ['0 3 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00:00Z', '2026-10-03T16:00Z'],
  ])('%s in %s after %s is %s', (schedule, zone, after, next) =>
    expect(text(parseSchedule(schedule, zone).next(at(after)))).toBe(next),
  )
})

describe('latest', () => {
  test.each([
    ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:00:59Z', 'never'],
    ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z', '2026-01-01T00:01Z'],
    ['* * * * *', '2020-01-01T00:00:00Z', '2026-01-01T00:01:30Z', '2026-01-01T00:01Z'],
    ['0 0 * * 0', '2025-01-01T00:00:00Z', '2026-01-01T00:01:30Z', '2025-12-28T00:00Z'],
    ['*/5 3 * * *', '2025-01-01T00:00:00Z', '2026-01-01T02:00:00Z', '2025-12-31T03:55Z'],
    ['@every 90m', '2026-01-01T00:00:00Z', '2026-01-01T04:00:00Z', '2026-01-01T03:00Z'],
    ['@every 90m', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z', 'never'],
  ])('%s after %s until %s is %s', (schedule, after, until, latest) =>
    expect(text(parseSchedule(schedule, 'UTC').latest(at(after), at(until)))).toBe(latest),
  )
})

test.each([
  ['', 'expected five fields'],
  ['* * * *', 'expected five fields'],
  ['* * * * * *', 'expected five fields'],
  ['@never', 'expected five fields'],
  ['60 * * * *', 'minute "60" is not between 0 and 59'],
  ['* * 0 * *', 'day of the month "0" is not between 1 and 31'],
  ['* * * * 7', 'day of the week "7" is not between 0 and 6'],
  ['* * L * *', 'day of the month "L" is not a number'],
  ['*/0 * * * *', 'minute "*/0" has a step of zero'],
  ['30-10 * * * *', 'minute "30-10" ends before it begins'],
  ['1-2-3 * * * *', 'more than one range'],
  ['1/2/3 * * * *', 'more than one step'],
  ['TZ=UTC * * * * *', 'a time zone belongs in spec.timeZone'],
  ['@every soon', '"soon" is not a duration'],
])('%j is refused', (schedule, message) => expect(() => parseSchedule(schedule, 'UTC')).toThrow(message))

test.each(['Europe/Berlinn', '+01:00', 'Local', ''])('the zone %j is not known', (zone) =>
  expect(() => parseSchedule('* * * * *', zone)).toThrow('is not known'),
)
