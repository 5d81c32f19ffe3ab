/** One engine: what is seen of it, and what is done on it. */
import { mutantsOf } from './mutant.ts'

export const node = [
  ...mutantsOf(
    'src/runtime/observer.ts',
    ['a list of a session that is over is believed', '    if (mine.signal.aborted) return\n', ''],
    [
      'events that were lost while nobody listened are never made good',
      "if (event.type === 'other' && event.action === 'subscribed') void relist()",
      "if (event.type === 'other' && event.action === 'subscribed') void 0",
    ],
    [
      'what no event told is never found',
      'if (!signal.aborted && reach.reachable) await relist()',
      'if (signal.aborted && reach.reachable) await relist()',
    ],
    ['nobody is told that an engine is out of reach', "error }\n    changed(changeOf('all', {}))", 'error }'],
    ['nobody is told that an engine is back', "    changed(changeOf('all', { containers: changes }))\n", ''],
    [
      'an engine that answers stays out of reach',
      "reach = { reachable: true, since: now(), error: '' }",
      "reach = { reachable: reach.reachable, since: now(), error: '' }",
    ],
    ['a container that cannot be looked at is given up', '      await relist()\n    }\n  }', '    }\n  }'],
    ['containers of another cluster are seen', 'view?.labels[CLUSTER_LABEL] === options.cluster ? view : undefined', 'view'],
    ['a container that has just been made is no known one', 'containers.has(id) || inspects.has(id)', 'containers.has(id)'],
    [
      'an engine that is lost is not connected to again',
      'if (!signal.aborted) await pause(timers, pauseMs, signal)',
      'if (!signal.aborted && !listed) await pause(timers, 3_600_000, signal)',
    ],
    [
      'a container is given up for a list from before it was made',
      'await Promise.all(containers.unlisted(views, ticket).map(lookAgain))\n',
      '',
    ],
    [
      'a list waits for places that are held by those who wait for it',
      'coalesce(() => observe(() => inspectOrList(id)))',
      'coalesce(() => observe(() => through(() => inspectOrList(id))))',
    ],
    [
      'networks and volumes that went stay',
      'networks: networks.putList(networkViews, networkTicket)',
      'networks: networks.putPart(networkViews, [], networkTicket)',
    ],
    ['volumes of a pod that went stay', 'const known = [...(volumesOfPod.get(podUid) ?? [])]', 'const known: string[] = []'],
  ),
  ...mutantsOf(
    'src/runtime/observer/cache.ts',
    [
      'an answer that was overtaken is believed',
      '(this.#gone.get(id) ?? 0) > ticket || (this.#seen.get(id) ?? 0) > ticket',
      '(this.#gone.get(id) ?? 0) > ticket',
    ],
    [
      'a container that is gone comes back',
      '(this.#gone.get(id) ?? 0) > ticket || (this.#seen.get(id) ?? 0) > ticket',
      '(this.#seen.get(id) ?? 0) > ticket',
    ],
    ['a list makes what it is too old to know go', '!listed.has(id) && (this.#seen.get(id) ?? 0) <= ticket', '!listed.has(id)'],
    ['what a list lacks stays', '!listed.has(id) && (this.#seen.get(id) ?? 0) <= ticket', '!listed.has(id) && ticket < 0'],
    [
      'an answer that changes nothing is as old as before',
      '    this.#seen.set(id, ticket)\n    if (before !== undefined && same(before, view)) return []\n',
      '    if (before !== undefined && same(before, view)) return []\n    this.#seen.set(id, ticket)\n',
    ],
  ),
  ...mutantsOf(
    'src/runtime/observer/hints.ts',
    ['nobody looks at a container that died', "'restart', 'die', 'oom'", "'restart', 'oom'"],
    ['nobody looks at a container that was removed', "'rename', 'update', 'destroy'])", "'rename', 'update'])"],
    [
      'nobody looks at a container that lost its network',
      'return known.container(event.container) ? {',
      'return known.network(event.container) ? {',
    ],
    [
      'foreign containers are looked at',
      'event.attributes[CLUSTER_LABEL] === known.cluster || known.container(event.id)',
      'true',
    ],
  ),
  ...mutantsOf(
    'src/runtime/observer/coalesce.ts',
    [
      'who asks while a list is under way gets that list',
      '    if (!running) return start()\n',
      '    if (!running) return start()\n    if (running) return running\n',
    ],
    [
      'a place at the gate is lost with every call that waited',
      'if (next) next()\n      else free += 1',
      'if (next) next()\n      free += next ? -1 : 1',
    ],
  ),
  ...mutantsOf(
    'src/controller/node.ts',
    [
      'files of a sandbox that started anew count as there',
      ' for (const mount of after.mounts) forgetFiles(mount.name)',
      ' view()',
    ],
    [
      'an edge that started anew counts as having its rules',
      "if (restarted && after.labels[LABEL.role] === 'edge') forget",
      "if (!restarted && after.labels[LABEL.role] === 'router') forget",
    ],
    [
      'an edited file is read back and nobody is told',
      '!isDeepStrictEqual(known, digests)\n      files.set(volume, digests)\n      return differs',
      '!isDeepStrictEqual(known, digests)\n      files.set(volume, digests)\n      return differs && known === undefined',
    ],
    [
      'owners of what changed are not told',
      'options.changed([own, ...change.labels.flatMap(ownersOf)])',
      'options.changed([own])',
    ],
    [
      'last words of an earlier run are told for those of a later one',
      "before?.state !== 'exited') {\n      tails.delete(after.id)",
      "before?.state !== 'exited') {\n      tails.has(after.id)",
    ],
  ),
  ...mutantsOf(
    'src/controller/steps.ts',
    [
      'what a failed step did is not looked at',
      '  try {\n    await work\n  } finally {\n    await site.refresh(container)\n  }',
      '  await work\n  await site.refresh(container)',
    ],
    ['an image that was removed is never pulled again', 'site.images.delete(key)\n', 'void key\n'],
    [
      'imagePullPolicy Never pulls',
      "  if (step.policy === 'Never')\n",
      "  if (step.policy === 'Never' && vault === undefined)\n",
    ],
    [
      'a container that is there already is made for ever',
      "error.kind === 'conflict') await site.refresh(step.spec.name)",
      "error.kind === 'conflict') void site",
    ],
    [
      'an engine that was out of reach for a step is believed',
      "error.kind === 'unreachable') await site.refreshShared()",
      "error.kind === 'unreachable') void site",
    ],
    [
      'a container that can never start again is started for ever',
      'if (error instanceof EngineError && STUCK.test(error.message)) await engine.removeContainer(container)',
      'if (error instanceof EngineError && STUCK.test(error.message)) void container',
    ],
    ['a postStart hook that failed counts as done', '  if (!answer.ok) throw new Error(answer.answer)\n', ''],
  ),
  ...mutantsOf(
    'src/reconcilers/podplacement.ts',
    [
      'a unit is given to two pods of one workload',
      'for (const unit of unitKeys(record.units)) unitsOn(node).add(unit)',
      'void unitKeys(record.units)',
    ],
    ['room is given to two pods of one workload', 'requests.set(node, plus(requestsOn(node), asked))', 'void asked'],
    ['what pods of other workloads hold is given again', '...input.unitsHeld(node), ', ''],
    [
      'what pods of other workloads have requested is given again',
      'plus(input.requested(node), requestsIn(memory).get(node) ?? NOTHING)',
      'requestsIn(memory).get(node) ?? NOTHING',
    ],
    ['a pod gets fewer units than it needs', "? shortage(spec, input.cluster, units) === ''", '? true'],
    ['a pod is placed where it has to wait', "context.misfit === '' && asks(", 'asks('],
    ['a pod that leaves is placed', 'if (deletion !== undefined || ended === true) return false', ''],
    ['who was made last is served first', 'a.createdAt - b.createdAt', 'b.createdAt - a.createdAt'],
  ),
  ...mutantsOf('src/reconcilers/memory.ts', [
    'a pod that has ended keeps its place',
    'return placed && ended !== true',
    'return placed',
  ]),
  ...mutantsOf(
    'src/reconcilers/transitions.ts',
    [
      'a pod that is taken away gives its place up while it stops',
      "sandbox !== 'lost' && context.record.deletion === undefined\n}",
      "sandbox !== 'lost'\n}",
    ],
    ['a pod whose sandbox was removed has ended well', "&& sandbox !== 'lost' &&", '&&'],
  ),
  ...mutantsOf(
    'src/reconcilers/room.ts',
    ['a node is never filled up', 'one.taken + one.asked > one.has', 'one.taken + one.asked >= one.has'],
    ['who asks for nothing has to wait all the same', 'one.asked > 0 && ', ''],
    ['a pod that waits takes room', ' || !holdsPlace(pod)) continue', ') continue'],
    ['what the operator says of a node goes for nothing', ', ...nodeAllocatable }', ' }'],
  ),
  ...mutantsOf('src/controller/world.ts', [
    'who is about to go takes room',
    'const memory = leaving.has(key) ? undefined : store.workloads().get(key)',
    'const memory = store.workloads().get(key)',
  ]),
  ...mutantsOf('src/reconcilers/adoption.ts', [
    'a lost store forgets who holds which unit',
    '...(units === undefined ? {} : { units }) }',
    '}',
  ]),
  ...mutantsOf('src/reconcilers/units.ts', [
    'containers of a pod share their units',
    'const first = beforeOf(spec, container).reduce((sum, one) => sum + countOf(one, name), 0)',
    'const first = 0',
  ]),
]
