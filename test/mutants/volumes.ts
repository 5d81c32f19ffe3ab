/** Volumes: what a claim gets, what outlives whom, and what a container may be given of the node. */
import { mutantsOf } from './mutant.ts'

export const volumes = [
  ...mutantsOf(
    'src/reconcilers/tokenrenewal.ts',
    ['a token is renewed only when it expires', 'const RENEWED_AFTER = 0.8', 'const RENEWED_AFTER = 1'],
    ['a token that is good for long is renewed late', 'Math.min(LONGEST_MS, ', 'Math.min('],
    [
      'a token of another daemon is never renewed',
      'return at !== undefined && (',
      'return at !== undefined && node.tokens.get(volume.source) !== undefined && (',
    ],
    ['a token that is not good yet stays', ' || isAhead(node.tokens.get(volume.source) ?? 0, now)', ''],
    [
      'a token of nobody is given',
      'name === DEFAULT_ACCOUNT || exists(namespace, name)',
      'name !== DEFAULT_ACCOUNT || exists(namespace, name)',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/tokens.ts',
    ['everybody may read what one user is to read', 'uid !== undefined ? 0o600 : defaultMode', 'defaultMode'],
    ['the group of the volumes may not read a token', 'group !== undefined ? 0o640 : ', ''],
    ['a token is for everybody', 'aud: [audience || issuer]', 'aud: [issuer]'],
  ),
  ...mutantsOf('src/runtime/vault.ts', ['a token is shown', '.replace(TOKEN, REDACTED)', '']),
  ...mutantsOf('src/reconcilers/volumes.ts', [
    'a token is exchanged under who reads it',
    '(!provesConfig(template) || hasToken(files))',
    '!provesConfig(template)',
  ]),
  ...mutantsOf(
    'src/runtime/probes/volumes.ts',
    [
      'a volume at its limit counts as over it',
      '(held.get(source) ?? 0) > limit.bytes',
      '(held.get(source) ?? 0) >= limit.bytes',
    ],
    ['every pod has the engine count anew', 'if (known !== undefined) return known', ''],
    ['volumes are left out of what a pod has', '[...written, ...inVolumes]', 'written'],
  ),
  ...mutantsOf(
    'src/reconcilers/localstorage.ts',
    ['what an init container has written counts for ever', 'pod.containers.filter(runs).flatMap', 'pod.containers.flatMap'],
    [
      'a container without a limit writes what it likes',
      ' || pod.containers.some(({ compiled }) => !isLimited(compiled.container))',
      '',
    ],
    [
      'init containers add to what a pod may have',
      'podPeak(spec,',
      'podPeak({ ...spec, initContainers: [], containers: [...spec.initContainers, ...spec.containers] },',
    ],
  ),
  ...mutantsOf('src/runtime/prober.ts', [
    'counting what is on a disk takes the places of probes',
    "if (kind === 'storage') return countSlots",
    '',
  ]),
  ...mutantsOf('src/runtime/seccomp.ts', [
    'a file beside the folder of the profiles can be named',
    'if (/^\\.\\.(\\/|$)/.test(relative(root, file)))',
    'if (root === file)',
  ]),
  ...mutantsOf(
    'src/reconcilers/onepod.ts',
    [
      'two pods have a claim that is for one',
      "?.spec.accessModes.includes('ReadWriteOncePod')",
      '?.spec.accessModes.length === 0',
    ],
    ['a pod that was made by hand is overlooked', 'isMounted(node, claimVolume(name), pod.uid) || ', ''],
    ['pods that are made together both have it', ' || others().some(has(pod.namespace, name))', ''],
  ),
  ...mutantsOf(
    'src/reconcilers/retention.ts',
    ['a claim that is in Git by itself goes', '  if (claim(namespace, name) !== undefined) return false\n', ''],
    ['a claim goes while its pod is still there', ' && !taken.has(name)', ''],
    ['a claim goes while somebody else has it', ' && !mounted.has(volume)', ''],
    ['a claim of a class that retains goes', "?.labels[LABEL.reclaim] === 'Delete'", ' !== undefined'],
    ['a claim goes though it is wanted again', '.filter((name) => !isWanted(name))', ''],
    ['a pod takes a claim that is being removed', 'inFlight.has(claimLane(namespace, claim))', 'inFlight.has(claim)'],
  ),
  ...mutantsOf(
    'src/reconcilers/offer.ts',
    [
      'who comes first by name takes what another one holds',
      'const taken = new Set(held.values())',
      'const taken = new Set<string>()',
    ],
    ['the largest is taken', 'a.size - b.size ||', 'b.size - a.size ||'],
    [
      'what is reserved for a claim goes to any',
      'return claimRef && `${claimRef.namespace}/${claimRef.name}`',
      'return claimRef && undefined',
    ],
    ['who asks by name takes what another one has', '!taken.has(name) || held.get(claim) === name', 'name !== claim'],
    ['what is smaller than asked for is skipped one too far', '.size < size) from', '.size <= size) from'],
  ),
  ...mutantsOf('src/controller/claims.ts', [
    'a claim waits for a PersistentVolume that another has given up',
    'if ([...before.keys()].some((id) => !after.has(id))) return false\n',
    '',
  ]),
  ...mutantsOf(
    'src/reconcilers/claims.ts',
    ['a PersistentVolume goes to two claims', '    if (!failed) offer.take(outcome.persistentVolume)\n', ''],
    [
      'a volume that is reserved goes to anybody',
      'claimId(claimRef.namespace, claimRef.name) !== claimId(metadata.namespace, metadata.name)',
      'false',
    ],
    [
      'a pod goes on without its claim',
      'if (found === undefined) return [`PersistentVolumeClaim ${id} does not exist (volume ${name})`]',
      'if (found === undefined) return []',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/places.ts',
    ['who only reads is taken for a writer', 'if (mount.readOnly) return false', ''],
    ['a folder beside the part counts as one above it', 'startsWith(`${mount.source}/`)', 'startsWith(mount.source)'],
    ['a claim is given to its group at each restart', "volume.kind === 'claim' && input.first &&", "volume.kind === 'claim' &&"],
    ['a part is not guarded', 'guarded: parts.length > 0 && !input.mountsParts', 'guarded: false'],
  ),
  ...mutantsOf(
    'src/reconcilers/hostpaths.ts',
    ['a place of the node is looked at though nobody mounts it', '    if (!mounted.has(volume)) return []\n', ''],
    ['no place of the node is looked at', "place === undefined || place.type === ''", 'place !== null'],
    ['who only looks may write anywhere', "capAdd: makes ? ['DAC_OVERRIDE'] : []", "capAdd: ['DAC_OVERRIDE']"],
  ),
  ...mutantsOf(
    'src/runtime/hostpaths.ts',
    ['a place of another type will do', 'if (found !== is) throw', 'if (found === undefined) throw'],
    ['what places were looked at with is left behind', '    await engine.removeContainer(id)\n', ''],
    ['a daemon that has ended in the middle is in the way for ever', '  await engine.removeContainer(config.name)\n', ''],
  ),
  ...mutantsOf('src/reconcilers/infrastructure.ts', [
    'what places of the node are just looked at with is removed',
    "return !input.inFlight.has(podLane(labels[LABEL.podUid] ?? ''))",
    'return true',
  ]),
  ...mutantsOf(
    'src/reconcilers/podprepare.ts',
    ["a claim's volume is made for each pod", ' || context.node.volumes.has(source)) return []', ') return []'],
    ['what somebody edited counts as a change in Git', 'if (!inPlace) return false', ''],
    ['what a put left behind that was cut off stays', 'if (!inPlace) return edited', 'if (edited.length >= 0) return edited'],
  ),
  ...mutantsOf('src/reconcilers/volumes.ts', [
    'files of a pod that never changes are links',
    'FROM_GIT.has(kind) && (!provesConfig(template) || hasToken(files))',
    'FROM_GIT.has(kind)',
  ]),
  ...mutantsOf(
    'src/runtime/visible.ts',
    ['a link that leads anywhere is taken for a file', '&& target === `${DATA}/${path}`', ''],
    ['files may come from another folder', "!target.includes('/') && ", ''],
  ),
  ...mutantsOf('src/controller/steps.ts', [
    'files are put in and nobody is led to them',
    'await exchangeFiles(',
    'void ((..._: unknown[]) => 0)(',
  ]),
  ...mutantsOf('src/reconcilers/pod.ts', [
    'Docker restarts a container whose part nobody has looked at',
    'if (places(context, one, false).some(({ guarded }) => guarded)) return',
    'if (places(context, one, false).length < 0) return',
  ]),
  ...mutantsOf(
    'src/reconcilers/wanted.ts',
    ['config in place is taken with holes in it', ' && wanted.missing.length === 0)', ')'],
    [
      'a value that was replaced is no secret any more',
      'const retired = runs ? retiredValues(set, config) : []',
      'const retired: string[] = []',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/mounts.ts',
    ['a part leaves its volume', "parts.includes('..') ? undefined : ", ''],
    ["a secret becomes part of a path in the engine's state", "typeof written !== 'string' || ", ''],
  ),
]
