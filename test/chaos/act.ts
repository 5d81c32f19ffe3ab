import type { Chance } from '../simulation/chance.ts'
import type { Theatre } from './theatre.ts'

export interface Act {
  readonly name: string
  /** what requests may be lost to, in words for the report; `''` for nothing at all */
  readonly mayLose: string
  /** Does it, and tells the theatre what may be lost and until when. */
  readonly perform: (theatre: Theatre, chance: Chance) => Promise<void>
  /** what a daemon may say that refuses to start meanwhile; absent when none may */
  readonly mayRefuse?: RegExp
}
