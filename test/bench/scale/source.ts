/** A repository in memory: one file for each workload, and commits that change one of them. */
import type { Source, Tree, TreeFile } from '../../../src/git/source.ts'

export interface App {
  readonly replicas: number
  readonly version: number
}

export interface ScaleSource extends Source {
  /** A commit that changes this workload alone. */
  commit(index: number, change: Partial<App>): void
}

/** Namespaces are as many whatever the size, so each holds more the more there is. */
const NAMESPACES = 10

export function workloadKey(index: number): string {
  return `Deployment/team-${index % NAMESPACES}/${appName(index)}`
}

function appName(index: number): string {
  return `app-${String(index).padStart(5, '0')}`
}

export function scaleSource(workloads: number, replicas: number, now: () => number): ScaleSource {
  const apps: App[] = Array.from({ length: workloads }, () => ({ replicas, version: 1 }))
  const encoder = new TextEncoder()
  const fileOf = (index: number): TreeFile => ({
    path: `apps/${appName(index)}.yaml`,
    bytes: encoder.encode(manifests(index, apps[index] as App)),
  })
  const files = apps.map((_, index) => fileOf(index))
  let version = 1

  const tree = (): Tree => {
    const sha = version.toString(16).padStart(40, '0')
    return {
      revision: { sha, author: 'bench', message: `version ${version}`, committedAt: now() },
      hash: sha,
      files: [...files],
      refused: [],
    }
  }

  return {
    name: 'scale',
    poll: async () => ({ revision: tree().revision, forced: false }),
    tree: async () => tree(),
    watch: () => () => undefined,
    close: async () => undefined,
    commit(index, change) {
      apps[index] = { ...(apps[index] as App), ...change }
      files[index] = fileOf(index)
      version += 1
    },
  }
}

/** A Deployment and its Service; every fourth has a ConfigMap in a volume too. */
function manifests(index: number, { replicas, version }: App): string {
  const name = appName(index)
  const metadata = `metadata: { name: ${name}, namespace: team-${index % NAMESPACES}, labels: { app: ${name} } }`
  const configured = index % 4 === 0
  return `apiVersion: apps/v1
kind: Deployment
${metadata}
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers:
        - name: app
          image: registry.example.org/app:${version}
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /readyz, port: http } }
          resources: { limits: { cpu: 500m, memory: 128Mi } }
${configured ? '          volumeMounts: [{ name: config, mountPath: /etc/app }]\n      volumes: [{ name: config, configMap: { name: NAME } }]\n'.replace('NAME', name) : ''}---
apiVersion: v1
kind: Service
${metadata}
spec:
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: http }]
${configured ? `---\napiVersion: v1\nkind: ConfigMap\n${metadata}\ndata: { settings: "on" }\n` : ''}`
}
