/** An application as the files of a repository. */
import { type Application, type Before, type Component, NAMESPACE } from './application.ts'
import { imageOf } from './behaviour.ts'
import type { Files } from './repository.ts'

type Labels = Readonly<Record<string, string>>

/** A folder of the node that some pods mount. */
export const NODE_FOLDER = '/srv'

/** Pods at once of every Job. */
export const JOB_PARALLELISM = 2

const API_VERSIONS: Readonly<Record<Component['kind'], string>> = {
  Pod: 'v1',
  Deployment: 'apps/v1',
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
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
  const { kind, name, config, service } = component
  const labels = { app: name }
  const named = (of: string) => ({ name: of, namespace: NAMESPACE })
  const all: object[] = [
    { apiVersion: API_VERSIONS[kind], kind, metadata: { ...named(name), labels }, spec: specOf(component, labels) },
  ]
  if (config !== null) {
    all.push({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: named(config.configMap),
      data: { value: values[config.configMap] },
    })
    if (config.mounted && !hasOwnClaims(component))
      all.push({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: named(`${name}-data`), spec: CLAIM })
    all.push({ apiVersion: 'v1', kind: 'Secret', metadata: named(config.secret), stringData: { value: values[config.secret] } })
  }
  if (service !== null) {
    const type = service === 'Headless' ? { clusterIP: 'None' } : { type: service }
    const spec = { ...type, selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] }
    all.push({ apiVersion: 'v1', kind: 'Service', metadata: named(name), spec })
  }
  return all
}

const CLAIM = { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } }

/** Each pod has a claim of its own, made from a template. */
function hasOwnClaims({ kind, config }: Component): boolean {
  return kind === 'StatefulSet' && config?.mounted === true
}

function specOf(component: Component, labels: Labels): object {
  const { kind, name, replicas, minReadySeconds } = component
  const template = { metadata: { labels }, spec: podSpec(component) }
  const selector = { matchLabels: labels }
  switch (kind) {
    case 'Pod':
      return template.spec
    case 'Job':
      // Whatever happens to its pods is no reason to give up.
      return {
        completions: replicas,
        parallelism: JOB_PARALLELISM,
        backoffLimit: 1_000,
        template: jobTemplate(component, labels),
      }
    case 'CronJob':
      return cronJobSpec(component, labels)
    case 'DaemonSet':
      return { minReadySeconds, selector, template }
    case 'ReplicaSet':
      return { replicas, minReadySeconds, selector, template }
    case 'StatefulSet':
      return {
        replicas,
        serviceName: name,
        minReadySeconds,
        podManagementPolicy: component.parallel ? 'Parallel' : 'OrderedReady',
        selector,
        template,
        ...(hasOwnClaims(component) ? { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: CLAIM }] } : {}),
      }
    case 'Deployment':
      return {
        replicas,
        minReadySeconds,
        paused: component.paused,
        progressDeadlineSeconds: component.deadlineSeconds + minReadySeconds,
        selector,
        template,
        strategy: component.recreate
          ? { type: 'Recreate' }
          : { type: 'RollingUpdate', rollingUpdate: { maxSurge: component.surge, maxUnavailable: component.unavailable } },
      }
  }
}

function cronJobSpec(component: Component, labels: Labels): object {
  const { paused, schedule } = component
  if (schedule === null) throw new Error(`${component.name} is a CronJob without a schedule`)
  return {
    schedule: `*/${schedule.everyMinutes} * * * *`,
    suspend: paused,
    concurrencyPolicy: schedule.concurrency,
    successfulJobsHistoryLimit: schedule.keepSucceeded,
    failedJobsHistoryLimit: schedule.keepFailed,
    // What hangs is given up, so that not every minute adds one.
    jobTemplate: { spec: { backoffLimit: 1, activeDeadlineSeconds: 150, template: jobTemplate(component, labels) } },
  }
}

function jobTemplate(component: Component, labels: Labels): object {
  const restartPolicy = component.graceSeconds === 5 ? 'OnFailure' : 'Never'
  return { metadata: { labels }, spec: { ...podSpec(component), restartPolicy } }
}

function podSpec(component: Component): object {
  const { behaviour, version, graceSeconds, config, liveness, sidecar, before, preStopSeconds } = component
  const probe = { httpGet: { path: '/', port: 8080 }, periodSeconds: 2 }
  const main = {
    name: 'main',
    image: imageOf(behaviour, version),
    ...(behaviour.kind === 'greedy' ? { resources: { requests: { cpu: '1k' } } } : {}),
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
            ...(mountsNode(component) ? [{ name: 'node', mountPath: '/node' }] : []),
            ...(hasToken(component) ? [{ name: 'id', mountPath: '/id' }] : []),
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
            ...(hasOwnClaims(component)
              ? []
              : [{ name: 'data', persistentVolumeClaim: { claimName: `${component.name}-data` } }]),
            ...(mountsNode(component) ? [{ name: 'node', hostPath: { path: NODE_FOLDER, type: 'Directory' } }] : []),
            ...(hasToken(component) ? [{ name: 'id', projected: { sources: [{ serviceAccountToken: TOKEN }] } }] : []),
          ],
        }
      : {}),
  }
}

/** It is looked at before each of its pods is made. */
function mountsNode({ config, sidecar }: Component): boolean {
  return config?.mounted === true && sidecar
}

/** As short as a token can be. */
const TOKEN = { path: 'token', expirationSeconds: 600 }

export function hasToken({ config, sidecar }: Component): boolean {
  return config?.mounted === true && !sidecar
}

function initContainer({ kind, ms }: Before, index: number): object {
  if (kind === 'init') return { name: `init${index}`, image: imageOf({ kind: 'init', afterMs: ms }, 1) }
  const startupProbe = { httpGet: { path: '/', port: 9000 }, periodSeconds: 1, failureThreshold: 30 }
  return { name: `sidecar${index}`, image: imageOf({ kind: 'ok', afterMs: ms }, 1), restartPolicy: 'Always', startupProbe }
}
