/** One application as many people write them: Deployment, Service, ConfigMap and Secret in one file. */
export function application(index: number, version: number): string {
  const name = `app-${String(index).padStart(4, '0')}`
  const namespace = `team-${index % 50}`
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }
data:
  version: "${version}"
  log.level: info
  settings.yaml: |
    cache: { size: ${index} }
    timeout: 30s
---
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: ${namespace} }
stringData:
  password: password-of-${name}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
  labels: { app: ${name}, tier: web }
spec:
  replicas: 3
  selector:
    matchLabels: { app: ${name} }
  strategy:
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  template:
    metadata:
      labels: { app: ${name}, tier: web }
      annotations: { prometheus.io/scrape: "true" }
    spec:
      containers:
        - name: app
          image: registry.example.org/${name}:1.${version}
          args: [--listen, ":8080", --config, /etc/app/settings.yaml]
          env:
            - { name: LOG_LEVEL, valueFrom: { configMapKeyRef: { name: ${name}, key: log.level } } }
            - { name: PASSWORD, valueFrom: { secretKeyRef: { name: ${name}, key: password } } }
            - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
          ports:
            - { name: http, containerPort: 8080 }
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
          livenessProbe:
            httpGet: { path: /healthz, port: http }
          resources:
            requests: { cpu: 5m, memory: 16Mi }
            limits: { cpu: 500m, memory: 128Mi }
          volumeMounts:
            - { name: config, mountPath: /etc/app, readOnly: true }
      volumes:
        - name: config
          configMap: { name: ${name}, items: [{ key: settings.yaml, path: settings.yaml }] }
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  selector: { app: ${name} }
  ports:
    - { name: http, port: 80, targetPort: http }
`
}
