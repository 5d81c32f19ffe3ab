import { describe, expect, test } from 'vitest'
import { createLoader, loadManifests } from '../../../src/model/load.ts'
import type { Allowance } from '../../../src/model/policy.ts'
import type { Manifest } from '../../../src/model/types/loaded.ts'
import { deployment, load, loadText, manifestsIn, plainDigest, problemLines } from '../../support/manifests.ts'

const problems = (text: string) => problemLines(loadText(text).problems)

describe('Secret values that are not text', () => {
  const binary = ['apiVersion: v1', 'kind: Secret', 'metadata: {name: s}', 'data: {bin: //79/A==, nul: YQBi, pw: cHc=}'].join(
    '\n',
  )
  const both = (container: string, secret = binary) => loadText(`${deployment({ container })}\n---\n${secret}`)
  const ref = (key: string) => `env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: ${key}}}}]`

  test.each([
    ['one variable', ref('nul'), 'env[0].valueFrom.secretKeyRef.key'],
    ['the whole Secret', 'envFrom: [{secretRef: {name: s}}]', 'envFrom[0].secretRef'],
  ])('a NUL, %s: the pod is refused by field, without the value', (_, container, field) => {
    const { problems, objects, verdicts } = both(container)
    expect(problemLines(problems)[0]).toBe(`app.yaml:12 spec.template.spec.containers[0].${field} NotText`)
    expect(problems[0]?.message).toBe(
      'key nul of Secret s has a NUL in it, so it cannot be an environment variable; mount it as a file',
    )
    expect(JSON.stringify(problems)).not.toContain('YQBi')
    expect([...objects.keys()]).toEqual(['Secret/default/s'])
    expect(verdicts[0]?.verdict).toBe('refused')
  })

  test.each([
    ['one variable', ref('bin')],
    ['the whole Secret', 'envFrom: [{secretRef: {name: s}}]'],
  ])('bytes, %s: the pod is honoured, and the Secret says what is lost and how it was probably meant', (_, container) => {
    const { problems, objects, verdicts } = both(container, binary.replace('nul: YQBi, ', ''))
    expect(problems.map(({ field, code, severity }) => [field, code, severity])).toEqual([['data.bin', 'NotText', 'notice']])
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['honoured', 'partly'])
    expect(verdicts[1]?.reasons).toEqual([
      expect.stringMatching(/^data\.bin: is not UTF-8 text: as a file .* stringData takes it so$/),
    ])
    expect(objects.get('Secret/default/s')?.unenforced).toEqual(verdicts[1]?.reasons)
    expect(JSON.stringify(problems)).not.toContain('79/A')
  })

  test.each([
    ['text beside them', ref('pw'), binary],
    ['a Secret of another namespace', ref('bin'), binary.replace('name: s', 'name: s, namespace: other')],
    ['bytes that are mounted as a file', '', binary],
  ])('%s: nothing is wrong', (_, container, secret) => {
    const { problems, verdicts } = both(container, secret)
    expect(problems).toEqual([])
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['honoured', 'honoured'])
  })

  test('are found whichever of the two documents has changed', () => {
    const loader = createLoader()
    const options = { revision: 'r1', digest: plainDigest, vault: () => undefined }
    const pods = manifestsIn(deployment({ container: ref('bin') }))
    expect(loader([...pods, ...manifestsIn(binary)], options).problems).toHaveLength(1)
    expect(loader([...pods, ...manifestsIn(binary.replace('//79/A==', 'cHc='))], options).problems).toEqual([])
    expect(loader([...pods, ...manifestsIn(binary)], options).problems).toHaveLength(1)
  })
})

describe('what is wrong is named with line, field and the nearest spelling', () => {
  test.each([
    [
      'unknown field',
      deployment({ container: 'imagePullPolcy: Always' }),
      'app.yaml:12 spec.template.spec.containers[0].imagePullPolcy UnknownField → imagePullPolicy',
    ],
    ['unknown field of the other case', deployment({ spec: 'Replicas: 2' }), 'app.yaml:6 spec.Replicas UnknownField → replicas'],
    [
      'unknown enum value',
      deployment({ container: 'imagePullPolicy: always' }),
      'app.yaml:12 spec.template.spec.containers[0].imagePullPolicy UnknownValue → Always',
    ],
    ['number as text', deployment({ spec: 'replicas: "2"' }), 'app.yaml:6 spec.replicas WrongType → 2'],
    [
      'text as number',
      deployment({ container: 'env: [{name: A, value: 1}]' }),
      'app.yaml:12 spec.template.spec.containers[0].env[0].value WrongType → "1"',
    ],
    [
      'yes is a boolean',
      deployment({ container: 'env: [{name: A, value: yes}]' }),
      'app.yaml:12 spec.template.spec.containers[0].env[0].value WrongType → "true"',
    ],
    [
      'quantity',
      deployment({ container: 'resources: {limits: {memory: 64MB}}' }),
      'app.yaml:12 spec.template.spec.containers[0].resources.limits.memory BadQuantity → 64M',
    ],
    [
      'request above limit',
      deployment({ container: 'resources: {limits: {cpu: 500m}, requests: {cpu: 1}}' }),
      'app.yaml:12 spec.template.spec.containers[0].resources.requests.cpu RequestAboveLimit',
    ],
    [
      'a resource that no node has',
      deployment({ container: 'resources: {limits: {gpu: 1}}' }),
      'app.yaml:12 spec.template.spec.containers[0].resources.limits.gpu UnknownValue',
    ],
    [
      'half a GPU',
      deployment({ container: 'resources: {limits: {nvidia.com/gpu: 500m}}' }),
      'app.yaml:12 spec.template.spec.containers[0].resources.limits["nvidia.com/gpu"] BadQuantity',
    ],
    [
      'half a huge page',
      deployment({ container: 'resources: {limits: {hugepages-2Mi: 3Mi}}' }),
      'app.yaml:12 spec.template.spec.containers[0].resources.limits.hugepages-2Mi BadQuantity',
    ],
    [
      'huge pages of which fewer are requested',
      deployment({ container: 'resources: {limits: {hugepages-2Mi: 4Mi}, requests: {hugepages-2Mi: 2Mi}}' }),
      'app.yaml:12 spec.template.spec.containers[0].resources.requests.hugepages-2Mi OutOfRange',
    ],
    [
      'an emptyDir of huge pages that nobody asks for',
      deployment({ pod: 'volumes: [{name: h, emptyDir: {medium: HugePages}}]' }),
      'app.yaml:9 spec.template.spec.volumes[0].emptyDir.medium UnknownValue',
    ],
    [
      'an emptyDir of huge pages of another size',
      deployment({
        pod: 'volumes: [{name: h, emptyDir: {medium: HugePages-1Gi}}]',
        container: 'resources: {limits: {hugepages-2Mi: 4Mi}}',
      }),
      'app.yaml:9 spec.template.spec.volumes[0].emptyDir.medium UnknownValue',
    ],
    [
      'an emptyDir of huge pages of either size',
      deployment({
        pod: 'volumes: [{name: h, emptyDir: {medium: HugePages}}]',
        container: 'resources: {limits: {hugepages-2Mi: 4Mi, hugepages-1Gi: 1Gi}}',
      }),
      'app.yaml:9 spec.template.spec.volumes[0].emptyDir.medium UnknownValue',
    ],
    [
      'a GPU that is only requested',
      deployment({ container: 'resources: {requests: {nvidia.com/gpu: 1}}' }),
      'app.yaml:12 spec.template.spec.containers[0].resources.limits["nvidia.com/gpu"] MissingField',
    ],
    [
      'an AppArmor profile without its name',
      deployment({ container: 'securityContext: {appArmorProfile: {type: Localhost}}' }),
      'app.yaml:12 spec.template.spec.containers[0].securityContext.appArmorProfile.localhostProfile MissingField',
    ],
    [
      'a profile that is not of the node, with a name',
      deployment({ pod: 'securityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: a}}' }),
      'app.yaml:9 spec.template.spec.securityContext.seccompProfile.localhostProfile UnknownField',
    ],
    [
      'a readiness gate that no condition can be called',
      deployment({ pod: 'readinessGates: [{conditionType: __proto__}]' }),
      'app.yaml:9 spec.template.spec.readinessGates[0].conditionType BadName',
    ],
    [
      'a seccomp profile out of the folder of the profiles',
      deployment({ container: 'securityContext: {seccompProfile: {type: Localhost, localhostProfile: a/../../b}}' }),
      'app.yaml:12 spec.template.spec.containers[0].securityContext.seccompProfile.localhostProfile BadPath',
    ],
    [
      'a seccomp profile anywhere on the host',
      deployment({ pod: 'securityContext: {seccompProfile: {type: Localhost, localhostProfile: /etc/passwd}}' }),
      'app.yaml:9 spec.template.spec.securityContext.seccompProfile.localhostProfile BadPath',
    ],
    [
      'undeclared volume',
      deployment({ pod: 'volumes: [{name: config, emptyDir: {}}]', container: 'volumeMounts: [{name: confg, mountPath: /c}]' }),
      'app.yaml:13 spec.template.spec.containers[0].volumeMounts[0].name UnknownVolume → config',
    ],
    [
      'same mount path twice',
      deployment({
        pod: 'volumes: [{name: c}]',
        container: 'volumeMounts: [{name: c, mountPath: /c}, {name: c, mountPath: /c}]',
      }),
      'app.yaml:13 spec.template.spec.containers[0].volumeMounts[1] DuplicateItem',
    ],
    [
      'a file of a volume that is called like the links to the files',
      deployment({ pod: 'volumes: [{name: c, configMap: {name: c, items: [{key: a, path: ..data/a}]}}]' }),
      'app.yaml:9 spec.template.spec.volumes[0].configMap.items[0].path BadPath',
    ],
    [
      'two volume sources',
      deployment({ pod: 'volumes: [{name: c, emptyDir: {}, configMap: {name: c}}]' }),
      'app.yaml:9 spec.template.spec.volumes[0] TooMany',
    ],
    [
      'probe without action',
      deployment({ container: 'readinessProbe: {periodSeconds: 3}' }),
      'app.yaml:12 spec.template.spec.containers[0].readinessProbe OneAction',
    ],
    [
      'probe of two actions',
      deployment({ container: 'livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}' }),
      'app.yaml:12 spec.template.spec.containers[0].livenessProbe OneAction',
    ],
    [
      'probe of an unknown port',
      deployment({ container: 'ports: [{name: http, containerPort: 80}]\nlivenessProbe: {httpGet: {port: htpp}}' }),
      'app.yaml:13 spec.template.spec.containers[0].livenessProbe.httpGet.port UnknownPort → http',
    ],
    [
      'liveness successThreshold',
      deployment({ container: 'livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}' }),
      'app.yaml:12 spec.template.spec.containers[0].livenessProbe.successThreshold OutOfRange',
    ],
    [
      'port out of range',
      deployment({ container: 'ports: [{containerPort: 70000}]' }),
      'app.yaml:12 spec.template.spec.containers[0].ports[0].containerPort OutOfRange',
    ],
    [
      'two sources of a variable',
      deployment({
        container: 'env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: s, key: k}}}]',
      }),
      'app.yaml:12 spec.template.spec.containers[0].env[0].valueFrom TooMany',
    ],
    [
      'unknown downward field',
      deployment({ container: 'env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.podIp}}}]' }),
      'app.yaml:12 spec.template.spec.containers[0].env[0].valueFrom.fieldRef.fieldPath UnknownValue → status.podIP',
    ],
    [
      'restartPolicy of a Deployment',
      deployment({ pod: 'restartPolicy: Never' }),
      'app.yaml:9 spec.template.spec.restartPolicy UnknownValue → Always',
    ],
    [
      'probe of an init container',
      deployment({ pod: 'initContainers: [{name: i, image: i, readinessProbe: {tcpSocket: {port: 1}}}]' }),
      'app.yaml:9 spec.template.spec.initContainers[0].readinessProbe UnknownField',
    ],
    [
      'hook of an init container',
      deployment({ pod: 'initContainers: [{name: i, image: i, lifecycle: {preStop: {exec: {command: [a]}}}}]' }),
      'app.yaml:9 spec.template.spec.initContainers[0].lifecycle UnknownField',
    ],
    [
      'signal',
      deployment({ container: 'lifecycle: {stopSignal: SIGTREM}' }),
      'app.yaml:12 spec.template.spec.containers[0].lifecycle.stopSignal UnknownValue → SIGTERM',
    ],
    [
      'port of the node that is not the port of the pod',
      deployment({ pod: 'hostNetwork: true', container: 'ports: [{containerPort: 80, hostPort: 8080}]' }),
      'app.yaml:13 spec.template.spec.containers[0].ports[0].hostPort OutOfRange',
    ],
    [
      'two hostnames',
      deployment({ pod: 'hostnameOverride: a.b\nsetHostnameAsFQDN: true' }),
      'app.yaml:9 spec.template.spec.hostnameOverride TooMany',
    ],
    [
      'percent',
      deployment({ spec: 'strategy: {rollingUpdate: {maxSurge: "25"}}' }),
      'app.yaml:6 spec.strategy.rollingUpdate.maxSurge BadPercent → 25',
    ],
    [
      'no room to roll',
      deployment({ spec: 'strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}' }),
      'app.yaml:6 spec.strategy.rollingUpdate OutOfRange',
    ],
    [
      'decimal file mode',
      deployment({ pod: 'volumes: [{name: c, configMap: {name: c, defaultMode: 644}}]' }),
      'app.yaml:9 spec.template.spec.volumes[0].configMap.defaultMode OutOfRange → 0644',
    ],
    [
      'secret volume called by name',
      deployment({ pod: 'volumes: [{name: c, secret: {name: c}}]' }),
      'app.yaml:9 spec.template.spec.volumes[0].secret.name UnknownField',
    ],
  ])('%s', (_, text, want) => expect(problems(text)).toContain(want))
})

describe('whole documents', () => {
  test.each([
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}', ['app.yaml:1 kind MissingField']],
    ['not a map', '- 1', ['app.yaml:1 NotAnObject']],
    ['no name', 'apiVersion: v1\nkind: ConfigMap', ['app.yaml:1 metadata.name MissingField']],
    [
      'bad name',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: My_Config}',
      ['app.yaml:3 metadata.name BadName → my-config'],
    ],
    [
      'bad label',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {"a b": c}',
      ['app.yaml:5 metadata.labels["a b"] BadLabel'],
    ],
    ['unknown kind', 'apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}', ['app.yaml:2 kind UnknownKind → Deployment']],
    [
      'typo in the group',
      'apiVersion: app/v1\nkind: Deployment\nmetadata: {name: a}',
      ['app.yaml:1 apiVersion UnknownApiVersion → apps/v1'],
    ],
    [
      'removed version',
      'apiVersion: rbac.authorization.k8s.io/v1alpha1\nkind: RoleBinding\nmetadata: {name: a}',
      ['app.yaml:1 apiVersion RemovedApiVersion → rbac.authorization.k8s.io/v1'],
    ],
    [
      'removed version with other defaults',
      'apiVersion: admissionregistration.k8s.io/v1beta1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: a}',
      ['app.yaml:1 apiVersion RemovedApiVersion → admissionregistration.k8s.io/v1'],
    ],
    [
      'dropped kind',
      'apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}',
      ['app.yaml:1 apiVersion RemovedApiVersion'],
    ],
    [
      'pathType exact',
      'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec:\n  rules:\n  - http:\n      paths:\n      - {path: /, pathType: exact, backend: {service: {name: a}}}',
      ['app.yaml:8 spec.rules[0].http.paths[0].pathType UnknownValue → Exact'],
    ],
  ])('%s', (_, text, want) => expect(problems(text)).toEqual(want))
})

describe('selectors', () => {
  const selecting = (selector: string) => deployment().replace('{matchLabels: {app: web}}', selector)
  test.each([
    ['another label', '{matchLabels: {app: api}}', ['app.yaml:5 spec.selector SelectorMismatch']],
    ['empty', '{}', ['app.yaml:5 spec.selector BadSelector']],
    [
      'In without values',
      '{matchExpressions: [{key: app, operator: In}]}',
      ['app.yaml:5 spec.selector SelectorMismatch', 'app.yaml:5 spec.selector.matchExpressions[0].values BadSelector'],
    ],
    [
      'Exists with values',
      '{matchExpressions: [{key: app, operator: Exists, values: [a]}]}',
      ['app.yaml:5 spec.selector.matchExpressions[0].values BadSelector'],
    ],
    [
      'unknown operator',
      '{matchExpressions: [{key: app, operator: Equals}]}',
      ['app.yaml:5 spec.selector SelectorMismatch', 'app.yaml:5 spec.selector.matchExpressions[0].operator UnknownValue'],
    ],
    ['set-based and right', '{matchExpressions: [{key: app, operator: In, values: [web]}]}', []],
  ])('%s', (_, selector, want) => expect([...problems(selecting(selector))].sort()).toEqual(want))
})

describe('Services', () => {
  const service = (spec: string) => `apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: ${spec}`
  test.each([
    ['several ports without names', '{ports: [{port: 1}, {port: 2, name: b}]}', ['app.yaml:4 spec.ports[0].name MissingField']],
    [
      'nodePort out of range',
      '{type: NodePort, ports: [{port: 1, nodePort: 80}]}',
      ['app.yaml:4 spec.ports[0].nodePort OutOfRange'],
    ],
    ['nodePort of a ClusterIP', '{ports: [{port: 1, nodePort: 30000}]}', ['app.yaml:4 spec.ports[0].nodePort UnknownField']],
    ['quoted target port', '{ports: [{port: 1, targetPort: "8080"}]}', ['app.yaml:4 spec.ports[0].targetPort BadName → 8080']],
    ['same port twice', '{ports: [{port: 1, name: a}, {port: 1, name: b}]}', ['app.yaml:4 spec.ports[1] DuplicateItem']],
    ['same port over UDP', '{ports: [{port: 1, name: a}, {port: 1, name: b, protocol: UDP}]}', []],
    ['no ports', '{selector: {app: web}}', ['app.yaml:4 spec.ports MissingField']],
    ['headless without ports', '{clusterIP: None, selector: {app: web}}', []],
    ['none in small letters', '{clusterIP: none, ports: [{port: 1}]}', ['app.yaml:4 spec.clusterIP BadAddress → None']],
    ['ExternalName without a name', '{type: ExternalName}', ['app.yaml:4 spec.externalName BadName']],
  ])('%s', (_, spec, want) => expect(problems(service(spec))).toEqual(want))
})

describe('verdicts', () => {
  const verdict = (text: string, options = {}) =>
    loadText(text, options).verdicts.map(({ verdict, reasons }) => [verdict, ...reasons])

  test('all of it is honoured', () => expect(verdict(deployment())).toEqual([['honoured']]))

  test.each([
    {
      pod: 'initContainers: [{name: i, image: i}, {name: s, image: s, restartPolicy: Always, startupProbe: {exec: {command: [a]}}}]',
    },
    { pod: 'shareProcessNamespace: true' },
    { pod: 'setHostnameAsFQDN: true\nsubdomain: web' },
    { pod: 'hostnameOverride: web.example.com' },
    { pod: 'runtimeClassName: gvisor' },
    { container: 'lifecycle: {stopSignal: SIGQUIT}' },
  ])('%o is honoured', (what) => expect(verdict(deployment(what))).toEqual([['honoured']]))

  test('a field without effect', () =>
    expect(verdict(deployment({ pod: 'schedulerName: own' }))).toEqual([
      ['partly', 'spec.template.spec.schedulerName: there is one scheduler'],
    ]))

  test.each([
    [
      'topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, minDomains: 2}]',
      'one domain',
    ],
    [
      'affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, namespaceSelector: {matchLabels: {a: b}}}]}}',
      'the own or the named namespaces',
    ],
    [
      'affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, labelSelector: {}, mismatchLabelKeys: [a]}]}}',
      'by the labelSelector alone',
    ],
    ['securityContext: {sysctls: [{name: kernel.shm_rmid_forced, value: "1"}]}', 'their own IPC'],
  ])('what of %s has no effect', (pod, why) =>
    expect(verdict(deployment({ pod }))).toEqual([['partly', expect.stringContaining(why)]]),
  )

  test.each([
    ['v1', 'ResourceQuota', 'spec: {hard: {pods: "0"}, scopes: [BestEffort]}', 'the quota bounds nothing'],
    ['v1', 'Service', 'spec: {selector: {a: b}, ports: [{port: 80, protocol: SCTP}]}', 'SCTP is not served'],
    ['storage.k8s.io/v1', 'StorageClass', 'provisioner: docker.io/local\nmountOptions: [ro]', 'its options in the parameters'],
    ['policy/v1', 'PodDisruptionBudget', 'spec: {minAvailable: 1, maxUnavailable: 1}', 'either minAvailable or maxUnavailable'],
  ])('%s %s with %s', (apiVersion, kind, rest, why) =>
    expect(JSON.stringify(verdict(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n${rest}`))).toContain(why),
  )

  test.each([
    ['scheduling.k8s.io/v1', 'PriorityClass', 'value: 10'],
    ['policy/v1', 'PodDisruptionBudget', 'spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}'],
  ])('%s %s is honoured', (apiVersion, kind, rest) =>
    expect(verdict(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n${rest}`)).toEqual([['honoured']]),
  )

  test('a kind that is only kept', () =>
    expect(verdict('apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: a}')).toEqual([
      ['partly', 'accepted, not enforced: no HTTP routes are served'],
    ]))

  test('a custom resource', () =>
    expect(verdict('apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}')).toEqual([
      ['partly', 'custom resource kept as data'],
    ]))

  test.each([
    ['initContainers: [{name: i, image: i, securityContext: {privileged: true}}]', 'policy baseline refuses privileged'],
    ['initContainers: [{name: i, image: i, restartPolicy: Never}]', 'a restart policy of one container'],
    ['hostNetwork: true', 'policy baseline refuses hostNetwork'],
    ['volumes: [{name: h, hostPath: {path: /}}]', 'policy baseline refuses hostPath'],
    ['volumes: [{name: disk, awsElasticBlockStore: {volumeID: v}}]', 'disks of a cloud and other clusters are not mounted'],
    ['volumes: [{name: f, csi: {driver: d.example.com}}]', 'no CSI driver is run'],
  ])('a pod with %s is refused', (pod, why) => {
    const [only] = verdict(deployment({ pod }))
    expect(only?.[0]).toBe('refused')
    expect(only?.[1]).toContain(why)
  })

  test.each([
    ['path: token', []],
    ['path: a/token, audience: vault, expirationSeconds: 600', []],
    ['path: token, expirationSeconds: 4294967296', []],
    ['path: token, expirationSeconds: 599', ['a token cannot be good for 599 s: expected 600 (10 minutes)']],
    ['path: token, expirationSeconds: 4294967297', ['a token cannot be good for 4294967297 s']],
    ['path: /token', ['"/token" leaves the volume']],
    ['path: a/../../token', ['leaves the volume']],
    ["path: ''", ['is the name of no file']],
    ['audience: vault', ['path']],
  ])('a token of a ServiceAccount with %s', (token, whys) => {
    const [only] = verdict(deployment({ pod: `volumes: [{name: t, projected: {sources: [{serviceAccountToken: {${token}}}]}}]` }))
    expect(only?.[0]).toBe(whys.length === 0 ? 'honoured' : 'refused')
    for (const why of whys) expect(only?.[1]).toContain(why)
  })

  const privileged = deployment({ container: 'securityContext: {privileged: true}' })
  test('the operator allows by namespace', () => {
    expect(verdict(privileged)[0]?.[0]).toBe('refused')
    expect(verdict(privileged, { allow: { other: ['privileged'] } })[0]?.[0]).toBe('refused')
    expect(verdict(privileged, { allow: { default: ['privileged'] } })).toEqual([['honoured']])
    expect(verdict(privileged, { allow: { '*': ['privileged'] } })).toEqual([['honoured']])
  })

  test('what is allowed but not built stays refused', () =>
    expect(
      verdict(deployment({ container: 'securityContext: {seLinuxOptions: {user: root}}' }), {
        allow: { '*': ['seLinux'] },
      })[0]?.[1],
    ).toContain('not run by this version'))

  test.each(['hostNetwork', 'hostPID', 'hostIPC'] as const)('%s is honoured where the operator allows it', (field) =>
    expect(verdict(deployment({ pod: `${field}: true` }), { allow: { '*': [field] } })).toEqual([['honoured']]),
  )

  test('capabilities of the baseline may be added, others not', () => {
    const adding = (name: string) => deployment({ container: `securityContext: {capabilities: {add: [${name}], drop: [ALL]}}` })
    expect(verdict(adding('NET_BIND_SERVICE'))).toEqual([['honoured']])
    expect(verdict(adding('CAP_CHOWN'))).toEqual([['honoured']])
    expect(verdict(adding('SYS_ADMIN'))[0]?.[0]).toBe('refused')
  })
})

describe('several documents', () => {
  const config = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: "${value}"}\n`

  test('a broken one stops no other', () => {
    const loaded = loadText(`${config('1')}---\nkind: Pod\n---\n${deployment()}`)
    expect([...loaded.objects.keys()]).toEqual(['ConfigMap/default/c', 'Deployment/default/web'])
    expect([...loaded.brokenFiles]).toEqual(['app.yaml'])
  })

  test('of two that differ neither is taken, and both are named', () => {
    const loaded = load([...manifestsIn(config('1'), 'a.yaml'), ...manifestsIn(config('2'), 'b.yaml')])
    expect(loaded.objects.size).toBe(0)
    expect(loaded.problems.map(({ message }) => message)).toEqual([
      'ConfigMap/default/c is also declared in b.yaml:1, with other content; neither is applied',
      'ConfigMap/default/c is also declared in a.yaml:1, with other content; neither is applied',
    ])
    expect([...loaded.brokenFiles]).toEqual(['a.yaml', 'b.yaml'])
  })

  test('of two alike one is taken', () => {
    const loaded = load([...manifestsIn(config('1'), 'a.yaml'), ...manifestsIn(config('1'), 'b.yaml')])
    expect(problemLines(loaded.problems)).toEqual(['b.yaml:1 DuplicateObject!'])
    expect(loaded.objects.size).toBe(1)
    expect(loaded.brokenFiles.size).toBe(0)
  })

  test('names are per namespace, and a custom kind never meets a built-in one', () => {
    const text = [
      config('1'),
      config('2').replace('name: c', 'name: c, namespace: shop'),
      'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: c, namespace: default}\n',
      'apiVersion: v1\nkind: Service\nmetadata: {name: c}\nspec: {ports: [{port: 1}]}\n',
    ].join('---\n')
    expect([...loadText(text).objects.keys()]).toEqual([
      'ConfigMap/default/c',
      'ConfigMap/shop/c',
      'Service.serving.knative.dev/default/c',
      'Service/default/c',
    ])
  })

  test('what the render says comes along, sorted', () => {
    const extra = { file: 'a.yaml', line: 9, field: '', code: 'BadYaml', message: 'x' }
    const loaded = loadText('kind: Pod', { brokenFiles: ['a.yaml'], extraProblems: [extra] })
    expect(problemLines(loaded.problems)).toEqual(['a.yaml:9 BadYaml', 'app.yaml:1 apiVersion MissingField'])
    expect([...loaded.brokenFiles]).toEqual(['a.yaml', 'app.yaml'])
  })
})

describe('Secrets', () => {
  const secret = (rest: string) => `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n${rest}`

  test('values become digests, the vault has the bytes', () => {
    const vault: string[] = []
    const loaded = loadText(secret('data: {a: aGVsbG8=, b: b2xk}\nstringData: {b: new}'), {
      vault: (_, bytes) => vault.push(Buffer.from(bytes).toString()),
    })
    expect(vault).toEqual(['hello', 'new'])
    expect(JSON.stringify([...loaded.objects.values()])).not.toMatch(/hello|aGVsbG8|new|b2xk/)
  })

  test.each([
    ['not base64', 'data: {a: hunter2!}', 'app.yaml:4 data.a BadBase64'],
    ['a number', 'stringData: {a: 12345678}', 'app.yaml:4 stringData.a WrongType'],
    ['a bad key', 'stringData: {"a/b": hunter2}', 'app.yaml:4 stringData["a/b"] BadName'],
  ])('%s is told without its value', (_, rest, want) => {
    const loaded = loadText(secret(rest))
    expect(problemLines(loaded.problems)).toEqual([want])
    expect(JSON.stringify([loaded.problems, loaded.verdicts])).not.toMatch(/hunter2|12345678/)
  })

  test('a key called __proto__ is a key', () => {
    const loaded = loadText(secret('stringData: {"__proto__": x}'))
    const object = loaded.objects.get('Secret/default/s')?.object as unknown as { data: object }
    expect(Object.keys(object.data)).toEqual(['__proto__'])
  })
})

test('a document reports no more than a hundred findings', () => {
  const fields = Array.from({ length: 300 }, (_, index) => `x${index}: 1`).join('\n')
  expect(loadText(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${fields}`).problems).toHaveLength(100)
})

describe('a loader that remembers', () => {
  const options = (revision: string, digest = plainDigest) => ({ revision, digest, vault: () => undefined })
  const moved = (manifests: readonly Manifest[]) =>
    manifests.map(({ body, origin }) => ({ body, origin: { ...origin, line: origin.line + 1, revision: 'r2' } }))
  const text = `${deployment({ pod: 'nodeSelector: {a: b}' })}\n---\nkind: Pod\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n`

  test('gives what a fresh one gives, at the new place', () => {
    const loader = createLoader()
    const manifests = manifestsIn(text)
    expect(loader(manifests, options('r1'))).toEqual(loadManifests(manifests, options('r1')))
    expect(loader(moved(manifests), options('r2'))).toEqual(loadManifests(moved(manifests), options('r2')))
  })

  test('keeps the very objects, and tells the vault of every Secret each time', () => {
    const loader = createLoader()
    const manifests = manifestsIn(text)
    const told: string[] = []
    const run = (revision: string) => loader(manifests, { ...options(revision), vault: (digest) => told.push(digest) })
    const web = (loaded: ReturnType<typeof run>) => loaded.objects.get('Deployment/default/web')?.object
    expect(web(run('r1'))).toBe(web(run('r2')))
    expect(told).toHaveLength(2)
  })

  test('keeps an object whose file was edited around it', () => {
    const loader = createLoader()
    const web = (manifests: readonly Manifest[]) => loader(manifests, options('r')).objects.get('Deployment/default/web')?.object
    const before = web(manifestsIn(text))
    expect(web(manifestsIn(`# a comment\n${text}`))).toBe(before)
    expect(web(manifestsIn(text.replace('name: web', 'name: web\n  annotations: {a: b}')))).not.toBe(before)
  })

  test('looks again under other rules', () => {
    const loader = createLoader()
    const manifests = manifestsIn(deployment({ container: 'securityContext: {privileged: true}' }))
    const verdict = (allow: Allowance) => loader(manifests, { ...options('r1'), allow }).verdicts[0]?.verdict
    expect([verdict({}), verdict({ default: ['privileged'] }), verdict({})]).toEqual(['refused', 'honoured', 'refused'])
  })
})
