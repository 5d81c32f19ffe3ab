/** The application that is measured: one small server, as Kubernetes objects and as what Swarm wants. */
import type { SwarmSpec } from './swarm.ts'

export const IMAGE = 'trireme/stub:1'
export const REPLICAS = 10

/** A Deployment and its Service. `version` is all that a rolling update changes. */
export function manifests(
  name: string,
  version: string,
  { replicas = REPLICAS, image = IMAGE, port = 80, path = '/' } = {},
): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: default }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 10
      containers:
        - name: app
          image: ${image}
          imagePullPolicy: IfNotPresent
          env: [{ name: VERSION, value: "${version}" }, { name: PORT, value: "${port}" }]
          ports: [{ name: http, containerPort: ${port} }]
          readinessProbe: { httpGet: { path: ${path}, port: http }, periodSeconds: 2 }
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec:
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: http }]
`
}

export function swarmSpec(name: string, version: string, network: string, replicas = REPLICAS): SwarmSpec {
  return { name, image: IMAGE, command: ['/bin/sh', '/stub.sh'], replicas, network, env: [`VERSION=${version}`] }
}

export const keyOf = (name: string): string => `Deployment/default/${name}`
export const fileOf = (name: string): string => `${name}.yaml`
