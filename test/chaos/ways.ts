/** The ways in which the application is asked, all the time: what an excuse names, and what a report counts. */

export const WAYS = ['new', 'held', 'published', 'names'] as const

/**
 * `new`        a new connection to the Service's address
 * `held`       a connection to the Service's address that stays open
 * `published`  a new connection to the port of the node, from another machine
 * `names`      the Service's name, asked of the cluster's name server
 */
export type Way = (typeof WAYS)[number]

/** A request that was sent and never answered. Times are ms since the epoch. */
export interface Loss {
  readonly way: Way
  readonly sentAt: number
  readonly lostAt: number
  readonly why: string
  /** who had answered on this connection before; `''` for a new one */
  readonly pod: string
}

/** For so long nothing was answered on this way, however much was asked. */
export interface Silence {
  readonly way: Way
  readonly from: number
  readonly to: number
}

/** One line that a client writes. */
export type Told =
  | { readonly kind: 'loss'; readonly loss: Loss }
  | { readonly kind: 'silence'; readonly silence: Silence }
  /** answers so far, and the moment at which the last one had been asked for */
  | { readonly kind: 'answers'; readonly way: Way; readonly count: number; readonly askedAt: number }

/** What a client is told to do. */
export interface Errand {
  readonly way: Way
  /** a URL, or for `names` the address of the name server */
  readonly target: string
  /** requests under way at once */
  readonly workers: number
  /** between an answer and the next request of the same worker: ms */
  readonly pauseMs: number
}
