/**
 * Kubernetes resource quantities: `500m`, `1.5Gi`, `12e6`. Exact, down to one billionth.
 * @see Kubernetes apimachinery pkg/api/resource/quantity.go
 */

/** The family of suffixes a quantity was written in; it only matters for how it prints. */
export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent'

export interface Quantity {
  /** the amount times 10^9 */
  readonly nanos: bigint
  readonly format: QuantityFormat
}

/** The text is not a quantity. */
export class QuantityError extends Error {
  constructor(text: string) {
    const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text)
    super(`${shown} is not a quantity: expected a number with an optional suffix, such as 500m, 2, 64Mi or 1e3`)
    this.name = 'QuantityError'
  }
}

const nano = 1_000_000_000n
/** Kubernetes caps every quantity at the largest signed 64-bit integer. */
const max = (2n ** 63n - 1n) * nano
/** Far more digits than any quantity has; arithmetic on millions of them would take seconds. */
const longest = 200
const syntax = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$/
const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaryExponents: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 }

/**
 * Reads a quantity. Amounts finer than a billionth round away from zero, and those beyond 2^63−1 are capped,
 * both as Kubernetes does. A number is read as its decimal text. Errors: `QuantityError`.
 */
export function parseQuantity(text: string | number): Quantity {
  const source = String(text)
  const parts = source.length > longest ? null : syntax.exec(source)
  if (parts === null) throw new QuantityError(source)
  const [, sign = '', whole = '', fraction = '', exponent, suffix = ''] = parts
  if (whole === '' && fraction === '') throw new QuantityError(source)
  const digits = BigInt(whole + fraction)
  const size = magnitude(digits, fraction.length, exponent, suffix)
  const capped = size > max ? max : size
  return { nanos: sign === '-' ? -capped : capped, format: formatOf(exponent, suffix, capped) }
}

function formatOf(exponent: string | undefined, suffix: string, size: bigint): QuantityFormat {
  if (exponent !== undefined) return 'DecimalExponent'
  // A fraction of one byte has no binary form that keeps its precision.
  if (suffix in binaryExponents && !(size > 0n && size < nano)) return 'BinarySI'
  return 'DecimalSI'
}

function magnitude(digits: bigint, fractionDigits: number, exponent: string | undefined, suffix: string): bigint {
  if (digits === 0n) return 0n
  const binary = binaryExponents[suffix]
  if (binary !== undefined) return scale(digits * 1024n ** BigInt(binary), 9 - fractionDigits)
  const power = exponent === undefined ? (decimalExponents[suffix] ?? 0) : Number(exponent.slice(1))
  return scale(digits, 9 + power - fractionDigits)
}

/** `value × 10^power`, rounded up; powers too large or small to matter are cut, so that `1e999999` costs nothing. */
function scale(value: bigint, power: number): bigint {
  if (power >= 0) return power > 40 ? max + 1n : value * 10n ** BigInt(power)
  if (-power > value.toString().length) return 1n
  return ceilDivide(value, 10n ** BigInt(-power))
}

function ceilDivide(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}

/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
}

/** The text the Kubernetes API server would store: no fraction, the largest suffix of the same family. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos } = quantity
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  if (size === 0n) return '0'
  if (quantity.format === 'BinarySI' && size >= 1024n * nano && size % nano === 0n) return sign + binaryText(size / nano)
  return sign + decimalText(size, quantity.format === 'DecimalExponent')
}

function binaryText(amount: bigint): string {
  let rest = amount
  let power = 0
  while (power < 6 && rest % 1024n === 0n) {
    rest /= 1024n
    power += 1
  }
  return `${rest}${Object.keys(binaryExponents)[power - 1] ?? ''}`
}

function decimalText(size: bigint, asExponent: boolean): string {
  let rest = size
  let exponent = -9
  while (exponent < 18 && rest % 1000n === 0n) {
    rest /= 1000n
    exponent += 3
  }
  if (asExponent) return exponent === 0 ? `${rest}` : `${rest}e${exponent}`
  const suffix = Object.keys(decimalExponents).find((key) => decimalExponents[key] === exponent)
  return `${rest}${suffix ?? ''}`
}

/**
 * One text for one amount, whatever it was written in: `1024Mi` and `1Gi` are `1Gi`, `0.5` is `500m`.
 * The shorter of the binary and the decimal form; the decimal one when they are as long.
 */
export function normalQuantity(text: string | number): string {
  const { nanos } = parseQuantity(text)
  const decimal = formatQuantity({ nanos, format: 'DecimalSI' })
  const binary = formatQuantity({ nanos, format: 'BinarySI' })
  return binary.length < decimal.length ? binary : decimal
}

/** Thousandths of a core, rounded up, as the kubelet reads a cpu quantity. */
export function cpuMillis(quantity: Quantity | string | number): number {
  return Number(roundUp(nanosOf(quantity), 1_000_000n))
}

/** Whole bytes, rounded up. */
export function bytes(quantity: Quantity | string | number): number {
  return Number(roundUp(nanosOf(quantity), nano))
}

function nanosOf(quantity: Quantity | string | number): bigint {
  return typeof quantity === 'object' ? quantity.nanos : parseQuantity(quantity).nanos
}

/** Away from zero, as Kubernetes' `ScaledValue` rounds. */
function roundUp(nanos: bigint, by: bigint): bigint {
  return nanos < 0n ? -ceilDivide(-nanos, by) : ceilDivide(nanos, by)
}
