/** The loop, the executor, and how far a revision has come. */
import { mutantsOf } from './mutant.ts'

export const controller = [
  ...mutantsOf(
    'src/controller/executor.ts',
    ['a lane with a step under way starts another one', 'step === undefined || inFlight.has(lane.id)', 'step === undefined'],
    [
      'steps that failed are tried without a pause',
      'held !== undefined && isHeld(held, options.now())',
      'held !== undefined && isHeld(held, Number.POSITIVE_INFINITY)',
    ],
    ['nobody looks again when a step may be tried again', '      options.later(key, held.nextAt)\n', ''],
    ['a place is never free again', 'busy.set(place, (busy.get(place) ?? 1) - 1)', 'busy.set(place, busy.get(place) ?? 1)'],
    [
      'a place too many is given',
      'if (taken >= limitOf(kind, step.node)) return false',
      'if (taken > limitOf(kind, step.node)) return false',
    ],
    [
      'a lane stays under way when its step failed',
      '    inFlight.delete(lane)\n',
      '    if (error === undefined) inFlight.delete(lane)\n',
    ],
    ['a failure that is over is remembered', '      options.failures.clear(id)\n', ''],
    ['steps of an older plan are started', '      waiting.delete(plan.key)\n', ''],
    ['what waits for a place is not started when there is one', 'error })\n    pump()\n', 'error })\n'],
    [
      'steps are started after the stop',
      '    if (stopped) return\n    for (const [key, lanes] of waiting)',
      '    for (const [key, lanes] of waiting)',
    ],
    [
      'the key of a step that ended is not looked at again when it failed',
      'if (!stopped) options.ended',
      'if (!stopped && error === undefined) options.ended',
    ],
    ['stops take the places of those that make containers', "  stop: 'light',\n", ''],
    ['a key whose lane still waits is forgotten', 'else waiting.set(key, left)', 'else waiting.delete(key)'],
  ),
  ...mutantsOf(
    'src/controller/failures.ts',
    ['the pause after a failure does not grow', 'firstMs * 2 ** Math.min(count - 1, 10)', 'firstMs'],
    [
      'the pause after a failure has no upper bound',
      'Math.min(maxMs, firstMs * 2 ** Math.min(count - 1, 10))',
      'firstMs * 2 ** Math.min(count - 1, 10)',
    ],
    ['registries are asked as often as the engine', "step.op === 'pull' ? PULL : OTHER", 'OTHER'],
    [
      'a failure from before the clock was set back holds a step for as long',
      'nextAt > now && !isAhead(lastAt, now)',
      'nextAt > now',
    ],
    ['failures are not counted', '(known?.count ?? 0) + 1', '1'],
  ),
  ...mutantsOf(
    'src/controller/queue.ts',
    [
      'a later time takes the place of an earlier one',
      'if (known !== undefined && known <= at) return',
      'if (known !== undefined && known === at) return',
    ],
    [
      'an earlier time does not take the place of a later one',
      'if (known !== undefined && known <= at) return',
      'if (known !== undefined) return',
    ],
    ['keys wait for as long as the clock was set back', 'const setBack = now < armedAt', 'const setBack = now < 0'],
    ['after the first time nobody is woken', '      add(key)\n    }\n    arm()\n', '      add(key)\n    }\n'],
    [
      'a key that is waited for longer than a timer can be is due too soon',
      'if (at > now && !setBack) continue',
      'if (at > now + MAX_TIMER_MS && !setBack) continue',
    ],
  ),
  ...mutantsOf(
    'src/controller/loop.ts',
    [
      'a step starts before its decision is on disk',
      '    store.transaction(() => {\n      if (result.memory === undefined) store.deleteWorkload(key)',
      '    executor.submit(result.plan)\n    store.transaction(() => {\n      if (result.memory === undefined) store.deleteWorkload(key)',
    ],
    [
      'decisions are not remembered',
      '      else if (result.memory !== memory) store.setWorkload(key, result.memory)\n',
      '      else if (memory === undefined) store.setWorkload(key, result.memory)\n',
    ],
    [
      'nobody looks again once it is known what the routers should serve',
      '    routed = true\n    markAll()\n',
      '    routed = true\n',
    ],
    ['what is being taken down counts as applied', '      if (store.lastApplied().has(key)) store.deleteLastApplied(key)\n', ''],
    ['what was applied is not remembered', 'if (moved || !same(last?.object, object)) store', 'if (last === undefined) store'],
    [
      'a preStop hook is noted after it has run',
      "    if (step.op === 'hook' && step.mark !== undefined) rememberHook(key, step.mark)\n",
      '',
    ],
    [
      'nobody looks at a key whose step ended',
      '    queue.add(key)\n  }\n\n  function noteRollout',
      '  }\n\n  function noteRollout',
    ],
    [
      'nobody looks at pods whose routes have changed',
      "    if (step.op !== 'route') return\n    const moved",
      "    if (step.op !== 'route' || before === undefined || before !== undefined) return\n    const moved",
    ],
    ['a pass that failed is not tried again', '      queue.addAt(key, now() + MISTAKE_MS)\n', ''],
    [
      'Services do not see that pods have changed',
      'if (world.setPods(key, result.endpoints, result.probes)) markRoutes',
      'if (world.setPods(key, result.endpoints, result.probes) && result.endpoints.length < 0) markRoutes',
    ],
    [
      'a daemon that is not sure of its router plans on',
      '    if (!options.nodes.every((node) => node.sure())) {',
      '    if (options.nodes.length < 0) {',
    ],
    [
      'nobody looks again when time alone changes something',
      '    if (result.wakeAt !== undefined) queue.addAt(key, result.wakeAt)\n',
      '',
    ],
    [
      'Services that wait for a port are not told that it is free',
      '      for (const rival of [...rivals, ...world.rivals(key)]) queue.add(rival)\n',
      '',
    ],
    [
      'routes are planned before it is known what is wanted',
      'const table = options.active() ? world.table() : undefined',
      'const table = world.table()',
    ],
    [
      'routes of a workload that is gone stay',
      '      world.forget(key)\n      markRoutes(splitKey(key).namespace)\n',
      '      world.forget(key)\n',
    ],
    ['a turn of the loop that was broken off is not taken up', '    if (queue.size() > 0) schedule()\n', ''],
  ),
  ...mutantsOf(
    'src/controller/sync.ts',
    [
      'values of a newer revision are forgotten when an older one was read later',
      '      if (newest !== revision.sha) return\n',
      '      vault.retain(used)\n      if (newest !== revision.sha) return\n',
    ],
    ['an older revision that was read later takes over', '      if (newest !== revision.sha) return\n', ''],
    [
      'values that old pods need are forgotten',
      '    const used = new Set(fresh)\n    for (const memory of store.workloads().values())',
      '    const used = new Set(fresh)\n    for (const memory of [...store.workloads().values()].slice(0, 0))',
    ],
    ['values that old pods need are not read again after a restart', '    await recoverValues(used)\n', ''],
    [
      'a revision is healthy by what was healthy before it',
      '          !world.isDue(key) && (isWorkload(key)',
      '          (isWorkload(key)',
    ],
    ['a fresh revision is pruned by what was healthy before it', 'healthy: fresh ? () => false : healthy })', 'healthy })'],
    ['a revision is healthy before what left it is gone', '      isCleared(assessment.effective) &&\n', ''],
    [
      'orphans are removed by a revision that was not read whole',
      'assessment.refusedWhole === undefined && loaded.brokenFiles.size === 0 && prune.prune',
      'assessment.refusedWhole === undefined && prune.prune',
    ],
    [
      'a revision is applied before it is',
      'if (record.applied !== revision.sha && isApplied()) {',
      'if (record.applied !== revision.sha) {',
    ],
    [
      'ConfigMaps that left Git stay applied',
      'if (!isWorkload(key) && !isService(key)) store.deleteLastApplied(key)',
      'if (isService(key)) store.deleteLastApplied(key)',
    ],
    [
      'what waits for health is never pruned',
      'assessment.prune.length > 0) reassess()',
      'assessment.prune.length > 0) void reassess',
    ],
    ['a status that is over keeps what left Git from being pruned', '    if (world.isDue(key)) return false\n', ''],
  ),
  ...mutantsOf(
    'src/reconcilers/due.ts',
    [
      'a changed ConfigMap gives nobody work',
      "if (kind === 'ConfigMap' || kind === 'Secret') namespaces",
      "if (kind === 'Secret') namespaces",
    ],
    [
      'what left Git gives nobody work',
      '  for (const key of before.effective.keys()) if (!after.effective.has(key)) touched.add(key)\n',
      '',
    ],
    [
      'what is not to be pruned any more gives nobody work',
      '  for (const key of before.prune) if (!after.prune.has(key)) touched.add(key)\n',
      '',
    ],
    [
      'what is to be pruned now gives nobody work',
      '  for (const key of after.prune) if (!before.prune.has(key)) touched.add(key)\n',
      '',
    ],
  ),
]
