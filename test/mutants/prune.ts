/** What a revision means, and what may be deleted because of it. */
import { mutantsOf } from './mutant.ts'

export const prune = [
  ...mutantsOf(
    'src/reconcilers/assess.ts',
    ['an empty revision prunes everything', '  if (loaded.objects.size === 0) return refuseWhole(input)\n', ''],
    [
      'an object that is refused is pruned',
      'const reason = refused.get(key) ?? refusedSuccessor(key, refused)',
      'const reason = refusedSuccessor(key, refused)',
    ],
    [
      'a workload whose successor is refused is pruned',
      'const reason = refused.get(key) ?? refusedSuccessor(key, refused)',
      'const reason = refused.get(key)',
    ],
    [
      'an object of a broken file is pruned',
      'if (!loaded.brokenFiles.has(file)) return []',
      'if (!loaded.brokenFiles.has(key)) return []',
    ],
    [
      'a broken file keeps nothing else from being pruned',
      "return file === undefined ? '' : `${file} ${whyBroken(file, loaded)}`",
      "return ''",
    ],
    [
      'a failed build keeps nothing from being pruned',
      '  if (problem !== undefined) return `${problem.file}: ${problem.message}`\n',
      '',
    ],
    ['what was healthy before a commit is healthy after it', '(changed.has(key) || !healthy(key))', '!healthy(key)'],
    ['what is not healthy keeps nothing from being pruned', '(changed.has(key) || !healthy(key))', 'changed.has(key)'],
    [
      'what is kept is lost on the way',
      "if (applied !== undefined) effective.set(key, { ...applied, state: 'retained', kind, reason })",
      "if (applied === null) effective.set(key, { ...applied, state: 'retained', kind, reason })",
    ],
    [
      'an object that changed does not count as changed',
      'if (!same(lastApplied.get(key)?.object, object)) changed',
      'if (lastApplied.get(key)?.object.kind !== object.kind) changed',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/prune.ts',
    ['pruning that is switched off prunes', "input.config.prune ? '' : 'pruning is off'", "''"],
    ['an incomplete revision prunes', "input.incomplete === '' ? '' : `nothing", "input.incomplete !== '' ? '' : `nothing"],
    ['there is no ceiling', "['ceiling', excess(input, free.length)],", ''],
    ['pruning does not wait for health', 'input.unhealthy.length === 0 ?', 'input.unhealthy.length >= 0 ?'],
    ['the ceiling is a share of what would go', 'config.maxShare * appliedCount) return', 'config.maxShare * count) return'],
    ['small clusters cannot change', 'count <= freeCount || count', 'count'],
    [
      'no revision counts as confirmed like every revision',
      "confirmed === undefined || confirmed === ''",
      'confirmed === undefined',
    ],
    ['what others stand on goes first', 'inApplyOrder(input.leaving.keys()).reverse()', 'inApplyOrder(input.leaving.keys())'],
    ['a namespace goes before what is in it', 'if (inside.length === 0) return', 'if (inside.length >= 0) return'],
    ['what asks to be kept is pruned', 'value !== undefined && protects(value)', "value !== undefined && value === ''"],
    ['annotations are read to the letter', 'return value.trim().toLowerCase()', 'return value'],
    [
      'what Trireme does not act on is waited for',
      "workloadKinds.has(object.kind) && !('body' in object)",
      'workloadKinds.has(object.kind)',
    ],
  ),
]
