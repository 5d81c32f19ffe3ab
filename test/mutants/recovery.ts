/** What is made good after a crash, a lost store, or a clock that was set back. */
import { mutantsOf } from './mutant.ts'

export const recovery = [
  ...mutantsOf(
    'src/reconcilers/adoption.ts',
    ['pods of another workload are adopted', 'memory === undefined || pod.owner !== key ?', 'memory === undefined ?'],
    ['adopted pods are not ready until they have been probed', '      readySince: now,\n', '      readySince: 0,\n'],
    ['adopted pods count as never started', '      bound: true,\n', '      bound: false,\n'],
    ['a set is one pod large, however many were found', '(seen?.replicas ?? 0) + 1', '1'],
    ['adopted containers count as never started', 'launched: launched.sort()', 'launched: []'],
    ['the oldest template found is the newest', 'a.revision > b.revision ? a : b', 'a.revision > b.revision ? b : a'],
    [
      'whatever a label says is believed',
      'return whole ? (memory as SandboxMemory) : undefined',
      'return whole || memory ? (memory as SandboxMemory) : undefined',
    ],
    ['adopted pods get another address', '      ...memory.pod,\n', "      ...memory.pod,\n      ip: '0.0.0.0',\n"],
  ),
  ...mutantsOf(
    'src/reconcilers/clock.ts',
    ['times that lie ahead are believed', 'return at - now > SKEW_MS', 'return at - now > SKEW_MS * 1e9'],
    ['a clock that is ahead by a second was set back', 'return at - now > SKEW_MS', 'return at > now'],
    [
      'times of the engine that lie ahead are believed',
      'pods.some((pod) => viewsOf(pod).some((view) => viewIsAhead(view, now)))',
      'pods.some((pod) => viewsOf(pod).length < 0)',
    ],
    ['after the clock was set back a start that was under way is told from none no more', '{ startedAhead: startedAt }', '{}'],
    [
      'a pod that ends waits for as long as the clock was set back',
      'deletion: { ...deletion, since: Math.min(deletion.since, now) }',
      'deletion',
    ],
    ['a time that lies ahead means never', 'const LONG_AGO = 1\n', 'const LONG_AGO = 0\n'],
    [
      'progress waits for as long as the clock was set back',
      'progress !== null && ahead(progress.since) ?',
      'progress !== null && ahead(0) ?',
    ],
    [
      'setbacks wait for as long as the clock was set back',
      'setbacks !== undefined && ahead(setbacks.at) ?',
      'setbacks !== undefined && ahead(0) ?',
    ],
    ['readiness waits for as long as the clock was set back', '    readySince: Math.min(readySince, now),\n', ''],
  ),
  ...mutantsOf(
    'src/controller/readyruns.ts',
    [
      'a container that Docker started anew counts as ready',
      "state === 'running' && startedAt <= since",
      "state === 'running' && since > 0",
    ],
    ['pods of a lost store are not taken to be ready', 'Number.POSITIVE_INFINITY', '0'],
  ),
  ...mutantsOf(
    'src/controller/holdings.ts',
    [
      'an address that two hold is free when one of them gives it up',
      'keys?.delete(key)\n      if (keys?.size === 0) holders',
      'keys?.delete(key)\n      holders',
    ],
    ['a Service stands in its own way', 'except === undefined || keys.size > 1 || !keys.has(except)', 'keys.size > 0'],
    ['addresses that were given up stay held', '      release(key)\n', ''],
  ),
]
