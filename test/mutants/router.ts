/** Routes: what is sent where, and when that is known to be so. */
import { mutantsOf } from './mutant.ts'

export const router = [
  ...mutantsOf(
    'src/reconcilers/routes.ts',
    ['pods on their way out keep getting connections', '!terminating && (ready ||', '(ready ||'],
    ['pods that are not ready get connections', '(ready || service.spec.publishNotReadyAddresses)', 'true'],
    ['publishNotReadyAddresses is ignored', '(ready || service.spec.publishNotReadyAddresses)', 'ready'],
    [
      'a table on its way counts as served',
      'every((route) => actual.has(route))',
      'every((route) => actual.has(route) || coming.has(route))',
    ],
    ['a table on its way does not count as served where it holds the pod', 'actual.size + coming.size > 0', 'actual.size > 0'],
    [
      'a table on its way has taken a pod out already',
      'actual.size + coming.size > 0',
      '(router.applying === undefined ? actual : coming).size > 0',
    ],
    [
      'one Service that sends to a pod stands for all of them',
      '[...wanted].every((route) => actual.has(route))',
      '(wanted.size === 0 || [...wanted].some((route) => actual.has(route)))',
    ],
    [
      'a Service without a selector sends to nothing',
      'if (selector === null) return givenAddresses(service)',
      'if (selector === null) return []',
    ],
    [
      'headless Services do not count when a pod leaves',
      "placed.service.spec.type !== 'ExternalName'",
      "placed.clusterIP !== ''",
    ],
    [
      'endpoints come in the order of their pods',
      '    .sort((a, b) => compareText(a.ip, b.ip) || compareText(a.uid, b.uid))\n',
      '',
    ],
    ['a route to another address of a pod is the same route', '${protocol}/${port} ${ip}:${target}`', '${protocol}/${port}`'],
  ),
  ...mutantsOf(
    'src/reconcilers/tablediff.ts',
    [
      'those whom a table takes out are not told',
      '    for (const [uid, routes] of was) if (!sameRoutes(routes, is.get(uid))) moved.add(uid)\n',
      '',
    ],
    ['those whom a table takes in are not told', '    for (const uid of is.keys()) if (!was.has(uid)) moved.add(uid)\n', ''],
    [
      'a table with other names is the same',
      'a.domain === b.domain && sameOnce(a.dns, b.dns) && changedRoutes',
      'a.domain === b.domain && changedRoutes',
    ],
    ['a Service that went is no change', '    if (order < 0) changes.push({ before, after: undefined })\n    else if', '    if'],
    [
      'a pod that lost one of its routes is treated as before',
      'b !== undefined && a.size === b.size && a.isSubsetOf(b)',
      'b !== undefined && b.isSubsetOf(a)',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/endpoints.ts',
    ['nobody is told that a pod is on its way out', 'terminating: record.deletion !== undefined', 'terminating: false'],
    ['lost pods keep getting connections', "!record.bound || pod.sandbox === 'lost' ||", '!record.bound ||'],
    [
      'the address of a pod without a sandbox is told',
      "if (!record.bound || pod.sandbox === 'lost'",
      "if (pod.sandbox === 'lost'",
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/workload.ts',
    ['a pod that no table was asked for yet counts as acknowledged', '...(shown.has(uid) ? {} : { acknowledged: false })', ''],
    [
      'what has just become ready is not looked at again',
      'shownAll(input.memory, memory) && left === asked ? wakeTime(controller, pass) : input.now',
      'left === asked ? wakeTime(controller, pass) : input.now',
    ],
    [
      'a workload is forgotten while extra pods of it run',
      'memory.pods.length === 0 && lanes.length === 0',
      'memory.pods.length === 0',
    ],
    ['volumes of an extra pod go before its containers', 'steps: [...removals, ...volumes]', 'steps: [...volumes, ...removals]'],
    [
      'pods that run are not adopted',
      'input.memory ?? recoverMemory(input, ids)',
      'input.memory ?? emptyMemory(ids().uid, input.now)',
    ],
    ['every pass tells a lost pod anew', 'lostBy === undefined || record.deletion !== undefined', 'lostBy === undefined'],
    [
      'a workload that left Git keeps its pods',
      '{ ...memory, rollout: null, sets: memory.sets.map((set) => ({ ...set, replicas: 0 })) }',
      '{ ...memory, rollout: null }',
    ],
  ),
  ...mutantsOf(
    'src/controller/world.ts',
    ['the table is known before everything has been looked at', 'whole ||= looking.all()', 'whole ||= true'],
    [
      'the table is known before what runs has been looked at',
      'const workloads = [...store.workloads().keys(), ...observedOwners()]',
      'const workloads = [...store.workloads().keys()]',
    ],
    [
      'a workload that nobody looks after keeps everybody from their routes',
      'return [...workloads.filter((key) => !isUnknown(key)),',
      'return [...workloads,',
    ],
    [
      'the table is known before Services have their addresses',
      'return [...workloads.filter((key) => !isUnknown(key)), ...[...effective.keys()].filter(isService)]',
      'return workloads.filter((key) => !isUnknown(key))',
    ],
    [
      'pods count as taken out while no table is known',
      'return { acknowledged: true, present: true }',
      'return { acknowledged: true, present: false }',
    ],
    [
      'pods are doubted while no table is known',
      'return { acknowledged: true, present: true }',
      'return { acknowledged: false, present: true }',
    ],
    ['what is to be pruned stays what it was', '    if (pruning.has(key)) return null\n', ''],
    [
      'what nobody knows is removed though the revision was not read whole',
      'return orphaned && pruneOrphans ? null : undefined',
      'return orphaned ? null : undefined',
    ],
    ['a status of what was before counts', 'isDue: (key) => awaited.has(key)', 'isDue: () => false'],
    [
      'an address that only a container has is free',
      'holdings.hasPodAddress(ip) || nodes.some((node) => node.hasAddress(ip))',
      'holdings.hasPodAddress(ip)',
    ],
    [
      'a Service that comes or goes makes no new table',
      '        placeService(key)\n        const former',
      '        const former',
    ],
    ['the address of a Service is not in the table', '      rehold(key)\n      placeService(key)\n', '      rehold(key)\n'],
    ['the address of the name server is given to a Service', 'ip === cluster.dnsAddress || holdings', 'holdings'],
  ),
  ...mutantsOf(
    'src/controller/routing.ts',
    ['a change of pods makes no new table', '    for (const key of concerned) touched.add(key)\n', ''],
    [
      'pods of a workload that is gone stay in the table',
      'const concerned = [...(podsOf.get(owner)?.values() ?? [])].flatMap((pod) => movePod(pod, undefined))',
      'const concerned: ObjectKey[] = []',
    ],
    [
      'a pod that changes its labels stays with its former Services',
      '    for (const name of from.difference(to)) podsByLabel.move(before, undefined, () => name)\n',
      '',
    ],
    [
      'a Service that selects other pods is found by what it selected',
      'if (before !== undefined) for (const name of selectorNames(before)) servicesByLabel',
      'if (before === null) for (const name of selectorNames(before)) servicesByLabel',
    ],
    ['tables of a daemon before this one lead to nobody', '      noteTable(one)\n', ''],
    [
      'a table that changed in names alone is the old one',
      'if (moved.length === 0 && !renamed) return table',
      'if (moved.length === 0) return table',
    ],
    [
      'a Service that is gone stays in the table',
      'next.splice(placeOf(next, idOf(route)), before === undefined ? 0 : 1, ...added)',
      'next.splice(placeOf(next, idOf(route)), before === undefined || after === undefined ? 0 : 1, ...added)',
    ],
    [
      'one label of a selector is enough to be sent to',
      'candidates.filter((key) => matchesLabels(services.get(key)?.service.spec.selector ?? {}, pod.labels))',
      'candidates',
    ],
    [
      'pods that match a part of a selector are sent to',
      '[...smallest.values()].filter(({ labels }) => matchesLabels(wanted, labels))',
      '[...smallest.values()]',
    ],
    [
      'routes of a pod that is forgotten are kept for ever',
      'for (const uid of podUids) routesOf.delete(uid)',
      'for (const uid of podUids) routesOf.has(uid)',
    ],
    [
      'many changes at once leave what is gone',
      'if (before !== undefined) all.delete(idOf(before))',
      'if (before === null) all.delete(idOf(before))',
    ],
  ),
  ...mutantsOf(
    'src/controller/routerlink.ts',
    ['a table on its way is told to nobody', '      applying = table\n', '      applying = undefined\n'],
    [
      'what a router serves is forgotten when the connection is lost',
      '    client = undefined\n    drift = []',
      '    client = acknowledged = undefined\n    drift = []',
    ],
    [
      'the table of a router that is down is forgotten',
      '      if (same) return\n',
      '      if (same) return\n      if (now === undefined) acknowledged = undefined\n',
    ],
    ['a table counts as acknowledged before the answer', '      applying = table\n', '      applying = acknowledged = table\n'],
    [
      'a daemon that was held up is sure of its router',
      "lockedBy === '' && (client === undefined || options.now() - client.heardAt() < DOUBT_MS)",
      "lockedBy === ''",
    ],
    ['a daemon that was taken over from acts on', "lockedBy === '' && (client === undefined", '(client === undefined'],
    ['a lost router is not connected to again', 'if (!closed) retry = timers', 'if (closed) retry = timers'],
    [
      'rules that were changed by hand are not looked for',
      '    checker = timers.setTimeout(() => void check(), CHECK_INTERVAL_MS)\n',
      '',
    ],
    ['pods are not looked at again after a router came back', '      options.changed(true)\n', '      options.changed(false)\n'],
    [
      'drift that was mended is mended for ever',
      '      acknowledged = client?.acknowledged() ?? table\n      drift = []\n',
      '      acknowledged = client?.acknowledged() ?? table\n',
    ],
  ),
  ...mutantsOf(
    'src/runtime/router/client.ts',
    [
      'a table that the router refused counts as served',
      "    if (verb !== 'ok') return words.join(' ').trim() || 'no reason given'\n",
      "    if (verb === 'never') return words.join(' ')\n",
    ],
    [
      'a change is built on rules that are not what they were',
      'trusted && acknowledged?.domain === next.domain ?',
      'acknowledged?.domain === next.domain ?',
    ],
    [
      'a change that fails is not followed by the whole table',
      'if (refusal !== undefined && base) refusal',
      'if (refusal === undefined && base === null) refusal',
    ],
    [
      'a router whose rules were flushed is not told again',
      'if (trusted && acknowledged && sameTable',
      'if (acknowledged && sameTable',
    ],
    [
      'a router that is slow to answer is believed longer than it holds the lock',
      '        heardAt = sentAt\n',
      '        heardAt = now()\n',
    ],
  ),
  ...mutantsOf(
    'src/runtime/router/exchange.ts',
    ['an answer to another question is taken', '|| (asked.id !== 0 && words[1] !== String(asked.id))', ''],
    [
      'that another daemon has taken over goes unnoticed',
      "asked?.id !== 0 && words[0] === 'locked'",
      "asked?.id === -1 && words[0] === 'locked'",
    ],
  ),
  ...mutantsOf(
    'src/runtime/router/request.ts',
    [
      'a table made for other addresses is built on',
      'return meta?.version === 1 && same ? meta.table : undefined',
      'return meta?.version === 1 ? meta.table : undefined',
    ],
    [
      'names that changed are not sent',
      "if (sameForward) return sameReverse ? 'none' : 'reverse'",
      "if (sameForward) return 'none'",
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/nft.ts',
    ['UDP goes on flowing to a backend that left', '.filter(([key]) => !kept.has(key))', '.filter(([key]) => kept.has(key))'],
    ['a Service without backends swallows connections', '    .filter(({ port }) => port.backends.length > 0)\n', ''],
    [
      'only the first backends get connections',
      'numgen random mod ${backends.length} map { ${targets} }',
      'numgen random mod 1 map { ${targets} }',
    ],
    [
      'an element that leads elsewhere now keeps leading where it did',
      'next.elements.get(key) !== chain).map(',
      '!next.elements.has(key)).map(',
    ],
    ['clients do not stay with their backend', '...names.map((name) => `ip saddr @aff-${name} goto ep-${name}`),', ''],
  ),
  ...mutantsOf(
    'src/reconcilers/infrastructure.ts',
    [
      'routes are sent to a router that is not connected',
      'table === undefined || !router.connected || router.resting === true',
      'table === undefined || router.resting === true',
    ],
    [
      'a router that serves what it should is told again in every pass',
      '  if (router.acknowledged !== undefined && sameTable(router.acknowledged, table)) return { id, steps: [] }\n',
      '',
    ],
    ['rules that were changed by hand stay so', '  if (router.drift.length > 0) {', '  if (router.drift.length > 9) {'],
    [
      'volumes of pods that are known are removed',
      "uid !== '' && !input.knownPod(uid) && !inUse.has(uid)",
      "uid !== '' && !inUse.has(uid)",
    ],
    ['volumes in use are removed', "uid !== '' && !input.knownPod(uid) && !inUse.has(uid)", "uid !== '' && !input.knownPod(uid)"],
    ['a copy of the router stays', 'return view.id !== routerOf(input)?.id', 'return false'],
    [
      'a router of another version is left as it is',
      '  if (view.labels[LABEL.spec] !== spec.labels[LABEL.spec])\n',
      '  if (view.labels[LABEL.spec] === undefined)\n',
    ],
  ),
]
