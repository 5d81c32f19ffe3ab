/** The loop, the executor, and how far a revision has come. */
import { mutantsOf } from './mutant.ts'

export const controller = [
  ...mutantsOf(
    'src/controller/executor.ts',
    [
      'a lane with a step under way starts another one',
      '    if (following !== undefined) {\n      following.add(key)\n      return\n    }\n',
      '',
    ],
    [
      'steps that failed are tried without a pause',
      'held !== undefined && isHeld(held, options.now())',
      'held !== undefined && isHeld(held, Number.POSITIVE_INFINITY)',
    ],
    ['nobody looks again when a step may be tried again', '      options.later(key, held.nextAt)\n', ''],
    ['a place is never free again', '    count(place, -1)\n', ''],
    ['a place too many is given', 'return taken(place) < limitOf(place)', 'return taken(place) <= limitOf(place)'],
    [
      'a lane stays under way when its step failed',
      '    inFlight.delete(lane)\n',
      '    if (error === undefined) inFlight.delete(lane)\n',
    ],
    ['a failure that is over is remembered', '      options.failures.clear(id)\n', ''],
    ['steps of an older plan are started', '      waiting.drop(plan.key)\n', ''],
    ['what waits for a place is not started when there is one', '    fill(place)\n', ''],
    ['steps are started after the stop', 'while (!stopped && hasRoom(place))', 'while (hasRoom(place))'],
    [
      'the key of a step that ended is not looked at again when it failed',
      'if (!stopped) options.ended',
      'if (!stopped && error === undefined) options.ended',
    ],
    ['stops take the places of those that make containers', "  stop: 'light',\n", ''],
    [
      'who found a lane under way is not told when it ends',
      '    for (const follower of following) if (follower !== key) options.later(follower, options.now())\n',
      '',
    ],
    [
      'what is over is cleared away one by one when nothing is made',
      "    if (place.kind === 'work') fill({ node: place.node, kind: 'tidy' })\n",
      '',
    ],
  ),
  ...mutantsOf('src/controller/waiting.ts', [
    'a key whose lane still waits is forgotten',
    'if (line.next >= line.lanes.length) leave(key, at)',
    'leave(key, at)',
  ]),
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
    'src/controller/schedule.ts',
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
    [
      'a time that was overtaken counts',
      'if (entry === undefined || due.get(entry.key) === entry.at) return entry',
      'if (entry === undefined || due.has(entry.key)) return entry',
    ],
  ),
  ...mutantsOf(
    'src/controller/queue.ts',
    ['keys wait for as long as the clock was set back', 'if (isSetBack) release(Number.POSITIVE_INFINITY)', ''],
    [
      'a clock that was set back is noticed by a timer alone',
      'const now = tellTime()\n    const next',
      'const now = options.now()\n    const next',
    ],
    ['after the first time nobody is woken', 'release(tellTime())\n    arm()', 'release(tellTime())'],
    [
      'a key that is waited for longer than a timer can be is due too soon',
      'release(tellTime())',
      'release(tellTime() + MAX_TIMER_MS)',
    ],
  ),
  ...mutantsOf(
    'src/controller/loop.ts',
    ['what could not be removed with a pod waits for something else to happen', 'if (gone.length > 0) markNodes()', ''],
    [
      'a workload whose Service could not be kept is not looked at again',
      'planned.push(key, ...before)',
      'planned.push(...before)',
    ],
    ['a workload is forgotten when the Services before it take a burst', 'if (each !== key) queue.add(key)', ''],
    [
      'a step starts before its decision is on disk',
      '    plans.set(key, result.plan)\n  }\n\n  /** Jobs that',
      '    executor.submit(result.plan)\n  }\n\n  /** Jobs that',
    ],
    [
      'decisions are not remembered',
      'else if (result.memory !== memory) store.setWorkload(key, result.memory)',
      'else if (memory === undefined) store.setWorkload(key, result.memory)',
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
      '    for (const uid of changedPods(before, step.table)) for (const key of world.ownersOf(uid)) queue.add(key)\n',
      '',
    ],
    ['a pass that failed is not tried again', '    queue.addAt(key, now() + MISTAKE_MS)\n', ''],
    [
      'Services do not see that pods have changed',
      'markRoutes(world.setPods(key, result.endpoints, result.probes))',
      'world.setPods(key, result.endpoints, result.probes)',
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
      '      markRoutes(world.forget(key))\n',
      '      world.forget(key)\n',
      'its last pod has left the routes before, when it was asked to go',
    ],
    ['a turn of the loop that was broken off is not taken up', '    if (queue.size() > 0) schedule()\n', ''],
    ['steps start though nothing could be remembered', '    if (kept) for (const plan', '    if (kept || !kept) for (const plan'],
    [
      'one object that cannot be planned takes the memory of the others with it',
      '      store.transaction(() => pass(key))\n',
      '      pass(key)\n',
    ],
    [
      'plans of an earlier turn are submitted again',
      '    plans.clear()\n',
      '',
      'a key is planned anew once a step of its plan has ended, and what is under way is not begun twice: clearing only gives memory back',
    ],
    ['keys of a turn that could not be remembered are not tried again', '    else planned.forEach(retry)\n', ''],
  ),
  ...mutantsOf(
    'src/controller/sync.ts',
    [
      'values of a newer revision are forgotten when an older one was read later',
      '      if (newest !== revision.sha) return true\n',
      '      vault.retain(used)\n      if (newest !== revision.sha) return true\n',
    ],
    ['an older revision that was read later takes over', '      if (newest !== revision.sha) return true\n', ''],
    [
      'values that old pods need are forgotten',
      '    const used = new Set(fresh)\n    for (const memory of store.workloads().values())',
      '    const used = new Set(fresh)\n    for (const memory of [...store.workloads().values()].slice(0, 0))',
    ],
    ['values that old pods need are not read again after a restart', '    await recoverValues(used)\n', ''],
    [
      'a revision is healthy by what was healthy before it',
      '      !world.isDue(key) && (isWorkload(key)',
      '      (isWorkload(key)',
      'only a burst of passes that is broken off shows it, and virtual time stands still in a burst',
    ],
    ['a fresh revision is pruned by what was healthy before it', 'healthy: fresh ? () => false : healthy })', 'healthy })'],
    ['a revision is healthy before what left it is gone', ' && isCleared(assessment.effective)', ''],
    [
      'orphans are removed by a revision that was not read whole',
      'next.refusedWhole === undefined && loaded.brokenFiles.size === 0 && prune.prune',
      'next.refusedWhole === undefined && prune.prune',
    ],
    [
      'a revision is applied before it is',
      'record.applied !== revision.sha && applying.all()',
      'record.applied !== revision.sha',
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
    ['a status of what was before lets what left Git be pruned', '    if (world.isDue(key)) return false\n', ''],
  ),
  ...mutantsOf(
    'src/reconcilers/due.ts',
    ['a changed ConfigMap gives nobody work', "if (kind === 'ConfigMap' || kind === 'Secret' ||", "if (kind === 'Secret' ||"],
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
  ...mutantsOf(
    'src/controller/sweep.ts',
    [
      'what held once holds for ever',
      '      pending = [...items()]\n      at = 0\n      return advance()',
      '      if (pending.length > 0) return true\n      pending = [...items()]\n      at = 0\n      return advance()',
    ],
    ['what is no longer one of them is waited for', 'holds(item) || counts?.(item) === false', 'holds(item)'],
    ['after another revision the old one is asked about', '      pending = []\n      at = 0\n    },\n', '    },\n'],
  ),
]
