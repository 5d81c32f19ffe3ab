/** Every mutant, by area. */
import { controller } from './controller.ts'
import { diff } from './diff.ts'
import { jobs } from './jobs.ts'
import type { Mutant } from './mutant.ts'
import { node } from './node.ts'
import { pods } from './pods.ts'
import { prune } from './prune.ts'
import { recovery } from './recovery.ts'
import { rollout } from './rollout.ts'
import { router } from './router.ts'
import { secrets } from './secrets.ts'
import { services } from './services.ts'
import { sets } from './sets.ts'
import { volumes } from './volumes.ts'

export const AREAS: Readonly<Record<string, readonly Mutant[]>> = {
  rollout,
  sets,
  pods,
  jobs,
  router,
  services,
  controller,
  prune,
  recovery,
  node,
  diff,
  secrets,
  volumes,
}
