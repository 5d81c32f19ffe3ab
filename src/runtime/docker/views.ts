import { posix } from 'node:path'
import type {
  ContainerState,
  ContainerStats,
  ContainerView,
  EngineInfo,
  FileType,
  ImageView,
  NetworkAttachment,
  NetworkView,
  ResourceLimits,
  RestartPolicy,
  VolumeView,
} from '../engine.ts'
import { flag, instant, isRecord, type Json, list, number, record, text, textMap, texts } from './json.ts'

/**
 * A memory limit at or above this, in bytes, is none: `update` cannot lift a limit, only raise it out of
 * reach. A whole number of pages that JSON prints exactly, or the kernel refuses it.
 */
export const unlimitedMemory = 2 ** 50

/**
 * A container from `GET /containers/{id}/json`; `undefined` when the answer has no id.
 *
 * Environment, command and arguments are not read: they may hold secrets.
 */
export function containerView(said: unknown): ContainerView | undefined {
  const answer = record(said)
  const id = text(answer.Id)
  if (id === '') return undefined
  const config = record(answer.Config)
  const host = record(answer.HostConfig)
  const state = record(answer.State)
  return {
    id,
    name: text(answer.Name).replace(/^\//, ''),
    image: text(config.Image),
    imageId: text(answer.Image),
    labels: textMap(config.Labels),
    state: containerState(state),
    exitCode: number(state.ExitCode),
    oomKilled: flag(state.OOMKilled),
    error: text(state.Error),
    createdAt: instant(answer.Created),
    startedAt: instant(state.StartedAt),
    finishedAt: instant(state.FinishedAt),
    restartCount: number(answer.RestartCount),
    restartPolicy: restartPolicy(text(record(host.RestartPolicy).Name)),
    resources: resourceLimits(host),
    networkMode: text(host.NetworkMode),
    networks: attachments(record(answer.NetworkSettings)),
    mounts: list(answer.Mounts).filter(isRecord).map(mountView),
    pid: number(state.Pid),
  }
}

/**
 * A container from its entry in `GET /containers/json`, for one that cannot be inspected: the engine holds
 * its lock, or its files are damaged. Resources, restart policy and times are not in the list.
 *
 * @param error why it could not be inspected
 */
export function listedContainer(said: unknown, error: string): ContainerView | undefined {
  const entry = record(said)
  const [name = ''] = texts(entry.Names)
  const [, exitCode = '0'] = /^Exited \((\d+)\)/.exec(text(entry.Status)) ?? []
  return containerView({
    Id: entry.Id,
    Name: name,
    Image: entry.ImageID,
    Created: new Date(number(entry.Created) * 1000).toISOString(),
    Config: { Image: entry.Image, Labels: entry.Labels },
    HostConfig: entry.HostConfig,
    State: { Status: entry.State, ExitCode: Number(exitCode), Error: error },
    NetworkSettings: entry.NetworkSettings,
    Mounts: entry.Mounts,
  })
}

const states: readonly ContainerState[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']

function containerState(state: Json): ContainerState {
  const named = states.find((candidate) => candidate === text(state.Status))
  if (named) return named
  if (flag(state.Paused)) return 'paused'
  if (flag(state.Restarting)) return 'restarting'
  if (flag(state.Dead)) return 'dead'
  return flag(state.Running) ? 'running' : 'exited'
}

const policies: readonly RestartPolicy[] = ['always', 'unless-stopped', 'on-failure']

function restartPolicy(name: string): RestartPolicy {
  return policies.find((policy) => policy === name) ?? 'no'
}

function resourceLimits(host: Json): ResourceLimits {
  const memory = number(host.Memory)
  const quota = number(host.CpuQuota)
  const shares = number(host.CpuShares)
  return {
    ...(memory > 0 && memory < unlimitedMemory ? { memoryBytes: memory } : {}),
    ...(quota > 0 ? { cpuQuota: quota } : {}),
    ...(shares > 0 ? { cpuShares: shares } : {}),
  }
}

function attachments(settings: Json): Readonly<Record<string, NetworkAttachment>> {
  const networks = Object.entries(record(settings.Networks)).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    networks.map(([name, endpoint]) => {
      const { NetworkID, IPAddress, IPAMConfig } = record(endpoint)
      return [name, { networkId: text(NetworkID), ip: text(IPAddress), requestedIp: text(record(IPAMConfig).IPv4Address) }]
    }),
  )
}

function mountView(mount: Json): ContainerView['mounts'][number] {
  return {
    type: text(mount.Type),
    name: text(mount.Name),
    source: text(mount.Source),
    destination: text(mount.Destination),
    readOnly: mount.RW === false,
  }
}

/** A network from `GET /networks`; `undefined` when it has no id. */
export function networkView(said: unknown): NetworkView | undefined {
  const answer = record(said)
  const id = text(answer.Id)
  if (id === '') return undefined
  const pools = list(record(answer.IPAM).Config).filter(isRecord)
  return {
    id,
    name: text(answer.Name),
    driver: text(answer.Driver),
    labels: textMap(answer.Labels),
    subnets: pools.map((pool) => ({ subnet: text(pool.Subnet), ipRange: text(pool.IPRange), gateway: text(pool.Gateway) })),
  }
}

/** A volume from `GET /volumes`; `undefined` when it has no name. */
export function volumeView(said: unknown): VolumeView | undefined {
  const answer = record(said)
  const name = text(answer.Name)
  if (name === '') return undefined
  const [driver, options] = [text(answer.Driver), textMap(answer.Options)]
  const mountpoint = driver === 'local' && options.o === 'bind' ? folderPath(options.device) : text(answer.Mountpoint)
  return { name, driver, labels: textMap(answer.Labels), mountpoint }
}

/** What Docker's own folder for the volume shows only while a container has it, as Docker tells it of the mounts of containers. */
function folderPath(device = ''): string {
  return posix.normalize(device).replace(/(?<=.)\/$/, '')
}

/** An image from `GET /images/{name}/json`; `undefined` when it has no id. */
export function imageView(said: unknown): ImageView | undefined {
  const answer = record(said)
  const id = text(answer.Id)
  if (id === '') return undefined
  const config = record(answer.Config)
  const [check = 'NONE'] = texts(record(config.Healthcheck).Test)
  return {
    id,
    tags: texts(answer.RepoTags),
    digests: texts(answer.RepoDigests),
    user: text(config.User),
    hasHealthcheck: check !== 'NONE',
    exposedPorts: Object.keys(record(config.ExposedPorts)).sort(),
    sizeBytes: number(answer.Size),
  }
}

/** The engine from `GET /info`; `apiVersion` is the one spoken. */
export function engineInfo(said: unknown, apiVersion: string): EngineInfo {
  const answer = record(said)
  return {
    id: text(answer.ID),
    name: text(answer.Name),
    version: text(answer.ServerVersion),
    apiVersion,
    os: text(answer.OperatingSystem),
    architecture: text(answer.Architecture),
    kernel: text(answer.KernelVersion),
    cpus: number(answer.NCPU),
    memoryBytes: number(answer.MemTotal),
    storageDriver: text(answer.Driver),
    cgroupVersion: text(answer.CgroupVersion),
    liveRestore: flag(answer.LiveRestoreEnabled),
    securityOptions: texts(answer.SecurityOptions),
    warnings: texts(answer.Warnings),
    runtimes: Object.keys(record(answer.Runtimes)).sort(),
  }
}

/**
 * Usage from `GET /containers/{id}/stats`, zeros for a container that is not running.
 *
 * Working set is what the kernel cannot reclaim at once: usage less inactive file pages (cgroup v1
 * `total_inactive_file`, v2 `inactive_file`), as cAdvisor counts it.
 */
export function containerStats(said: unknown): ContainerStats {
  const answer = record(said)
  const memory = record(answer.memory_stats)
  const detail = record(memory.stats)
  const usage = number(memory.usage)
  const inactive = number(detail.total_inactive_file ?? detail.inactive_file)
  return {
    cpuNanos: number(record(record(answer.cpu_stats).cpu_usage).total_usage),
    memoryUsageBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - inactive),
    memoryRssBytes: number(detail.total_rss ?? detail.rss ?? detail.anon),
    readAt: instant(answer.read),
  }
}

/** Bits of the modes of Go, which are the same for whatever system it runs on. @see Go `io/fs.FileMode` */
const fileTypes: readonly (readonly [number, FileType])[] = [
  [2 ** 31, 'directory'],
  [2 ** 27, 'link'],
  [2 ** 25, 'pipe'],
  [2 ** 24, 'socket'],
  // A character device has the bit of devices too.
  [2 ** 21, 'characterDevice'],
  [2 ** 26, 'blockDevice'],
  [2 ** 19, 'other'],
]

/** From the header that tells of a path: JSON in base 64. `undefined` for anything else. */
export function fileType(header: unknown): FileType | undefined {
  const mode = modeIn(Buffer.from(text(header), 'base64').toString('utf8'))
  if (mode === undefined) return undefined
  return fileTypes.find(([bit]) => Math.floor(mode / bit) % 2 === 1)?.[1] ?? 'file'
}

function modeIn(written: string): number | undefined {
  try {
    const { mode } = record(JSON.parse(written))
    return typeof mode === 'number' && mode >= 0 ? mode : undefined
  } catch {
    return undefined
  }
}
