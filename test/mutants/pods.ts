/** One pod: how it is started, watched, restarted and ended. */
import { mutantsOf } from './mutant.ts'

export const pods = [
  ...mutantsOf(
    'src/reconcilers/podstop.ts',
    [
      'a pod is stopped while it is routed',
      'if (deletion === undefined || context.routing.present) return []',
      'if (deletion === undefined) return []',
    ],
    [
      'a pod at its deadline is stopped while it is routed',
      'return context.routing.present ? [] : planStops',
      'return planStops',
    ],
    [
      'containers are removed before they are stopped',
      'return pod.containers.some(runs) ? planStops',
      'return pod.containers.some(runs) && false ? planStops',
    ],
    [
      'one container that still runs does not keep the others from being removed',
      'return pod.containers.some(runs) ? planStops',
      'return pod.containers.every(runs) ? planStops',
    ],
    ['sidecars are stopped with all others', '...(itsTurn ? [stop] : [])', 'stop'],
    [
      'the preStop hook of a sidecar waits for its turn',
      'return [...preStop(context, one, latest, cause, graceSeconds), ...(itsTurn',
      'return [...(itsTurn ? preStop(context, one, latest, cause, graceSeconds) : []), ...(itsTurn',
    ],
    ['preStop is skipped', 'return [...preStop(context, one, latest, cause, graceSeconds), ...(itsTurn', 'return [...(itsTurn'],
    ['preStop begins a second time', '|| context.record.preStopped?.includes(attempt)', ''],
    [
      'preStop runs after the stop',
      'return [...preStop(context, one, latest, cause, graceSeconds), ...(itsTurn ? [stop] : [])]',
      'return [...(itsTurn ? [stop] : []), ...preStop(context, one, latest, cause, graceSeconds)]',
    ],
    [
      'preStop of one pod stands for that of another attempt',
      'mark: { pod: context.record.uid, attempt }',
      'mark: { pod: context.record.name, attempt }',
    ],
    [
      'time that preStop has used is given again',
      'Math.ceil(leave.graceSeconds - (context.now - leave.since) / 1000)',
      'leave.graceSeconds',
    ],
    ['a preStop that used everything up leaves SIGTERM no time', 'Math.max(MIN_GRACE_SECONDS, remaining)', 'remaining'],
    [
      'a sandbox goes before its containers',
      'return [...apps, ...sandbox, ...volumes]',
      'return [...sandbox, ...apps, ...volumes]',
    ],
    ['volumes of a pod stay', 'return [...apps, ...sandbox, ...volumes]', 'return [...apps, ...sandbox]'],
    [
      'older attempts of a container stay when its pod goes',
      'attempts.map((view) => step(context, name, cause,',
      'attempts.slice(-1).map((view) => step(context, name, cause,',
    ],
    [
      'the grace period of a liveness probe is ignored',
      'own?.terminationGracePeriodSeconds ?? graceOf(context)',
      'graceOf(context)',
    ],
    [
      'a container that is restarted for a failed probe has no preStop',
      'return [...preStop(context, one, latest, cause, graceSeconds), stop]',
      'return [stop]',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/pod.ts',
    [
      'a pod that comes to its end is started anew',
      'pod.ending === undefined ? [...planPulls',
      'pod.ending !== null ? [...planPulls',
    ],
    ['Docker restarts init containers', "if (one.role === 'init' || policy === 'Never'", "if (policy === 'Never'"],
    [
      'images of init containers are all pulled at once',
      'return [...mayStart(pod.containers)]\n',
      'return [...pod.containers]\n',
    ],
    ['pods on an engine out of reach are worked on', '  if (!context.node.reachable) return []\n', ''],
    ['a pod starts without the values it refers to', '(context.missing.length > 0 || context.misfit', '(context.misfit'],
    [
      'a crashing container is restarted without a pause',
      ' && restartAt !== undefined && restartAt <= context.now',
      ' && restartAt !== undefined',
    ],
    ['crashes are not counted', 'one.failures + (crashed ? 1 : 0)', 'one.failures'],
    [
      'an end of the engine counts as a crash',
      'one.latest !== undefined && !endedWithEngine(context, one.latest)',
      'one.latest !== undefined',
    ],
    [
      'a container whose probe failed runs on',
      '  if (one.condemned !== undefined) return condemnedSteps(context, one, latest, one.condemned)\n',
      '',
    ],
    [
      'a postStart hook runs in every pass',
      'return one.hooked ? [] : postStart(context, one, latest.name, one.attempt)',
      'return postStart(context, one, latest.name, one.attempt)',
    ],
    [
      'the last dead attempt is not kept for its logs',
      "view.state !== 'exited' || index < older.length - 1",
      'index < older.length',
    ],
    ['dead attempts pile up', "view.state !== 'exited' || index < older.length - 1", "view.state !== 'exited'"],
    [
      'what carries the labels of a pod and is not in its template stays',
      '.filter(([name]) => !own.has(name))',
      '.filter(([name]) => name === SANDBOX)',
    ],
    ['a container that has just crashed is handed to Docker at once', '(crashed ? STEADY_AGAIN_MS : STEADY_MS)', 'STEADY_MS'],
    [
      'restartPolicy Never is handed to Docker all the same',
      "if (one.role === 'init' || policy === 'Never' || context.now < steadyAt(view)) return 'no'",
      "if (one.role === 'init' || context.now < steadyAt(view)) return 'no'",
    ],
    ['runAsNonRoot lets root of the image through', "user === '' || user === '0' || user === 'root'", "user === '0'"],
    [
      'an image that is pulled Always is pulled again for a restart',
      "latest !== undefined && container.imagePullPolicy === 'Always' ?",
      "latest === undefined && container.imagePullPolicy === 'Always' ?",
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/podprepare.ts',
    ['files that were changed are not put back', 'if (wrong.length === 0) return []', 'if (launched) return []'],
    [
      'files are put in again when a daemon starts',
      "if (seen === undefined) return launched ? [] : put('new pod')",
      "if (seen === undefined) return put('new pod')",
    ],
    [
      'a pod begins with empty files',
      '[...prepareVolumes(pod), ...prepareSandbox(pod), ...prepareFiles(pod)]',
      '[...prepareVolumes(pod), ...prepareSandbox(pod)]',
    ],
    [
      'a volume that is there is made again',
      'volume === undefined || existing.has(volume.name)',
      'volume === undefined || existing.size < 0',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/podorder.ts',
    ['containers start in no order', 'containers.slice(0, awaited + 1)', 'containers'],
    ['an init container that has completed runs again', "role !== 'init' || !passed", "role !== 'sidecar' || !passed"],
    ['sidecars stop in the order they started', 'containers.findLastIndex(runs)', 'containers.findIndex(runs)'],
  ),
  ...mutantsOf(
    'src/reconcilers/transitions.ts',
    ['that an init container has completed is forgotten', '...(passed.length > 0 ? { passed } : {})', '...{}'],
    ['a deadline passes by', 'if (at === undefined || now < at) return undefined', 'return undefined'],
    ['nobody wakes a pod at its deadline', 'if (deadline !== undefined) times.push(deadline)', ''],
  ),
  ...mutantsOf('src/reconcilers/podcontext.ts', [
    'a step of one container is no step of its pod',
    'lane === `pod/${record.uid}` || lane.startsWith(`pod/${record.uid}/`))',
    'lane === `pod/${record.uid}`)',
  ]),
  ...mutantsOf(
    'src/reconcilers/containerstate.ts',
    ['what was made after an init container does not tell that it has completed', 'overtaken || context', 'context'],
    [
      'a sidecar that has ended well stays so',
      "if (role === 'sidecar') return 'Always'",
      "if (role === 'sidecar') return 'OnFailure'",
    ],
    ['a new run counts as ready because an earlier one was', 'latest.startedAt <= record.readySince', 'record.readySince > 0'],
    [
      'a restart of the daemon takes pods out until they are probed',
      "|| (wasReady && (state === undefined || state.result === 'unknown'))",
      '',
    ],
    ['a pod is ready before its startup probe', 'serves: started && awaits.length === 0', 'serves: awaits.length === 0'],
    ['a container is sent to before it listens', 'serves: started && awaits.length === 0 &&', 'serves: started &&'],
    [
      'a failed liveness probe has no consequence',
      "for (const probe of ['startup', 'liveness'] as const)",
      "for (const probe of ['startup'] as const)",
    ],
    [
      'a failed postStart hook has no consequence',
      'return failure === undefined ? undefined : { cause: `postStart',
      'return failure === undefined || failure ? undefined : { cause: `postStart',
    ],
    ['crashes of long ago are not forgiven', "  if (view.state === 'exited' && ranMs >= BACKOFF_RESET_MS) return 0\n", ''],
    [
      'the pause between restarts has no upper bound',
      'Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 10))',
      'BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 10)',
    ],
    ['the pause between restarts does not grow', 'BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 10)', 'BACKOFF_FIRST_MS'],
    [
      'a container that ended well is restarted against its policy',
      "policy === 'Never' || (policy === 'OnFailure' && view.exitCode === 0)",
      "policy === 'Never'",
    ],
    [
      'a start that Docker gave up counts as a crash',
      "return view.state === 'exited' && view.error.includes(",
      "return view.state === 'created' && view.error.includes(",
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/podstate.ts',
    [
      'a sandbox that was started anew keeps its pod, whatever the order',
      'if (!ends && hasLostOrder(',
      'if (ends && hasLostOrder(',
    ],
    ['a finished pod whose engine was restarted runs again', 'if (!ends && hasLostOrder(', 'if (hasLostOrder('],
    [
      'an init container that has completed is taken for one that failed',
      "one.role === 'init' && !one.passed && isOver(one)",
      "one.role === 'init' && isOver(one)",
    ],
    [
      'sidecars decide how a pod has ended',
      "role !== 'main' || latest?.exitCode === 0",
      "role === 'init' || latest?.exitCode === 0",
    ],
    [
      'a pod is available before its router has acknowledged it',
      'return pod.ready && pod.context.routing.acknowledged && readySince > 0',
      'return pod.ready && readySince > 0',
    ],
    [
      'a pod is available before minReadySeconds',
      'readySince > 0 && now - readySince >= minReadySeconds * 1000',
      'readySince > 0',
    ],
    ['minReadySeconds are milliseconds', 'now - readySince >= minReadySeconds * 1000', 'now - readySince >= minReadySeconds'],
    ['pods on an engine out of reach are not ready', ': context.record.readySince > 0,\n', ': false,\n'],
    [
      'a pod whose sandbox was removed is not lost',
      'if (gone && context.record.bound) return',
      'if (gone && context.record.bound && view !== undefined) return',
    ],
    ['a pod whose sandbox has another address is not lost', 'if (address !== context.record.ip)', "if (address === '')"],
    [
      'containers that a restarted sandbox has cut off are left so',
      '  if (cutOff && !ends)\n',
      '  if (cutOff && view.startedAt < 0)\n',
    ],
    [
      'empty secret files after a restart of the sandbox go unnoticed',
      'containers.some((one) => hasLostMemory(context, one, restartedAt))',
      'containers.some((one) => hasLostMemory(context, one, 0))',
    ],
    [
      'a pod whose address is taken tries it for ever',
      "if (start?.kind === 'addressTaken') return",
      "if (start?.kind === 'notFound') return",
    ],
    [
      'a pod is ready without its sandbox',
      "phase === 'Running' && stage === 'running' && containers",
      "phase === 'Running' && containers",
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/transitions.ts',
    ['a pod is forgotten while a step of it is under way', 'return !isBusy(context)', 'return true'],
    [
      'a pod is forgotten before its volumes are gone',
      'if (volumes.length > 0 && !volumes.some((volume) => failures.has(volumeRemovalId(record.uid, volume)))) return false',
      '',
    ],
    [
      'a pod is forgotten while its engine is out of reach',
      'if (!node.reachable || record.deletion === undefined || observed',
      'if (record.deletion === undefined || observed',
    ],
    ['a pod is ready since the last look at it', 'pod.ready ? record.readySince || now : 0', 'pod.ready ? now : 0'],
    [
      'a pod that is not ready any more keeps its time',
      'pod.ready ? record.readySince || now : 0',
      'pod.ready ? record.readySince || now : record.readySince',
    ],
    [
      'that a pod had a sandbox is forgotten with it',
      'record.bound || observed?.sandbox !== undefined',
      'observed?.sandbox !== undefined',
    ],
    [
      'a lost pod is not replaced',
      "const lost = record.deletion === undefined && (pod.sandbox === 'lost'",
      "const lost = record.deletion !== undefined && (pod.sandbox === 'lost'",
    ],
    [
      'a container counts as launched before its postStart hook is done',
      "stage === 'running' && hooked)",
      "stage === 'running')",
    ],
    ['nobody looks again when a restart is due', '...(restartAt === undefined ? [] : [restartAt]),', ''],
    [
      'nobody looks again when a container need not listen any more',
      '...(latest !== undefined && awaits.length > 0 ? [listenDeadline(latest)] : []),',
      '',
    ],
    [
      'the record of a pod that never was anything stays',
      'return left.length === memory.pods.length ? memory : { ...memory, pods: left }',
      'return left.length >= 0 ? memory : { ...memory, pods: left }',
    ],
    [
      'a preStop that has begun is forgotten when another container begins its own',
      '.filter((mark) => !sameContainer(mark, attempt))',
      '.filter((mark) => mark === attempt)',
    ],
  ),
  ...mutantsOf(
    'src/reconcilers/listening.ts',
    [
      'a port that nobody opens keeps a pod from being ready for ever',
      ' || now >= listenDeadline(view)) return []',
      ') return []',
    ],
    [
      'a container with a readiness probe is asked on its ports too',
      'readinessProbe !== undefined || startupProbe !== undefined || now',
      'startupProbe !== undefined || now',
    ],
    [
      'one port that listens is enough',
      "probes[portKind(port)]?.result !== 'success')",
      "probes[portKind(port)]?.result === 'failure')",
    ],
  ),
  ...mutantsOf('src/reconcilers/compilations.ts', [
    'what was compiled of pods that are gone is kept',
    'if (!staying.has(uid)) pods.delete(uid)',
    '',
  ]),
  ...mutantsOf(
    'src/reconcilers/observepods.ts',
    [
      'a container that starts again is told of the Services of today',
      'observed?.sandbox === undefined ? serviceLinks :',
      'observed !== null ? serviceLinks :',
    ],
    ['a pod that wants no variables of Services gets them', "if (!template.spec.enableServiceLinks) return ''\n", ''],
    ['a replaced set starts pods without the values they refer to', 'missingIn(set.template, namespace, set.config)', '[]'],
  ),
  ...mutantsOf('src/reconcilers/environment.ts', [
    'variables cannot name those of Services',
    'new Map([...linked, ...values])',
    'new Map(values)',
  ]),
  ...mutantsOf('src/runtime/resolve.ts', [
    'what is told of a Service counts over what the container sets',
    '.filter(({ name }) => !own.has(name))',
    '',
  ]),
  ...mutantsOf(
    'src/reconcilers/podstate.ts',
    [
      'a container that was started again before the clock was set back is taken to be cut off from its sandbox',
      'return finishedAt === 0 ? 0 : startedAt',
      'return startedAt',
    ],
    ['a sandbox that was started anew is never found out', 'return finishedAt === 0 ? 0 : startedAt', 'return 0'],
  ),
  ...mutantsOf('src/controller/world.ts', [
    'a pod is made before the Services that came with it have their addresses',
    'if (service !== undefined && !memory?.clusterIP) links.expect(key)\n',
    '',
  ]),
  ...mutantsOf('src/reconcilers/gates.ts', [
    'any condition opens a gate',
    "if (status === 'True') return []",
    'if (status !== undefined) return []',
  ]),
  ...mutantsOf('src/reconcilers/security.ts', [
    'a seccomp profile of the operator is left out',
    "return profile?.type === 'Localhost' ? [`${SECCOMP_FILE}${profile.localhostProfile ?? ''}`] : []",
    'return []',
  ]),
]
