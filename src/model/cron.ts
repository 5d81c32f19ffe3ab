/**
 * When a schedule is due, in a time zone.
 *
 * As in Kubernetes, a time that a change to daylight saving leaves out does not come, and one that the change back
 * repeats comes twice.
 * @see github.com/robfig/cron/v3 spec.go, SpecSchedule.Next
 */
import { type CronFields, parseCronFields } from './cronfields.ts'
import { isZone, startOfDay, type Wall, wallOf } from './zone.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
/** How far ahead a time is looked for: what is not due within five years, such as 31 February, never is. */
const HORIZON_YEARS = 5

export interface Schedule {
  /** The first time after `after`, ms since the epoch; `undefined` for none within five years. */
  next(after: number): number | undefined
  /** The last time after `after` and not after `until`; `undefined` for none. */
  latest(after: number, until: number): number | undefined
}

/** @throws Error that says what is wrong with the text or the zone */
export function parseSchedule(text: string, zone: string): Schedule {
  const fields = parseCronFields(text)
  if (!isZone(zone)) throw new Error(`the time zone ${JSON.stringify(zone)} is not known`)
  return 'everyMs' in fields ? interval(fields.everyMs) : calendar(fields, zone)
}

function interval(everyMs: number): Schedule {
  return {
    next: (after) => after + everyMs,
    latest(after, until) {
      const times = Math.floor((until - after) / everyMs)
      return times < 1 ? undefined : after + times * everyMs
    },
  }
}

type Calendar = Extract<CronFields, { readonly minutes: unknown }>

function calendar(fields: Calendar, zone: string): Schedule {
  const next = (after: number): number | undefined => nextTime(fields, zone, after)
  return {
    next,
    /** Halves the time between, however long ago the first one was: what was missed may be years of minutes. */
    latest(after, until) {
      const isDue = (from: number): boolean => (next(from) ?? Number.POSITIVE_INFINITY) <= until
      if (!isDue(after)) return undefined
      let [from, to] = [after, until]
      while (to - from > MINUTE) {
        const middle = Math.floor((from + to) / 2)
        if (isDue(middle)) from = middle
        else to = middle
      }
      return next(from)
    },
  }
}

/** From the first whole minute on, the largest unit that does not match is passed over at once. */
function nextTime(fields: Calendar, zone: string, after: number): number | undefined {
  let at = (Math.floor(after / MINUTE) + 1) * MINUTE
  const lastYear = wallOf(at, zone).year + HORIZON_YEARS
  for (;;) {
    const wall = wallOf(at, zone)
    if (wall.year > lastYear) return undefined
    if (!fields.months.has(wall.month)) at = startOfDay(wall.year, wall.month + 1, 1, zone)
    else if (!dayMatches(fields, wall)) at = startOfDay(wall.year, wall.month, wall.day + 1, zone)
    else if (!fields.hours.has(wall.hour)) at += HOUR - wall.minute * MINUTE
    else if (!fields.minutes.has(wall.minute)) at += MINUTE
    else return at
  }
}

function dayMatches({ days, weekdays, eitherDay }: Calendar, { day, weekday }: Wall): boolean {
  return eitherDay ? days.has(day) || weekdays.has(weekday) : days.has(day) && weekdays.has(weekday)
}
