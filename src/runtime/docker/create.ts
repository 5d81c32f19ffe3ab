import type { ContainerConfig, Mount, NetworkConfig, ResourceLimits, RestartPolicy, VolumeConfig } from '../engine.ts'
import { unlimitedMemory } from './views.ts'

/** Length of the CPU accounting period that quotas refer to, µs. */
const cpuPeriod = 100_000

/** Log drivers whose output can be read back through the API, in order of preference. */
export type LogDriver = 'local' | 'json-file'

/** The body of `POST /containers/create`. The name goes into the query. */
export function createBody(config: ContainerConfig, logDriver: LogDriver): object {
  return {
    Image: config.image,
    ...(config.entrypoint ? { Entrypoint: config.entrypoint } : {}),
    ...(config.cmd ? { Cmd: config.cmd } : {}),
    Env: config.env,
    Labels: config.labels,
    ...(config.user !== undefined ? { User: config.user } : {}),
    ...(config.workingDir !== undefined ? { WorkingDir: config.workingDir } : {}),
    ...(config.hostname !== undefined ? { Hostname: config.hostname } : {}),
    ...(config.domainname !== undefined ? { Domainname: config.domainname } : {}),
    ...(config.stopSignal !== undefined ? { StopSignal: config.stopSignal } : {}),
    ...(config.stopTimeoutSeconds !== undefined ? { StopTimeout: config.stopTimeoutSeconds } : {}),
    Tty: config.tty,
    OpenStdin: config.openStdin,
    StdinOnce: config.stdinOnce,
    ...(config.noHealthcheck ? { Healthcheck: { Test: ['NONE'] } } : {}),
    ...(config.portBindings.length > 0 ? { ExposedPorts: exposedPorts(config) } : {}),
    HostConfig: hostConfig(config, logDriver),
    ...(config.ip !== undefined ? { NetworkingConfig: { EndpointsConfig: { [config.networkMode]: endpoint(config.ip) } } } : {}),
  }
}

function hostConfig(config: ContainerConfig, logDriver: LogDriver): object {
  return {
    RestartPolicy: { Name: config.restartPolicy },
    Init: config.init,
    ...limits(config.resources),
    OomScoreAdj: config.oomScoreAdj,
    ...mounts(config.mounts),
    NetworkMode: config.networkMode,
    PortBindings: portBindings(config),
    Dns: config.dns,
    DnsSearch: config.dnsSearch,
    DnsOptions: config.dnsOptions,
    ExtraHosts: config.extraHosts,
    Sysctls: config.sysctls,
    CapAdd: config.capAdd,
    CapDrop: config.capDrop,
    Privileged: config.privileged,
    ReadonlyRootfs: config.readonlyRootfs,
    SecurityOpt: config.securityOpt,
    GroupAdd: config.groupAdd,
    ...(config.runtime !== undefined ? { Runtime: config.runtime } : {}),
    ...(config.unmaskedProc ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    ...(config.devices === undefined ? {} : { Devices: config.devices.map(device) }),
    ...(config.gpus === undefined
      ? {}
      : { DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: config.gpus, Capabilities: [['gpu']] }] }),
    ...(config.pidMode !== undefined ? { PidMode: config.pidMode } : {}),
    ...(config.ipcMode !== undefined ? { IpcMode: config.ipcMode } : {}),
    LogConfig: logConfig(config.logMaxBytes, config.logMaxFiles, logDriver),
  }
}

function device(path: string): object {
  return { PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rw' }
}

/** Limits of a new container; swap equals memory, so that a container never swaps. */
function limits(resources: ResourceLimits): object {
  const { memoryBytes, cpuQuota, cpuShares } = resources
  return {
    ...(memoryBytes !== undefined ? { Memory: memoryBytes, MemorySwap: memoryBytes } : {}),
    ...(cpuQuota !== undefined ? { CpuPeriod: cpuPeriod, CpuQuota: cpuQuota } : {}),
    ...(cpuShares !== undefined ? { CpuShares: cpuShares } : {}),
  }
}

function mounts(all: readonly Mount[]): object {
  const [made, given] = [all.filter(({ create }) => create === true), all.filter(({ create }) => create !== true)]
  return { Mounts: given.map(mountBody), ...(made.length > 0 ? { Binds: made.map(bindText) } : {}) }
}

function mountBody(mount: Mount): object {
  const common = { Type: mount.type, Target: mount.target, ReadOnly: mount.readOnly }
  if (mount.type === 'tmpfs') return common
  // A volume hides what the image has at that path, as in Kubernetes; Docker would copy it in.
  if (mount.type === 'volume') {
    const part = mount.part === undefined ? {} : { Subpath: mount.part }
    return { ...common, Source: mount.source, VolumeOptions: { NoCopy: true, ...volumeOptions(mount.volume), ...part } }
  }
  const { propagation } = mount
  return { ...common, Source: mount.source, ...(propagation === undefined ? {} : { BindOptions: { Propagation: propagation } }) }
}

/** Docker makes the source of a bind that is written in this way, and of no other. */
function bindText({ source, target, readOnly, propagation }: Mount): string {
  return [source, target, [readOnly ? 'ro' : 'rw', propagation ?? 'rprivate'].join(',')].join(':')
}

function volumeOptions(volume: VolumeConfig | undefined): object {
  if (volume === undefined) return {}
  return { Labels: volume.labels, DriverConfig: { Name: volume.driver, Options: volume.driverOpts } }
}

const portKey = (port: { readonly containerPort: number; readonly protocol: string }) => `${port.containerPort}/${port.protocol}`

function exposedPorts(config: ContainerConfig): object {
  return Object.fromEntries(config.portBindings.map((port) => [portKey(port), {}]))
}

function portBindings(config: ContainerConfig): object {
  const byPort = Map.groupBy(config.portBindings, portKey)
  return Object.fromEntries(
    [...byPort].map(([key, ports]) => [
      key,
      ports.map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: String(hostPort) })),
    ]),
  )
}

function endpoint(ip: string): object {
  return { IPAMConfig: { IPv4Address: ip } }
}

function logConfig(maxBytes: number, maxFiles: number, driver: LogDriver): object {
  const bounds = { 'max-size': String(maxBytes), 'max-file': String(maxFiles) }
  // The local driver compresses rotated files by default and refuses to when there is only one file.
  const config = driver === 'local' && maxFiles <= 1 ? { ...bounds, compress: 'false' } : bounds
  return { Type: driver, Config: config }
}

/**
 * The body of `POST /containers/{id}/update`.
 *
 * `resources` replaces all limits. The engine reads zero as "leave as it is", so an absent limit is lifted
 * with a value that means none: quota -1, the default of 1024 shares, and a memory limit out of reach.
 */
export function updateBody(change: { readonly resources?: ResourceLimits; readonly restartPolicy?: RestartPolicy }): object {
  const { resources, restartPolicy } = change
  return {
    ...(resources ? { ...replacedMemory(resources), ...replacedCpu(resources) } : {}),
    ...(restartPolicy !== undefined ? { RestartPolicy: { Name: restartPolicy } } : {}),
  }
}

function replacedMemory({ memoryBytes = unlimitedMemory }: ResourceLimits): object {
  return { Memory: memoryBytes, MemorySwap: memoryBytes }
}

function replacedCpu({ cpuQuota, cpuShares }: ResourceLimits): object {
  return { CpuPeriod: cpuPeriod, CpuQuota: cpuQuota ?? -1, CpuShares: cpuShares ?? 1024 }
}

/** The body of `POST /networks/create`. */
export function networkBody(config: NetworkConfig): object {
  const pool = {
    ...(config.subnet !== '' ? { Subnet: config.subnet } : {}),
    ...(config.ipRange !== '' ? { IPRange: config.ipRange } : {}),
    ...(config.gateway !== '' ? { Gateway: config.gateway } : {}),
  }
  return {
    Name: config.name,
    Driver: config.driver,
    CheckDuplicate: true,
    // Plain containers can only join an overlay network that says so.
    ...(config.driver === 'overlay' ? { Attachable: true } : {}),
    IPAM: { Driver: 'default', Config: Object.keys(pool).length > 0 ? [pool] : [] },
    Labels: config.labels,
    Options: config.options,
  }
}

/** The body of `POST /networks/{id}/connect`. */
export function connectBody(containerId: string, ip: string | undefined): object {
  return { Container: containerId, ...(ip !== undefined ? { EndpointConfig: endpoint(ip) } : {}) }
}

/** The body of `POST /volumes/create`. */
export function volumeBody(config: VolumeConfig): object {
  return { Name: config.name, Driver: config.driver, DriverOpts: config.driverOpts, Labels: config.labels }
}
