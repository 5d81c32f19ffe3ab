/** One thing that was looked at, and what to do when it is not well: `/healthz`, `/readyz` and `trireme doctor`. */
export interface Check {
  /** short and stable, such as `engine` or `kernel-nftables` */
  readonly name: string
  readonly level: 'ok' | 'warn' | 'fail'
  /** what was found, one line; may be `''` when all is well */
  readonly message: string
  /** what to do about it, `''` when there is nothing to do */
  readonly remedy: string
}

/** The text of `?verbose`, as Kubernetes writes it: `[+]engine ok`, `[-]git failed: …`. */
export function renderChecks(name: string, checks: readonly Check[]): string {
  const lines = checks.map((check) =>
    check.level === 'fail' ? `[-]${check.name} failed: ${check.message}` : renderPassed(check),
  )
  const verdict = checks.some(({ level }) => level === 'fail') ? 'failed' : 'passed'
  return `${[...lines, `${name} check ${verdict}`].join('\n')}\n`
}

function renderPassed({ name, level, message }: Check): string {
  return level === 'warn' ? `[+]${name} ok (${message})` : `[+]${name} ok`
}
