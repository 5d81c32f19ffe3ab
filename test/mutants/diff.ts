/** The three-way diff, and the drift of containers. */
import { mutantsOf } from './mutant.ts'

export const diff = [
  ...mutantsOf(
    'src/diff/merge.ts',
    [
      'a field that was removed from Git stays',
      '    if (lastApplied !== undefined && lastApplied !== null) return undefined\n',
      '',
    ],
    [
      'a field that Git never had is removed',
      '    if (observed !== undefined) foreign.push(at)\n    return observed\n',
      '    return undefined\n',
    ],
    ['an explicit null clears nothing', 'if (desired === null) return undefined', 'if (desired === null) return observed'],
    ['a list that became a map is merged with it', '!isKeyedMap(observed) || !alike(desired, observed)', '!isKeyedMap(observed)'],
    ['nulls stay where nothing was observed', 'return withoutNulls(desired)\n', 'return desired\n'],
    [
      'items of others lose their place',
      'if (own.has(segment)) before = order.indexOf(segment)',
      'if (own.has(segment)) before = order.length - 1',
    ],
    [
      'what is observed wins',
      '  if (!isKeyedMap(desired)) return desired\n',
      '  if (!isKeyedMap(desired)) return observed ?? desired\n',
    ],
  ),
  ...mutantsOf(
    'src/diff/threeway.ts',
    [
      'what others have set counts as a difference to mend',
      "differences.filter(({ action }) => action !== 'keep')",
      "differences.filter(({ action }) => action !== 'remove')",
    ],
    [
      'a commit is taken for drift',
      "  // Git asked for a change here if what it says now is not what it said last.\n  const owner = same(values.lastApplied, values.desired) ? 'drift' : 'git'",
      "  const owner = same(values.lastApplied, values.desired) ? 'git' : 'drift'",
    ],
    [
      'items that come or go are told as a change of order too',
      'if (segments.at(-1) !== orderSegment) return false',
      'if (segments.at(-1) !== null) return false',
    ],
    [
      'items that swap places are no difference',
      'if (segments.at(-1) !== orderSegment) return false\n',
      'if (segments.at(-1) !== orderSegment) return false\n  if (segments.length > 0) return true\n',
    ],
    [
      'an object that Git never had is removed',
      'const asked = desired === null || !isAbsent(lastApplied)',
      'const asked = desired !== undefined || !isAbsent(observed)',
    ],
    [
      'an object that left Git stays',
      'const asked = desired === null || !isAbsent(lastApplied)',
      'const asked = desired === null',
    ],
  ),
  ...mutantsOf(
    'src/diff/keyed.ts',
    [
      'two items of one name become one',
      'if (segment === undefined || items.has(segment)) return undefined',
      'if (segment === undefined) return undefined',
    ],
    [
      'items are known by their first field alone',
      '    identity.push([field, value])\n',
      '    if (identity.length === 0) identity.push([field, value])\n',
    ],
    ['a field that is inherited identifies an item', 'Object.hasOwn(item, field) ? item[field] : undefined', 'item[field]'],
    [
      'null in what is observed is a value',
      'observed === undefined || observed === null ? undefined : key(observed, { keys, keepNulls: false }',
      'observed === undefined || observed === null ? undefined : key(observed, { keys, keepNulls: true }',
    ],
    [
      'numbers that JSON does not know stay',
      "typeof value === 'number' && !Number.isFinite(value) ? null",
      "typeof value === 'number' && value === null ? null",
    ],
  ),
  ...mutantsOf(
    'src/diff/narrow.ts',
    [
      'what only others have set is not looked at',
      '  for (const field of Object.keys(observed)) if (!Object.hasOwn(desired, field)) place(field)\n',
      '',
    ],
    [
      'items lose what they are known by',
      '  for (const field of fields) if (Object.hasOwn(item, field)) kept[field] = item[field]\n',
      '',
    ],
  ),
  ...mutantsOf('src/diff/patch.ts', [
    'what has become something else is compared part by part',
    'if (!isKeyedMap(from) || !isKeyedMap(to) || !alike(from, to))',
    'if (!isKeyedMap(from) || !isKeyedMap(to))',
  ]),
  ...mutantsOf(
    'src/diff/equal.ts',
    ['a list that begins alike is equal', 'a.length === b.length && a.every', 'a.every'],
    ['more keys make no difference', 'return present === 0', 'return present >= -1'],
    ['a list equals a map of its items', '  if (Array.isArray(b)) return false\n', ''],
  ),
  ...mutantsOf(
    'src/diff/objects.ts',
    [
      'drift is told as a change of Git',
      "if (changes.every(({ owner }) => owner === 'drift')) return 'drift'",
      "if (changes.some(({ owner }) => owner === 'foreign')) return 'drift'",
    ],
    [
      'one drift hides a change of Git',
      "changes.every(({ owner }) => owner === 'drift')",
      "changes.some(({ owner }) => owner === 'drift')",
    ],
  ),
  ...mutantsOf('src/diff/order.ts', [
    'workloads are applied before their configuration',
    'return workloadKinds.has(kind) ? foundations.length : foundations.length + 1',
    'return workloadKinds.has(kind) ? 0 : foundations.length + 1',
  ]),
  ...mutantsOf(
    'src/diff/keys.ts',
    ['order means something in every list', 'ordered: asData || !unordered.test(path)', 'ordered: true'],
    ['order means nothing in any list', 'ordered: asData || !unordered.test(path)', 'ordered: false'],
  ),
  ...mutantsOf(
    'src/diff/container.ts',
    ['a paused container is no drift', "if (view.state !== 'paused') return []", "if (view.state !== 'exited') return []"],
    ['a renamed container is no drift', '    ...diffName(spec.name, view.name),\n', ''],
    ['a changed limit is no drift', '    ...diffResources(spec.resources, view.resources),\n', ''],
    ['a changed restart policy is no drift', '    ...diffRestartPolicy(restartPolicy, view.restartPolicy),\n', ''],
    ['a container that lost its network is no drift', '    ...diffNetwork(spec, view),\n', ''],
    ['that a limit was lifted is drift for ever', 'value === undefined || value <= 0', 'value === undefined || value === 0'],
    ['the default of the kernel is drift for ever', "field === 'cpuShares' && value === defaultShares ? null : value", 'value'],
  ),
]
