/** Chance from a seed: equal seeds give equal worlds. */

export interface Chance {
  /** in [0, 1) */
  next(): number
  /** a whole number from `low` to `high`, both included */
  int(low: number, high: number): number
  /** true once in `n` times */
  oneIn(n: number): boolean
  pick<T>(items: readonly T[]): T
  /** by weight */
  weighted<T>(items: readonly (readonly [number, T])[]): T
  bytes(count: number): Uint8Array
  uuid(): string
  /** another stream that does not depend on how much is drawn from this one afterwards */
  fork(): Chance
}

/** splitmix32: small, fast, and good enough to choose faults by. */
export function chance(seed: number): Chance {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32
  }
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  const hex = (digits: number): string => Array.from({ length: digits }, () => int(0, 15).toString(16)).join('')
  return {
    next,
    int,
    oneIn: (n) => int(1, n) === 1,
    pick: <T>(items: readonly T[]): T => items[int(0, items.length - 1)] as T,
    weighted<T>(items: readonly (readonly [number, T])[]): T {
      let left = next() * items.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, item] of items) {
        left -= weight
        if (left < 0) return item
      }
      return (items.at(-1) as readonly [number, T])[1]
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => int(0, 255)),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
    fork: () => chance(Math.floor(next() * 2 ** 32)),
  }
}
