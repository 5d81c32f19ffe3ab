/** Controllers: which pod comes and goes next, on which number or node, and under which name and address. */
import { mutantsOf } from './mutant.ts'

export const sets = [
  ...mutantsOf(
    'src/reconcilers/ordinals.ts',
    [
      'the next pod does not wait for the one before',
      'if (rules.ordered && pod?.available !== true) return { create, remove, blocked: true }',
      '',
    ],
    ['pods below the partition come back on the new revision', 'set: held ? current : next', 'set: next'],
    ['the partition is one too short', 'index < rolling.partition', 'index < rolling.partition - 1'],
    [
      'pods below the partition are updated too',
      'rolling !== null && !held && pod !== undefined',
      'rolling !== null && pod !== undefined',
    ],
    ['a broken pod holds up the commit that mends it', '!pod.leaving && !pod.ready && isForeign(rules, slot)', 'false'],
    ['the update begins at the lowest number', '    .toReversed()\n', ''],
    ['the update takes as many as it likes', '.slice(0, Math.max(0, room))', ''],
    [
      'pods that are missing do not count against the update',
      '(rules.rolling?.maxUnavailable ?? 0) - unavailable',
      '(rules.rolling?.maxUnavailable ?? 0)',
    ],
    [
      'pods that are still to be made do not count either',
      'rules.replicas - slots.filter(({ pod }) => pod?.available === true).length',
      'slots.filter(({ pod }) => pod?.available !== true).length',
    ],
    ['as many slots are looked at as a manifest asks for', 'Math.min(replicas, 2 * pods.length + 1)', 'Math.min(replicas, 100)'],
    ['pods far beyond the others are surplus', '[...first, ...beyond].map', '[...first].map'],
    ['the lowest surplus pod goes first', 'b.ordinal - a.ordinal', 'a.ordinal - b.ordinal'],
    ['updating does not wait for scaling', 'if (surplus.blocked) return { create: filled.create, remove }\n', ''],
    [
      'a surplus pod that leaves is not waited for',
      'remove: surplusRemoval(highest), blocked: true',
      'remove: surplusRemoval(highest), blocked: false',
    ],
    [
      'OnDelete updates pods',
      'if (rules.rolling === null || !held) return isOutdated(rules, slot)',
      'if (!held) return isOutdated({ ...rules, rolling: { partition: 0, maxUnavailable: 1 } }, slot)',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/statefulset.ts',
    ['hosts are not named after their pods', 'hostname: name, ', ''],
    ['pods have no label of their own', "    'statefulset.kubernetes.io/pod-name': name,\n", ''],
    [
      'the revision that pods below the partition come back on is never replaced',
      'rolled ? rules.next : rules.current',
      'rules.current',
    ],
    ['a lost store forgets which revision was there before', 'a.revision - b.revision', 'b.revision - a.revision'],
  ),
  ...mutantsOf('src/reconcilers/wanted.ts', [
    'the revision below a partition is no longer kept',
    ' && set.name !== memory.current',
    '',
  ]),
  ...mutantsOf(
    'src/reconcilers/rolloutspec.ts',
    ['the pods of a StatefulSet are in no domain', 'subdomain: serviceName || undefined,', ''],
    ['all pods of a StatefulSet share a claim', '${claim.claimName}${pod}', '${claim.claimName}'],
    [
      'a volume hides the claim of its name',
      'template.spec.volumes.filter(({ name }) => !names.includes(name))',
      'template.spec.volumes',
    ],
  ),
  ...mutantsOf('src/reconcilers/newpod.ts', [
    'a pod is made while another of its name is there',
    'if ([...taken, ...input.pods].some((other) => other.name === podName)) return undefined\n',
    '',
  ]),
  ...mutantsOf('src/reconcilers/workload.ts', [
    'nobody looks again after a pod that never was is dropped',
    ' && left === asked',
    '',
  ]),
  ...mutantsOf(
    'src/reconcilers/daemons.ts',
    [
      'a node gets a pod while another leaves it',
      'fresh === undefined && old === undefined && !clearing',
      'fresh === undefined && old === undefined',
    ],
    [
      'pods that do not serve wait for their turn',
      '[...idle, ...serving.slice(0, Math.max(0, rolling.unavailable - missing))]',
      'serving.slice(0, Math.max(0, rolling.unavailable - missing))',
    ],
    ['pods that do not serve do not count', 'rolling.unavailable - missing', 'rolling.unavailable'],
    ['every node surges at once', 'rolling.surge - surging', 'rolling.surge'],
    ['the old pod goes before the new one serves', '(fresh.available || !old.available)', 'true'],
    [
      'OnDelete replaces pods',
      'if (rolling === null) return { create: [], remove: relieved.map(stale) }',
      'if (rolling === null) return { create: [], remove: places.flatMap(({ old }) => old ?? []).map(stale) }',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/newpod.ts',
    [
      'two pods of one pass get one address',
      'input.addressUsed(address) || taken.some(({ ip }) => ip === address)',
      'input.addressUsed(address)',
    ],
    [
      'a pod gets an address that another workload has',
      'input.addressUsed(address) || taken.some(({ ip }) => ip === address)',
      'taken.some(({ ip }) => ip === address)',
    ],
  ),
  ...mutantsOf('src/reconcilers/rolloutspec.ts', [
    'two pods want the same port of the host',
    "!held || spec.strategy.type === 'Recreate' ? spec",
    'held || !held ? spec',
  ]),
  ...mutantsOf('src/reconcilers/replicated.ts', [
    'scaling is not told from rolling',
    'memory.scaledTo !== wanted.spec.replicas',
    'false',
  ]),
]
