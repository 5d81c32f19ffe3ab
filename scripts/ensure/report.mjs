/** One line a step on standard output: what it does, then how long it took. */

/** A failure whose message already says what to do; printed without a stack. */
export class SetupError extends Error {}

export function say(line) {
  process.stdout.write(`${line}\n`)
}

/**
 * Announces a step that takes time, shows that it lives every ten seconds, and says how long it took.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = Date.now()
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`
  say(`${title} ...`)
  const beat = setInterval(() => say(`  ${seconds()} so far`), 10_000)
  try {
    const result = await work()
    say(`${title}: done in ${seconds()}`)
    return result
  } finally {
    clearInterval(beat)
  }
}
