/** An application as somebody keeps it in Git: made, changed and broken by chance. */
import type { Behaviour } from './behaviour.ts'
import type { Chance } from './chance.ts'

export interface Component {
  readonly name: string
  readonly kind: 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet' | 'Pod' | 'Job' | 'CronJob'
  /** of a Job: completions; a CronJob is one of its Jobs at a time, with one pod */
  readonly replicas: number
  readonly behaviour: Behaviour
  readonly version: number
  readonly recreate: boolean
  /** of a StatefulSet: its pods come and go in no order */
  readonly parallel: boolean
  readonly surge: number | string
  readonly unavailable: number | string
  readonly minReadySeconds: number
  readonly deadlineSeconds: number
  readonly graceSeconds: number
  readonly preStopSeconds: number
  readonly liveness: boolean
  readonly sidecar: boolean
  /** what is started before its containers, in order */
  readonly before: readonly Before[]
  /** of a Deployment; a CronJob is suspended */
  readonly paused: boolean
  readonly schedule: Schedule | null
  readonly config: { readonly configMap: string; readonly secret: string; readonly mounted: boolean } | null
  readonly service: 'ClusterIP' | 'Headless' | 'NodePort' | 'LoadBalancer' | null
}

/** An init container that takes so long, or a sidecar that becomes ready after so long: ms. */
export interface Before {
  readonly kind: 'init' | 'sidecar'
  readonly ms: number
}

/** When a CronJob is due, and what becomes of those of its Jobs that run still, or have ended. */
export interface Schedule {
  readonly everyMinutes: number
  readonly concurrency: 'Allow' | 'Forbid' | 'Replace'
  readonly keepSucceeded: number
  readonly keepFailed: number
}

export interface Application {
  readonly components: readonly Component[]
  /** values of the ConfigMaps and Secrets, by name */
  readonly values: Readonly<Record<string, string>>
}

export const NAMESPACE = 'shop'

export function makeApplication(chance: Chance, size: number): Application {
  const components = Array.from({ length: size }, (_, index) => makeComponent(chance, `w${index}`))
  return withValues(chance, { components, values: {} })
}

function makeComponent(chance: Chance, name: string): Component {
  const kind = chance.weighted([
    [8, 'Deployment'],
    [1, 'ReplicaSet'],
    [3, 'StatefulSet'],
    [1, 'DaemonSet'],
    [1, 'Pod'],
    [2, 'Job'],
    [3, 'CronJob'],
  ] as const)
  return {
    name,
    kind,
    replicas: isSingle(kind)
      ? 1
      : chance.weighted([
          [1, 0],
          [4, 1],
          [4, 2],
          [4, 3],
          [1, 5],
        ]),
    behaviour: soundBehaviour(chance, kind),
    version: 1,
    recreate: kind === 'Deployment' && chance.oneIn(8),
    parallel: kind === 'StatefulSet' && chance.oneIn(3),
    ...bounds(chance),
    minReadySeconds: chance.weighted([
      [3, 0],
      [1, 5],
    ]),
    deadlineSeconds: chance.pick([20, 60, 600]),
    graceSeconds: chance.pick([1, 5, 30]),
    preStopSeconds: chance.weighted([
      [4, 0],
      [1, 3],
    ]),
    liveness: chance.oneIn(3),
    // A container that goes on for ever keeps a Job from its end.
    sidecar: !comesToAnEnd(kind) && chance.oneIn(5),
    before: chance.oneIn(3) ? makeBefore(chance) : [],
    paused: false,
    schedule: kind === 'CronJob' ? makeSchedule(chance) : null,
    config: chance.oneIn(2) ? { configMap: `${name}-config`, secret: `${name}-secret`, mounted: chance.oneIn(2) } : null,
    service: comesToAnEnd(kind)
      ? null
      : chance.weighted([
          [6, 'ClusterIP'],
          [1, 'Headless'],
          [1, 'NodePort'],
          [1, null],
        ] as const),
  }
}

function makeBefore(chance: Chance): Before[] {
  return Array.from({ length: chance.int(1, 3) }, () => ({
    kind: chance.pick(['init', 'sidecar'] as const),
    ms: chance.pick([0, 200, 3_000]),
  }))
}

/** Every one or two minutes, so that a world of some minutes sees several. */
function makeSchedule(chance: Chance): Schedule {
  return {
    everyMinutes: chance.int(1, 2),
    concurrency: chance.pick(['Allow', 'Forbid', 'Replace'] as const),
    keepSucceeded: chance.int(0, 2),
    keepFailed: chance.int(0, 2),
  }
}

/** One pod, whatever its manifest says: on the one node, or of each of its Jobs. */
function isSingle(kind: Component['kind']): boolean {
  return kind === 'Pod' || kind === 'DaemonSet' || kind === 'CronJob'
}

function comesToAnEnd(kind: Component['kind']): boolean {
  return kind === 'Job' || kind === 'CronJob'
}

function bounds(chance: Chance): Pick<Component, 'surge' | 'unavailable'> {
  const surge = chance.pick([0, 1, 2, '25%', '100%'])
  const unavailable = chance.pick([0, 1, '25%', '50%'])
  return surge === 0 && unavailable === 0 ? { surge: 1, unavailable: 0 } : { surge, unavailable }
}

function soundBehaviour(chance: Chance, kind: Component['kind']): Behaviour {
  if (kind === 'Job') return { kind: 'done', afterMs: chance.pick([0, 2_000, 30_000]) }
  // The last is still at work when the next is due.
  if (kind === 'CronJob') return { kind: 'done', afterMs: chance.pick([0, 2_000, 30_000, 75_000]) }
  return {
    kind: chance.weighted([
      [6, 'ok'],
      [1, 'deaf'],
    ] as const),
    afterMs: chance.pick([0, 0, 300, 2_000, 15_000]),
  }
}

function unsoundBehaviour(chance: Chance): Behaviour {
  return chance.pick<Behaviour>([
    { kind: 'never' },
    { kind: 'gone' },
    { kind: 'greedy' },
    { kind: 'crash', afterMs: chance.pick([0, 500, 15_000]) },
    { kind: 'flap', everyMs: chance.pick([7_000, 45_000]) },
    { kind: 'sick', afterMs: chance.pick([5_000, 60_000]) },
  ])
}

/** Every name that a component refers to has a value. Secret values are long and unlike anything else. */
function withValues(chance: Chance, application: Application): Application {
  const values: Record<string, string> = {}
  for (const { config } of application.components) {
    if (config === null) continue
    values[config.configMap] = application.values[config.configMap] ?? `plain ${chance.int(0, 999)}`
    values[config.secret] = application.values[config.secret] ?? secretValue(chance)
  }
  return { ...application, values }
}

function secretValue(chance: Chance): string {
  return `hush-${Buffer.from(chance.bytes(12)).toString('hex')}`
}

export interface Change {
  readonly application: Application
  readonly message: string
}

/** One commit's worth of change. @param sound nothing in it is broken */
export function changeApplication(chance: Chance, application: Application, sound: boolean): Change {
  const { components } = application
  if (components.length === 0) return { application: makeApplication(chance, 2), message: 'start again' }
  const one = chance.pick(components)
  const change = (next: Partial<Component>, message: string): Change => ({
    application: withValues(chance, {
      ...application,
      components: components.map((component) => (component === one ? { ...component, ...next } : component)),
    }),
    message: `${message} ${one.name}`,
  })
  const kinds = [
    [6, 'image'],
    [3, 'scale'],
    [3, 'config'],
    [1, 'bounds'],
    [1, 'add'],
    [1, 'delete'],
    [1, 'rename'],
    [1, 'all'],
    [1, 'nothing'],
    [1, 'pause'],
    [sound ? 0 : 4, 'break'],
  ] as const
  switch (chance.weighted(kinds)) {
    case 'image':
      return change({ version: one.version + 1, behaviour: soundBehaviour(chance, one.kind) }, 'new image of')
    case 'break':
      return change({ version: one.version + 1, behaviour: unsoundBehaviour(chance) }, 'broken image of')
    case 'scale':
      return isSingle(one.kind)
        ? change({ version: one.version + 1 }, 'new image of')
        : change({ replicas: chance.int(0, 5) }, 'scale')
    case 'bounds':
      return change(bounds(chance), 'bounds of')
    case 'pause':
      return one.kind === 'Deployment' || one.kind === 'CronJob'
        ? change({ paused: !one.paused }, 'pause or resume')
        : change({}, 'leave')
    case 'config':
      return changeConfig(chance, application, one)
    case 'add': {
      const added = makeComponent(chance, `w${chance.int(100, 999)}`)
      if (components.some(({ name }) => name === added.name)) return change({}, 'leave')
      return {
        application: withValues(chance, { ...application, components: [...components, added] }),
        message: `add ${added.name}`,
      }
    }
    case 'delete':
      return {
        application: withValues(chance, { ...application, components: components.filter((component) => component !== one) }),
        message: `delete ${one.name}`,
      }
    case 'rename':
      return change({ name: `${one.name.split('x')[0]}x${chance.int(0, 9)}` }, 'rename')
    case 'all':
      return {
        application: { ...application, components: components.map((each) => ({ ...each, version: each.version + 1 })) },
        message: 'new images of all',
      }
    case 'nothing':
      return change({}, 'a comment on')
  }
}

function changeConfig(chance: Chance, application: Application, { config, name }: Component): Change {
  if (config === null) return { application, message: `a comment on ${name}` }
  const which = chance.oneIn(2) ? config.configMap : config.secret
  const value = which === config.secret ? secretValue(chance) : `plain ${chance.int(0, 999)}`
  return { application: { ...application, values: { ...application.values, [which]: value } }, message: `change ${which}` }
}
