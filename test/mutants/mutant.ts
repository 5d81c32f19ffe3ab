/** One thing broken on purpose, to see that a test notices. */
export interface Mutant {
  /** the file that is broken */
  readonly file: string
  /** what is wrong then, as a sentence */
  readonly breaks: string
  /** exact text of the file; it must be there once, so that a mutant never breaks something else than it says */
  readonly find: string
  readonly replace: string
  /** why no test can or need tell the difference; surviving is no fault then */
  readonly explained?: string
}

/** Mutants of one file, each as what it breaks, what is found, what stands there instead, and why it may survive. */
export function mutantsOf(file: string, ...all: readonly (readonly [string, string, string, string?])[]): Mutant[] {
  return all.map(([breaks, find, replace, explained]) => ({
    file,
    breaks,
    find,
    replace,
    ...(explained === undefined ? {} : { explained }),
  }))
}
