/**
 * Whether a lost request is explained. It is when it was inside of a process that was killed by hand, or on its way to
 * one, or when what leads to the application was itself taken away by hand. Everything else is a bug.
 */
import type { Loss, Way } from './ways.ts'

export interface Excuse {
  readonly act: string
  readonly why: string
  readonly ways: readonly Way[]
  /** names of the pods concerned; absent for all. A new connection does not know whom it was going to reach. */
  readonly pods?: readonly string[]
  /** ms since the epoch */
  readonly from: number
  /** when nothing was sent there any more, or it was whole again */
  readonly to: number
}

export interface Judgement {
  readonly explained: readonly { readonly loss: Loss; readonly excuse: Excuse }[]
  readonly bugs: readonly Loss[]
}

export function judge(losses: readonly Loss[], excuses: readonly Excuse[]): Judgement {
  const judged = losses.map((loss) => ({ loss, excuse: excuses.find((excuse) => covers(excuse, loss)) }))
  return {
    explained: judged.flatMap(({ loss, excuse }) => (excuse === undefined ? [] : [{ loss, excuse }])),
    bugs: judged.flatMap(({ loss, excuse }) => (excuse === undefined ? [loss] : [])),
  }
}

function covers({ ways, pods, from, to }: Excuse, { way, pod, sentAt, lostAt }: Loss): boolean {
  const concerned = pods === undefined || pod === '' || pods.includes(pod)
  return ways.includes(way) && concerned && sentAt <= to && lostAt >= from
}
