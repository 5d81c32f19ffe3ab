/** A pod on Docker: compiles a bound pod template into the containers and volumes that make it. */
import { canonicalText } from '../model/canonical.ts'
import { isSidecar } from '../model/podresources.ts'
import { bytes, cpuMillis } from '../model/quantity.ts'
import { ownOf } from '../model/raw.ts'
import type { Container, PodSpec, PodTemplate } from '../model/types/pod.ts'
import type { ContainerConfig, PortBinding, ResourceLimits } from '../runtime/engine.ts'
import type { Cluster } from './cluster.ts'
import type { PodFacts } from './downward.ts'
import { environmentOf, expand, resolveEnvironment, usesVariables } from './environment.ts'
import type { BoundConfig } from './memory.ts'
import { compileMounts, mountOf, type PlacedMount } from './mounts.ts'
import { containerName, LABEL, podLabels, SANDBOX, SANDBOX_VOLUMES } from './names.ts'
import { keeperCapabilities } from './places.ts'
import type { ContainerSpec, EnvEntry, SecretRef, Text } from './plan.ts'
import { inOrder, type Role } from './podorder.ts'
import { ownMemoryRequest, qosOf } from './requests.ts'
import { compileSecurity, runAs, sandboxSecurity } from './security.ts'
import { linkVariables } from './servicelinks.ts'
import { type Units, unitsOf } from './units.ts'
import { compileVolumes, type PodVolume } from './volumes.ts'

/** 10 MiB in 3 files: what Kubernetes nodes keep of a container's log by default. */
const LOG_MAX_BYTES = 10 * 1024 * 1024
const LOG_MAX_FILES = 3
/** The longest that a sandbox holds up the engine's own shutdown: s. */
const SANDBOX_STOP_SECONDS = 10
/** The smallest CPU share Docker takes; what a container without a request gets. */
const MIN_CPU_SHARES = 2

export interface PodInput {
  readonly cluster: Cluster
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly ip: string
  readonly node: string
  /** bytes; for the OOM score of Burstable pods */
  readonly nodeMemoryBytes: number
  readonly nodeCpus: number
  /** the engine itself mounts a part of a volume, and follows no link out of it */
  readonly mountsParts: boolean
  /** ObjectKey of the workload */
  readonly owner: string
  readonly set: string
  readonly hash: string
  readonly sourceRevision: string
  /** as this pod has it, with all of its labels */
  readonly template: PodTemplate
  readonly config: BoundConfig
  /** the Services that it is told of, as `linksText` has them */
  readonly links: string
  /** what it holds of its node's extended resources */
  readonly units: Units
  /** what the sandbox remembers for a lost store */
  readonly memory: unknown
}

export interface CompiledContainer {
  readonly name: string
  readonly role: Role
  readonly container: Container
  /** what a `pull` step is known by: rolled images are pulled once per template when the policy is Always */
  readonly imageKey: string
  readonly resources: ResourceLimits
  readonly mounts: readonly PlacedMount[]
  /** why it can never be made, `''` when it can */
  readonly unfit: string
  /** The spec of one attempt. `imageUser` is the image's USER; `mountpoint` gives a volume's path on the node. */
  spec(attempt: number, failures: number, imageUser: string, mountpoint: (volume: string) => string | undefined): ContainerSpec
}

export interface CompiledPod {
  /** what it was compiled from: the template of its set as this pod has it */
  readonly template: PodTemplate
  readonly sandbox: ContainerSpec
  readonly volumes: readonly PodVolume[]
  /** in the order they start */
  readonly containers: readonly CompiledContainer[]
  readonly pullSecrets: readonly SecretRef[]
}

/** Compiles a pod; equal inputs give equal containers, and every value that is secret stays a reference. */
export function compilePod(input: PodInput): CompiledPod {
  const { cluster, template, config } = input
  const facts: PodFacts = {
    ...input,
    hostIp: cluster.gateway,
    labels: template.metadata.labels,
  }
  const volumes = compileVolumes(cluster, facts, input.owner, config)
  const labels = podLabels(cluster, input, input.owner, input.set, input.hash, input.sourceRevision)
  const containers = inOrder(template.spec).map(({ role, container }) => ({
    role,
    ...compileContainer(input, container, facts, volumes, labels),
  }))
  const mounts = containers.flatMap((one) => one.mounts)
  return {
    template,
    sandbox: compileSandbox(input, volumes, mounts, labels),
    volumes,
    containers,
    pullSecrets: pullSecrets(template.spec, input.namespace, config),
  }
}

/** Default Docker-side values of every container Trireme makes. */
export function baseSpec(
  cluster: Cluster,
): Omit<ContainerConfig, 'name' | 'labels' | 'networkMode' | 'env' | 'entrypoint' | 'cmd'> & { readonly env: readonly [] } {
  return {
    image: cluster.nodeImage,
    env: [],
    tty: false,
    openStdin: false,
    stdinOnce: false,
    restartPolicy: 'no',
    init: false,
    resources: {},
    oomScoreAdj: 0,
    mounts: [],
    portBindings: [],
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    extraHosts: [],
    sysctls: {},
    capAdd: [],
    capDrop: [],
    privileged: false,
    readonlyRootfs: false,
    securityOpt: [],
    groupAdd: [],
    noHealthcheck: true,
    logMaxBytes: LOG_MAX_BYTES,
    logMaxFiles: LOG_MAX_FILES,
  }
}

function compileSandbox(
  input: PodInput,
  volumes: readonly PodVolume[],
  mounts: readonly PlacedMount[],
  labels: Readonly<Record<string, string>>,
): ContainerSpec {
  const { cluster, template } = input
  const spec = template.spec
  const capAdd = keeperCapabilities(mounts)
  return {
    ...baseSpec(cluster),
    ...resolverOf(cluster, spec, input.namespace),
    ...hostnameOf(input),
    ...runtimeOf(spec),
    ...(spec.shareProcessNamespace ? REAPER : {}),
    name: containerName(input, SANDBOX, 0),
    labels: {
      ...labels,
      [LABEL.containerName]: SANDBOX,
      [LABEL.dockerType]: 'podsandbox',
      [LABEL.attempt]: '0',
      [LABEL.memory]: canonicalText(input.memory),
      ...(input.links === '' ? {} : { [LABEL.services]: input.links }),
    },
    ...(spec.hostNetwork ? { networkMode: 'host' } : { networkMode: cluster.network, ip: input.ip }),
    resources: { cpuShares: MIN_CPU_SHARES },
    restartPolicy: 'always',
    // It ignores the signal, so that containers which are stopped beside it keep their network meanwhile.
    stopTimeoutSeconds: Math.min(spec.terminationGracePeriodSeconds, SANDBOX_STOP_SECONDS),
    extraHosts: spec.hostAliases.flatMap(({ ip, hostnames }) => hostnames.map((host) => `${host}:${ip}`)),
    sysctls: Object.fromEntries(spec.securityContext.sysctls.map(({ name, value }) => [name, value])),
    capDrop: ['ALL'],
    capAdd,
    readonlyRootfs: false,
    securityOpt: sandboxSecurity(spec, capAdd),
    portBindings: hostPorts(spec),
    // Mounted here so that files can be put in before the containers start, and so that tmpfs outlives them.
    mounts: volumes
      .filter(({ kind }) => kind !== 'hostPath')
      .map(({ name, source, volume }) => ({
        type: 'volume',
        source,
        target: `${SANDBOX_VOLUMES}/${name}`,
        readOnly: false,
        // Somebody may remove it before the sandbox is made.
        ...(volume === undefined ? {} : { volume }),
      })),
  }
}

/**
 * With one process namespace for all of them, the sandbox's first process is the parent of every orphan. It passes signals
 * on to its child, so it is the child that ignores the one that would end it.
 */
const REAPER: Pick<ContainerSpec, 'init' | 'entrypoint' | 'cmd'> = {
  init: true,
  entrypoint: ['sh', '-c', "trap '' TERM; exec sleep infinity"],
  cmd: [],
}

/** @see Kubernetes pkg/kubelet/kubelet_pods.go GeneratePodHostNameAndDomain */
function hostnameOf({ cluster, template: { spec }, name, namespace }: PodInput): Pick<ContainerSpec, 'hostname' | 'domainname'> {
  if (spec.hostNetwork) return {}
  if (spec.hostnameOverride !== undefined) return { hostname: spec.hostnameOverride }
  const hostname = (spec.hostname ?? name).slice(0, 63)
  if (spec.subdomain === undefined) return { hostname }
  const domainname = `${spec.subdomain}.${namespace}.svc.${cluster.domain}`
  return spec.setHostnameAsFQDN ? { hostname: `${hostname}.${domainname}` } : { hostname, domainname }
}

function namespacesOf(
  { shareProcessNamespace, hostPID, hostIPC }: PodSpec,
  sandbox: string,
): Pick<ContainerSpec, 'pidMode' | 'ipcMode'> {
  const pidMode = hostPID ? 'host' : shareProcessNamespace ? sandbox : undefined
  return { ...(pidMode === undefined ? {} : { pidMode }), ...(hostIPC ? { ipcMode: 'host' } : {}) }
}

function runtimeOf({ runtimeClassName }: PodSpec): Pick<ContainerSpec, 'runtime'> {
  return runtimeClassName === undefined ? {} : { runtime: runtimeClassName }
}

/** Host ports belong to the sandbox: Docker refuses them on a container that joins another's network. */
function hostPorts(spec: PodSpec): PortBinding[] {
  if (spec.hostNetwork) return []
  return inOrder(spec).flatMap(({ container: { ports } }) =>
    ports.flatMap(({ hostPort, hostIP, containerPort, protocol }): PortBinding[] => {
      if (hostPort === undefined || hostPort === 0 || protocol === 'SCTP') return []
      return [{ hostIp: hostIP ?? '', hostPort, containerPort, protocol: protocol === 'TCP' ? 'tcp' : 'udp' }]
    }),
  )
}

function resolverOf(cluster: Cluster, spec: PodSpec, namespace: string): Pick<ContainerSpec, 'dns' | 'dnsSearch' | 'dnsOptions'> {
  const custom = spec.dnsConfig ?? { nameservers: [], searches: [], options: [] }
  const options = custom.options.map(({ name, value }) => (value === undefined ? name : `${name}:${value}`))
  // On the network of its node a pod has the node's resolver unless it says that it wants the cluster's.
  const own = spec.dnsPolicy === 'None' || spec.dnsPolicy === 'Default' || (spec.hostNetwork && spec.dnsPolicy === 'ClusterFirst')
  if (own) return { dns: custom.nameservers, dnsSearch: custom.searches, dnsOptions: options }
  const zone = `svc.${cluster.domain}`
  return {
    dns: [cluster.dnsAddress, ...custom.nameservers],
    dnsSearch: [`${namespace}.${zone}`, zone, cluster.domain, ...custom.searches],
    dnsOptions: options.some((option) => option.startsWith('ndots:')) ? options : ['ndots:5', ...options],
  }
}

interface Environment {
  readonly env: EnvEntry[]
  /** what `$(NAME)` stands for */
  readonly values: ReadonlyMap<string, Text>
}

function compileContainer(
  input: PodInput,
  container: Container,
  facts: PodFacts,
  volumes: readonly PodVolume[],
  labels: Readonly<Record<string, string>>,
): Omit<CompiledContainer, 'role'> {
  const { cluster, template } = input
  // Worked out anew when it is asked for: kept, it would be most of what a pod takes.
  const environment = (): Environment => {
    const linked = usesVariables(container) ? environmentOf(linkVariables(input.links)) : new Map<string, Text>()
    const env = resolveEnvironment(container, facts, input.config, linked)
    return { env, values: new Map([...linked, ...environmentOf(env)]) }
  }
  const resources = containerResources(container)
  const security = compileSecurity(container, template.spec)
  const { mounts, unfit } = compileMounts(container, volumes, () => environment().values)
  return {
    name: container.name,
    container,
    imageKey: container.imagePullPolicy === 'Always' ? `${container.image}@${input.hash}` : container.image,
    resources,
    mounts,
    unfit,
    spec(attempt, failures, imageUser, mountpoint) {
      const sandbox = `container:${containerName(input, SANDBOX, 0)}`
      const user = runAs(container, template.spec, imageUser)
      const { env, values } = environment()
      const entrypoint = container.command.map((word): Text => expand(word, values))
      const cmd = container.args.map((word): Text => expand(word, values))
      return {
        ...baseSpec(cluster),
        ...security,
        name: containerName(input, container.name, attempt),
        image: container.image,
        labels: {
          ...labels,
          [LABEL.containerName]: container.name,
          [LABEL.dockerType]: 'container',
          [LABEL.attempt]: String(attempt),
          [LABEL.failures]: String(failures),
        },
        env,
        ...(input.links === '' ? {} : { links: input.links }),
        ...(entrypoint.length > 0 ? { entrypoint } : {}),
        ...(entrypoint.length > 0 || cmd.length > 0 ? { cmd } : {}),
        ...(user === undefined ? {} : { user }),
        ...(container.workingDir === undefined ? {} : { workingDir: container.workingDir }),
        tty: container.tty,
        openStdin: container.stdin,
        stdinOnce: container.stdinOnce,
        init: true,
        ...(container.lifecycle?.stopSignal === undefined ? {} : { stopSignal: container.lifecycle.stopSignal }),
        ...runtimeOf(template.spec),
        ...namespacesOf(template.spec, sandbox),
        stopTimeoutSeconds: template.spec.terminationGracePeriodSeconds,
        resources,
        oomScoreAdj: oomScore(template.spec, container, input.nodeMemoryBytes),
        ...unitsOf(template.spec, container, input.units),
        mounts: mounts.map((mount) => mountOf(mount, mountpoint, input.mountsParts)),
        networkMode: sandbox,
      }
    },
  }
}

/** @see Kubernetes pkg/kubelet/kuberuntime/kuberuntime_container_linux.go: quota in µs per 100 ms, shares of 1024 */
export function containerResources(container: Container): ResourceLimits {
  const { limits, requests } = container.resources
  const cpuRequest = requests.cpu ?? limits.cpu
  const shares =
    cpuRequest === undefined ? MIN_CPU_SHARES : Math.max(MIN_CPU_SHARES, Math.floor((cpuMillis(cpuRequest) * 1024) / 1000))
  return {
    cpuShares: shares,
    ...(limits.cpu === undefined ? {} : { cpuQuota: Math.max(1000, cpuMillis(limits.cpu) * 100) }),
    ...(limits.memory === undefined ? {} : { memoryBytes: bytes(limits.memory) }),
  }
}

/**
 * Kubernetes' order without its negative scores: an engine without CAP_SYS_RESOURCE (rootless, nested) refuses
 * to start a container with one, and cannot be asked beforehand. Guaranteed pods and sandboxes get 0.
 * @see Kubernetes pkg/kubelet/qos/policy.go
 */
function oomScore(spec: PodSpec, container: Container, nodeMemoryBytes: number): number {
  const qos = qosOf(spec)
  if (qos === 'Guaranteed') return 0
  if (qos === 'BestEffort') return 1000
  if (nodeMemoryBytes === 0) return 999
  // A sidecar is not killed before the containers that it is there for.
  const asked = (isSidecar(container) ? [container, ...spec.containers] : [container]).map(ownMemoryRequest)
  return Math.min(999, Math.max(2, Math.floor(1000 - (1000 * Math.max(...asked)) / nodeMemoryBytes)))
}

function pullSecrets(spec: PodSpec, namespace: string, config: BoundConfig): SecretRef[] {
  return spec.imagePullSecrets.flatMap(({ name }) =>
    Object.entries(ownOf(config.secrets, name)?.data ?? {})
      .filter(([key]) => key === '.dockerconfigjson' || key === '.dockercfg')
      .map(([key, digest]) => ({ namespace, name, key, digest })),
  )
}
