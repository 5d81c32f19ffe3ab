import type { Act } from '../act.ts'
import { daemonActs } from './daemon.ts'
import { engineActs } from './engine.ts'
import { networkActs } from './network.ts'
import { podActs } from './pods.ts'

/** That everything heals, and that nothing is left over, is expected of each of them. */
export const acts: readonly Act[] = [...podActs, ...networkActs, ...daemonActs, ...engineActs]
