/** An application as somebody keeps it in Git: made, changed and broken by chance. */
import { type Behaviour, imageOf } from './behaviour.ts'
import type { Chance } from './chance.ts'
import type { Files } from './repository.ts'

export interface Component {
  readonly name: string
  readonly kind: 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet' | 'Pod' | 'Job'
  /** of a Job: completions */
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
  readonly paused: boolean
  readonly config: { readonly configMap: string; readonly secret: string; readonly mounted: boolean } | null
  readonly service: 'ClusterIP' | 'Headless' | 'NodePort' | 'LoadBalancer' | null
}

/** An init container that takes so long, or a sidecar that becomes ready after so long: ms. */
export interface Before {
  readonly kind: 'init' | 'sidecar'
  readonly ms: number
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
    sidecar: kind !== 'Job' && chance.oneIn(5),
    before: chance.oneIn(3) ? makeBefore(chance) : [],
    paused: false,
    config: chance.oneIn(2) ? { configMap: `${name}-config`, secret: `${name}-secret`, mounted: chance.oneIn(2) } : null,
    service:
      kind === 'Job'
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

/** One pod on the one node, whatever its manifest says. */
function isSingle(kind: Component['kind']): boolean {
  return kind === 'Pod' || kind === 'DaemonSet'
}

function bounds(chance: Chance): Pick<Component, 'surge' | 'unavailable'> {
  const surge = chance.pick([0, 1, 2, '25%', '100%'])
  const unavailable = chance.pick([0, 1, '25%', '50%'])
  return surge === 0 && unavailable === 0 ? { surge: 1, unavailable: 0 } : { surge, unavailable }
}

function soundBehaviour(chance: Chance, kind: Component['kind']): Behaviour {
  if (kind === 'Job') return { kind: 'done', afterMs: chance.pick([0, 2_000, 30_000]) }
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
      return one.kind === 'Deployment' ? change({ paused: !one.paused }, 'pause or resume') : change({}, 'leave')
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

/** One file a component, as YAML (JSON is YAML). */
export function filesOf({ components, values }: Application, comment: string): Files {
  const files: Record<string, string> = { 'README.md': comment }
  for (const component of components)
    files[`${component.name}.yaml`] = documents(component, values)
      .map((document) => JSON.stringify(document))
      .join('\n---\n')
  return files
}

function documents(component: Component, values: Application['values']): object[] {
  const { name, config, service } = component
  const labels = { app: name }
  const all: object[] = [workload(component, labels)]
  if (config !== null) {
    const metadata = (of: string) => ({ name: of, namespace: NAMESPACE })
    all.push({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(config.configMap),
      data: { value: values[config.configMap] },
    })
    if (config.mounted)
      all.push({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: metadata(`${name}-data`),
        spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
      })
    all.push({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(config.secret),
      stringData: { value: values[config.secret] },
    })
  }
  if (service !== null) {
    const type = service === 'Headless' ? { clusterIP: 'None' } : { type: service }
    const spec = { ...type, selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] }
    all.push({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: NAMESPACE }, spec })
  }
  return all
}

function workload(component: Component, labels: Readonly<Record<string, string>>): object {
  const { kind, name, replicas, minReadySeconds } = component
  const metadata = { name, namespace: NAMESPACE, labels }
  const template = { metadata: { labels }, spec: podSpec(component) }
  const selector = { matchLabels: labels }
  switch (kind) {
    case 'Pod':
      return { apiVersion: 'v1', kind, metadata, spec: template.spec }
    case 'ReplicaSet':
      return { apiVersion: 'apps/v1', kind, metadata, spec: { replicas, minReadySeconds, selector, template } }
    case 'StatefulSet':
      return {
        apiVersion: 'apps/v1',
        kind,
        metadata,
        spec: {
          replicas,
          serviceName: name,
          minReadySeconds,
          podManagementPolicy: component.parallel ? 'Parallel' : 'OrderedReady',
          selector,
          template,
        },
      }
    case 'Job':
      return {
        apiVersion: 'batch/v1',
        kind,
        metadata,
        // Whatever happens to its pods is no reason to give up.
        spec: {
          completions: replicas,
          parallelism: JOB_PARALLELISM,
          backoffLimit: 1_000,
          template: jobTemplate(component, labels),
        },
      }
    case 'DaemonSet':
      return { apiVersion: 'apps/v1', kind, metadata, spec: { minReadySeconds, selector, template } }
    case 'Deployment':
      return {
        apiVersion: 'apps/v1',
        kind,
        metadata,
        spec: {
          replicas,
          minReadySeconds,
          paused: component.paused,
          progressDeadlineSeconds: component.deadlineSeconds + minReadySeconds,
          selector,
          template,
          strategy: component.recreate
            ? { type: 'Recreate' }
            : { type: 'RollingUpdate', rollingUpdate: { maxSurge: component.surge, maxUnavailable: component.unavailable } },
        },
      }
  }
}

/** Pods at once of every Job. */
export const JOB_PARALLELISM = 2

function jobTemplate(component: Component, labels: Readonly<Record<string, string>>): object {
  const restartPolicy = component.graceSeconds === 5 ? 'OnFailure' : 'Never'
  return { metadata: { labels }, spec: { ...podSpec(component), restartPolicy } }
}

function podSpec(component: Component): object {
  const { behaviour, version, graceSeconds, config, liveness, sidecar, before, preStopSeconds } = component
  const probe = { httpGet: { path: '/', port: 8080 }, periodSeconds: 2 }
  const main = {
    name: 'main',
    image: imageOf(behaviour, version),
    ports: [{ containerPort: 8080 }],
    readinessProbe: probe,
    ...(liveness || behaviour.kind === 'sick' ? { livenessProbe: { ...probe, httpGet: { path: '/live', port: 8080 } } } : {}),
    ...(preStopSeconds === 0 ? {} : { lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } } }),
    ...(config === null
      ? {}
      : {
          env: [
            { name: 'PLAIN', valueFrom: { configMapKeyRef: { name: config.configMap, key: 'value' } } },
            { name: 'HUSH', valueFrom: { secretKeyRef: { name: config.secret, key: 'value' } } },
          ],
        }),
    ...(config?.mounted
      ? {
          volumeMounts: [
            { name: 'plain', mountPath: '/plain' },
            { name: 'hush', mountPath: '/hush' },
            { name: 'data', mountPath: '/data' },
          ],
        }
      : {}),
  }
  return {
    terminationGracePeriodSeconds: graceSeconds,
    ...(before.length === 0 ? {} : { initContainers: before.map(initContainer) }),
    containers: [main, ...(sidecar ? [{ name: 'side', image: 'ok-0:side' }] : [])],
    ...(config?.mounted
      ? {
          volumes: [
            { name: 'plain', configMap: { name: config.configMap } },
            { name: 'hush', secret: { secretName: config.secret } },
            { name: 'data', persistentVolumeClaim: { claimName: `${component.name}-data` } },
          ],
        }
      : {}),
  }
}

function initContainer({ kind, ms }: Before, index: number): object {
  if (kind === 'init') return { name: `init${index}`, image: imageOf({ kind: 'init', afterMs: ms }, 1) }
  const startupProbe = { httpGet: { path: '/', port: 9000 }, periodSeconds: 1, failureThreshold: 30 }
  return { name: `sidecar${index}`, image: imageOf({ kind: 'ok', afterMs: ms }, 1), restartPolicy: 'Always', startupProbe }
}
