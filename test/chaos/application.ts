/** What is run: a web application under load, and one beside it with files, secrets and two containers. */
import { app, configMap, STUB, secret, service } from '../support/apps.ts'
import type { Files } from '../support/daemon.ts'

export const WEB = 'Deployment/default/web'
export const SIDE = 'Deployment/default/side'
export const SERVICE = 'Service/default/web'
export const REPLICAS = 3
export const WEB_IMAGE = 'trireme/demo:v1'

/** Every release rolls the web application, and nothing else. It is read through kustomize, which is a process of its own. */
export function release(version: number): Files {
  const volumes = [
    { name: 'conf', configMap: { name: 'conf' } },
    { name: 'work', emptyDir: {} },
  ]
  const web = app('web', {
    replicas: REPLICAS,
    image: WEB_IMAGE,
    spec: { strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } } },
    pod: { volumes, terminationGracePeriodSeconds: 10 },
    container: {
      env: [{ name: 'ROLE', value: 'api' }],
      readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 1 },
      livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 2, timeoutSeconds: 5 },
      volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })),
    },
  })
  return {
    'kustomization.yaml': [{ resources: ['app.yaml'] }],
    'app.yaml': [
      web,
      service('web', { type: 'NodePort' }),
      configMap('conf', { release: `release ${version}` }),
      beside(),
      secret('keys', { token: 'kept' }),
    ],
  }
}

function beside(): object {
  const keys = { volumes: [{ name: 'keys', secret: { secretName: 'keys' } }] }
  const side = app('side', { pod: keys, container: { volumeMounts: [{ name: 'keys', mountPath: '/keys' }] } }) as {
    spec: { template: { spec: { containers: object[] } } }
  }
  side.spec.template.spec.containers.push({ name: 'idle', image: STUB, env: [{ name: 'PORTS', value: '' }] })
  return side
}
