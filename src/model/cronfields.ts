/**
 * The text of a schedule, read by the rules of Kubernetes.
 *
 * By hand, because no library has those rules: Kubernetes takes five fields, macros and `@every`, and neither seconds
 * nor `L`, `#` or a seventh day of the week.
 * @see github.com/robfig/cron/v3 parser.go, ParseStandard
 */

/** A schedule as sets of numbers, or an interval in ms. */
export type CronFields =
  | {
      readonly minutes: ReadonlySet<number>
      readonly hours: ReadonlySet<number>
      readonly days: ReadonlySet<number>
      readonly months: ReadonlySet<number>
      /** 0 is Sunday */
      readonly weekdays: ReadonlySet<number>
      /** days of the month and of the week are both restricted: then either one is enough */
      readonly eitherDay: boolean
    }
  | { readonly everyMs: number }

interface Bounds {
  readonly what: string
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const bounds: readonly Bounds[] = [
  { what: 'minute', min: 0, max: 59 },
  { what: 'hour', min: 0, max: 23 },
  { what: 'day of the month', min: 1, max: 31 },
  { what: 'month', min: 1, max: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { what: 'day of the week', min: 0, max: 6, names: 'sun mon tue wed thu fri sat'.split(' ') },
]

const macros: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** @throws Error that says what is wrong with the text */
export function parseCronFields(text: string): CronFields {
  const trimmed = text.trim()
  if (trimmed.startsWith('@every ')) return { everyMs: parseInterval(trimmed.slice('@every '.length).trim()) }
  if (/^(CRON_)?TZ=/.test(trimmed)) throw new Error('a time zone belongs in spec.timeZone, not in the schedule')
  const fields = (Object.hasOwn(macros, trimmed) ? (macros[trimmed] ?? '') : trimmed).split(/\s+/)
  if (fields.length !== bounds.length || trimmed === '')
    throw new Error(`expected five fields (minute hour day month weekday), @every, or one of ${Object.keys(macros).join(', ')}`)
  const [minutes, hours, days, months, weekdays] = bounds.map((bound, index) => parseField(fields[index] ?? '', bound)) as [
    Field,
    Field,
    Field,
    Field,
    Field,
  ]
  return {
    minutes: minutes.values,
    hours: hours.values,
    days: days.values,
    months: months.values,
    weekdays: weekdays.values,
    eitherDay: !days.any && !weekdays.any,
  }
}

interface Field {
  readonly values: ReadonlySet<number>
  /** some part of it is `*` or `?` without a step */
  readonly any: boolean
}

function parseField(text: string, bound: Bounds): Field {
  const parts = text.split(',').map((part) => parseRange(part, bound))
  return { values: new Set(parts.flatMap(({ values }) => [...values])), any: parts.some(({ any }) => any) }
}

/** `*`, `?`, `5`, `1-5`, `mon-fri`, each with an optional `/step`; `5/15` runs from 5 to the end. */
function parseRange(text: string, bound: Bounds): Field {
  const [range = '', stepText, ...more] = text.split('/')
  if (more.length > 0) throw new Error(`${bound.what} ${JSON.stringify(text)} has more than one step`)
  const [first = '', last, ...others] = range.split('-')
  if (others.length > 0) throw new Error(`${bound.what} ${JSON.stringify(text)} has more than one range`)
  const wild = first === '*' || first === '?'
  const step = stepText === undefined ? 1 : parseNumber(stepText, { ...bound, names: [] })
  const start = wild ? bound.min : parseNumber(first, bound)
  const open = wild || (last === undefined && stepText !== undefined)
  const end = open ? bound.max : last === undefined ? start : parseNumber(last, bound)
  if (step === 0) throw new Error(`${bound.what} ${JSON.stringify(text)} has a step of zero`)
  if (start < bound.min || end > bound.max)
    throw new Error(`${bound.what} ${JSON.stringify(text)} is not between ${bound.min} and ${bound.max}`)
  if (start > end) throw new Error(`${bound.what} ${JSON.stringify(text)} ends before it begins`)
  const values = new Set<number>()
  for (let value = start; value <= end; value += step) values.add(value)
  return { values, any: wild && step === 1 }
}

function parseNumber(text: string, { what, min, names = [] }: Bounds): number {
  const index = names.indexOf(text.toLowerCase())
  if (index >= 0) return index + min
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${what} ${JSON.stringify(text)} is not a number`)
  return Number(text)
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000_001 }

/** A duration as Go writes it, such as `1h30m`; whole seconds, at least one. */
function parseInterval(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text)
    throw new Error(`${JSON.stringify(text)} is not a duration such as 1h30m`)
  const total = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0), 0)
  return Math.max(1000, Math.floor(total / 1000) * 1000)
}
