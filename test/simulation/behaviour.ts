/** What a simulated image does once it runs; its name says it, so that a manifest in a trace explains itself. */

export type Behaviour =
  /** ready `afterMs` after its start, for ever */
  | { readonly kind: 'ok'; readonly afterMs: number }
  /** the same, and SIGTERM is ignored */
  | { readonly kind: 'deaf'; readonly afterMs: number }
  /** does its work, never ready, and ends well after so long */
  | { readonly kind: 'done'; readonly afterMs: number }
  /** runs and is never ready */
  | { readonly kind: 'never' }
  /** ends with 1 after so long, again and again */
  | { readonly kind: 'crash'; readonly afterMs: number }
  /** ready for as long as it is not, in turns */
  | { readonly kind: 'flap'; readonly everyMs: number }
  /** ready at once; fails its liveness probe from then on */
  | { readonly kind: 'sick'; readonly afterMs: number }
  /** prepares something for others, and ends well after so long */
  | { readonly kind: 'init'; readonly afterMs: number }
  /** requests more than its node has */
  | { readonly kind: 'greedy' }
  /** in no registry */
  | { readonly kind: 'gone' }

/** Whether pods of it become what they are to be, by themselves and for good: ready, or those of a Job at their end. */
export function isSound({ kind }: Behaviour): boolean {
  return kind === 'ok' || kind === 'deaf' || kind === 'done'
}

export function imageOf(behaviour: Behaviour, version: number): string {
  const { kind } = behaviour
  const ms = 'afterMs' in behaviour ? `-${behaviour.afterMs}` : 'everyMs' in behaviour ? `-${behaviour.everyMs}` : ''
  return `${kind}${ms}:v${version}`
}

/** The behaviour that an image's name says; infrastructure images run for ever. */
export function behaviourOf(image: string): Behaviour {
  const [, kind = '', ms = '0'] = /^([a-z]+)-?(\d*)/.exec(image) ?? []
  const number = Number(ms || '0')
  switch (kind) {
    case 'deaf':
    case 'done':
    case 'crash':
    case 'init':
    case 'sick':
      return { kind, afterMs: number }
    case 'flap':
      return { kind, everyMs: number }
    case 'never':
    case 'greedy':
    case 'gone':
      return { kind }
    default:
      return { kind: 'ok', afterMs: number }
  }
}

/** Whether a program that has run for `forMs` would say that it is ready. */
export function isReady(behaviour: Behaviour, forMs: number): boolean {
  switch (behaviour.kind) {
    case 'ok':
    case 'deaf':
      return forMs >= behaviour.afterMs
    case 'flap':
      return Math.floor(forMs / behaviour.everyMs) % 2 === 1
    case 'sick':
      return true
    default:
      return false
  }
}

export function isAlive(behaviour: Behaviour, forMs: number): boolean {
  return behaviour.kind !== 'sick' || forMs < behaviour.afterMs
}
