/** Times as a clock on the wall of a time zone shows them. */

const DAY = 86_400_000

export interface Wall {
  readonly year: number
  /** 1 to 12 */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  /** 0 is Sunday */
  readonly weekday: number
}

/** Whether it is a name of the time zone database; offsets such as `+01:00` are none. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false
  try {
    return formatter(zone) !== undefined
  } catch {
    return false
  }
}

export function wallOf(at: number, zone: string): Wall {
  const shown = new Date(at + offsetAt(at, zone))
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    weekday: shown.getUTCDay(),
  }
}

/**
 * The first moment of a day, ms since the epoch; months and days may lie beyond the end of their year or month. A day
 * that a change of the clock begins later than midnight begins then.
 */
export function startOfDay(year: number, month: number, day: number, zone: string): number {
  const midnight = Date.UTC(year, month - 1, day)
  const moments = [midnight - DAY, midnight + DAY].map((around) => midnight - offsetAt(around, zone)).sort((a, b) => a - b)
  const date = new Date(midnight).getUTCDate()
  return moments.find((at) => wallOf(at, zone).day === date) ?? Math.max(...moments)
}

/** Zones change their offset at whole quarters of an hour. */
const QUARTER = 900_000
const MAX_KNOWN = 10_000
/** by zone and quarter of an hour: asking for one takes tens of microseconds */
const offsets = new Map<string, number>()

/** What the zone adds to UTC at a moment: ms. */
function offsetAt(at: number, zone: string): number {
  if (zone === 'UTC') return 0
  const key = `${zone} ${Math.floor(at / QUARTER)}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  if (offsets.size >= MAX_KNOWN) offsets.clear()
  const offset = askOffset(at, zone)
  offsets.set(key, offset)
  return offset
}

function askOffset(at: number, zone: string): number {
  const part: Record<string, number> = {}
  for (const { type, value } of formatter(zone).formatToParts(at)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
}

/** Making one takes a thousand times as long as using it. */
const formatters = new Map<string, Intl.DateTimeFormat>()

/** @throws RangeError for a zone that is not known */
function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone)
  if (known !== undefined) return known
  const numeric = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const
  const made = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', calendar: 'gregory', ...numeric })
  formatters.set(timeZone, made)
  return made
}
