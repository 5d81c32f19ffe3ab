/** Kubernetes objects for end-to-end tests: small, quick to start and to stop. */
export const STUB = 'trireme/stub:1'

interface AppOptions {
  readonly namespace?: string
  readonly replicas?: number
  readonly image?: string
  /** merged into the Deployment's spec */
  readonly spec?: object
  /** merged into the pod's spec */
  readonly pod?: object
  /** merged into the container */
  readonly container?: object
}

/** A Deployment of one container `app` that answers its pod's name on port 8080. */
export function app(name: string, options: AppOptions = {}): object {
  const { namespace = 'default', replicas = 1, image = STUB, spec = {}, pod = {}, container = {} } = options
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      ...spec,
      template: { metadata: { labels: { app: name } }, spec: podSpec(image, pod, container) },
    },
  }
}

function podSpec(image: string, pod: object, container: object): object {
  const base = {
    name: 'app',
    image,
    imagePullPolicy: 'IfNotPresent',
    env: [{ name: 'PORTS', value: '8080' }],
    ports: [{ name: 'http', containerPort: 8080 }],
  }
  return { terminationGracePeriodSeconds: 2, ...pod, containers: [{ ...base, ...container }] }
}

export function service(name: string, spec: object = {}, namespace = 'default'): object {
  const base = { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ...base, ...spec } }
}

export function claim(name: string, spec: object = {}, namespace = 'default') {
  const base = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace }, spec: { ...base, ...spec } }
}

/** A PersistentVolume that is a place of the node, kept for the claim of its name, and that claim. */
export function keptFor(name: string, hostPath: object, namespace = 'default'): [volume: object, claim: object] {
  const storageClassName = 'manual'
  const spec = {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '5Gi' },
    storageClassName,
    claimRef: { namespace, name },
    hostPath,
  }
  const volume = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec }
  return [volume, claim(name, { storageClassName }, namespace)]
}

export function configMap(name: string, data: Readonly<Record<string, string>>, namespace = 'default'): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
}

export function secret(name: string, stringData: Readonly<Record<string, string>>, namespace = 'default'): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData }
}
