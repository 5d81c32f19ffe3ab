/** Rolling updates: how many pods of which template there are. */
import { mutantsOf } from './mutant.ts'

export const rollout = [
  ...mutantsOf(
    'src/reconcilers/rollout.ts',
    [
      'maxSurge rounds down',
      'resolveCount(maxSurge, spec.replicas, Math.ceil)',
      'resolveCount(maxSurge, spec.replicas, Math.floor)',
    ],
    [
      'maxUnavailable rounds up',
      'resolveCount(maxUnavailable, spec.replicas, Math.floor)',
      'resolveCount(maxUnavailable, spec.replicas, Math.ceil)',
    ],
    ['with both bounds zero nothing moves', 'surge === 0 && unavailable === 0 ? 1 : unavailable', 'unavailable'],
    ['nothing is made beyond the replicas', 'spec.replicas + surge - total', 'spec.replicas - total'],
    ['one pod more than maxSurge is made', 'spec.replicas + surge - total', 'spec.replicas + surge + 1 - total'],
    [
      'old pods do not count towards the surge',
      'const total = sum([next, ...old], ({ replicas }) => replicas)\n  const room',
      'const total = next.replicas\n  const room',
    ],
    [
      'old pods go although the new ones are not available',
      'total - minAvailable - (next.replicas - next.available)',
      'total - minAvailable',
    ],
    ['serving pods go before those that do not', 'Math.min(room, Math.max(0, set.replicas - set.available))', '0'],
    ['maxUnavailable is not kept to', 'total - minAvailable - (next', 'total - (next'],
    ['what one old set gives up is free for the next one again', '    room -= cut\n', ''],
    ['one pod more than maxUnavailable goes', 'spec.replicas - unavailable\n', 'spec.replicas - unavailable - 1\n'],
    ['Recreate does not wait for pods that still end', 'pods > 0 || terminating > 0)\n', 'pods > 0)\n'],
    ['Recreate starts new pods beside the old ones', 'targets.size === 0 && !running && next', 'next'],
    ['a paused rollout goes on', 'spec.paused || !rolling ||', '!rolling ||'],
    [
      'a rollout is complete although old pods are there',
      '!leftovers && next.pods === spec.replicas',
      'next.pods === spec.replicas',
    ],
    [
      'a rollout is complete before its pods are available',
      'next.pods === spec.replicas && next.available === spec.replicas &&',
      'next.pods === spec.replicas &&',
    ],
    ['scaling amid a rollout forgets the surge', 'spec.replicas + rolloutBounds(spec).surge : 0', 'spec.replicas : 0'],
    ['what proportions leave over goes to nobody', 'largest !== undefined && left !== 0', 'largest !== undefined && left > 1000'],
    [
      'a Deployment that is scaled amid a rollout goes on rolling as if it were not',
      '(scaled && next.replicas > 0)) return planScale',
      'false) return planScale',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/replicas.ts',
    [
      'pods on their way out count as replicas',
      "context.record.deletion === undefined && phase !== 'Succeeded'",
      "phase !== 'Succeeded'",
    ],
    ['the most useful pods go first', '.slice(0, difference),', '.slice(-difference),'],
    ['pods that are ended get no grace period', '{ since: now, graceSeconds, cause }', '{ since: now, graceSeconds: 0, cause }'],
    [
      'a template that cannot start fails a hundred times at once',
      'Math.min(wanted, Math.max(0, bound + 1 - pending))',
      'wanted',
    ],
    ['a slow start does not wait for those before', 'Math.max(0, bound + 1 - pending)', 'Math.max(0, bound + 1)'],
    [
      'pods that are lost as soon as they are made are made without a pause',
      'at + (count <= 1 ? 0 : restartDelay(count - 1))',
      'at',
    ],
    [
      'a bare Pod that has ended is made again',
      "(context.keepsFinished && pod.context.record.deletion === undefined && pod.sandbox !== 'lost')",
      'false',
    ],
    [
      'availability does not wait for minReadySeconds when sets are counted',
      'isAvailable(pod, minReadySeconds, now)).length',
      'isAvailable(pod, 0, now)).length',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/ranking.ts',
    ['pods that are not routed yet go no sooner', '    Number(a.available) - Number(b.available) ||\n', ''],
    ['pods that are not ready go no sooner', '    Number(a.pod.ready) - Number(b.pod.ready) ||\n', ''],
    [
      'deletion cost counts the wrong way',
      'deletionCost(a.pod) - deletionCost(b.pod)',
      'deletionCost(b.pod) - deletionCost(a.pod)',
    ],
    ['old pods go before young ones', 'y.createdAt - x.createdAt', 'x.createdAt - y.createdAt'],
  ),
  ...mutantsOf(
    'src/reconcilers/wanted.ts',
    ['a paused Deployment takes a new template', '  if (wanted.spec.paused) return memory\n', ''],
    ['a set is forgotten while pods of it end', ' && set.replicas === 0 && !used.has(set.name))', ' && set.replicas === 0)'],
    [
      'the oldest sets are kept for rollbacks',
      '.sort((a, b) => b.revision - a.revision)',
      '.sort((a, b) => a.revision - b.revision)',
    ],
    [
      'running pods of a set change the values they were made with',
      'follows ? wanted.config : withCredentials(set.config, wanted)',
      'wanted.config',
    ],
    ['a set that is reverted to stays the older one', ': { ...match, revision }', ': match'],
    [
      'two pods want the same port of the host',
      "  if (!held || spec.strategy.type === 'Recreate') return spec\n",
      '  if (held || !held) return spec\n',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/binding.ts',
    ['a changed ConfigMap rolls nothing', 'config: provesConfig(template) ? { ...config, secrets } : null', 'config: null'],
    ['a new registry password rolls pods', '.filter(([name]) => !pullOnly.has(name))', ''],
    [
      'a key that does not exist is not missed',
      'key === undefined || Object.hasOwn(keys, key) ? []',
      'key === undefined || Object.hasOwn(keys, key) || true ? []',
    ],
    [
      'a changed value of a Secret goes unnoticed',
      'found.every((object, index) => object === known.found[index])',
      'found.length === known.found.length',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/transitions.ts',
    [
      'progress is timed while paused',
      'paused ? 0 : moved || last.since === 0 ? now : last.since',
      'moved || last.since === 0 ? now : last.since',
    ],
    [
      'a rollout that is late stays late after it has moved',
      "if (!late && rollout.result === 'deadlineExceeded')",
      "if (!late && rollout.result === 'complete')",
    ],
    [
      'nobody looks again when the progress deadline is over',
      '    times.push(memory.progress.since + wanted.spec.progressDeadlineSeconds * 1000)\n',
      '    times.push(0)\n',
    ],
    [
      'nobody looks again when minReadySeconds are over',
      'times.push(readySince + wanted.spec.minReadySeconds * 1000)',
      'times.push(0)',
    ],
    [
      'setbacks are never forgotten',
      'if (next.some(({ readySince }) => readySince === now)) return NO_SETBACKS',
      'if (now < 0) return NO_SETBACKS',
    ],
  ),
]
