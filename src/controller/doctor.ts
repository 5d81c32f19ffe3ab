/** `trireme doctor`: what stands in the way on this host, each with its remedy. Makes one short-lived container, and removes it. */
import { access, constants } from 'node:fs/promises'
import type { Check } from '../api/check.ts'
import type { Config } from '../config.ts'
import { defineCluster } from '../reconcilers/cluster.ts'
import { baseSpec } from '../reconcilers/compile.ts'
import { clusterLabels } from '../reconcilers/names.ts'
import { dockerEngine } from '../runtime/docker/engine.ts'
import { type Engine, EngineError, type EngineInfo } from '../runtime/engine.ts'
import { pause } from '../runtime/timers.ts'
import { makePrivateFolder } from '../store/folder.ts'
import type { Edges } from './edges.ts'
import { makeSource } from './source.ts'
import { findSubnet } from './subnet.ts'

type DoctorEdges = Pick<Edges, 'now' | 'timers' | 'environment' | 'signal' | 'nodeImage' | 'uuid'>

const OLDEST_API = 1.41
const PROBE_TIMEOUT_MS = 20_000

export async function diagnose(config: Config, edges: DoctorEdges): Promise<readonly Check[]> {
  const engine = dockerEngine({ node: 'local', host: config.docker, timeoutMs: 10_000 })
  const reach = await reachEngine(engine, config)
  const more = 'info' in reach ? await examine(config, edges, engine, reach.info) : []
  return [reach.check, ...more, await checkDataDir(config), ...(await checkSource(config, edges))]
}

async function reachEngine(engine: Engine, config: Config): Promise<{ check: Check } | { check: Check; info: EngineInfo }> {
  try {
    const info = await engine.info()
    return { info, check: pass('engine', `Docker ${info.version} (API ${info.apiVersion}) at ${config.docker}`) }
  } catch (error) {
    const denied = /EACCES|permission denied/i.test(messageOf(error))
    const remedy = denied
      ? 'run as root, or add yourself to the group "docker" and log in again'
      : 'install and start Docker ("npm run setup" does both on Debian), or point --docker at it'
    return { check: fail('engine', messageOf(error), remedy) }
  }
}

async function examine(config: Config, edges: DoctorEdges, engine: Engine, info: EngineInfo): Promise<Check[]> {
  const image = config.nodeImage ?? edges.nodeImage
  const imageCheck = await checkImage(engine, image)
  return [
    checkVersion(info),
    info.os === '' || /linux|debian|ubuntu|alpine|fedora|rhel|suse|arch/i.test(info.os)
      ? pass('system', `${info.os}, kernel ${info.kernel}`)
      : warn('system', `${info.os} is not tried`, 'use a Linux engine'),
    info.liveRestore
      ? pass('live-restore', 'containers outlive a restart of Docker')
      : warn('live-restore', 'a restart of Docker stops every container', 'set "live-restore": true in /etc/docker/daemon.json'),
    imageCheck,
    ...(imageCheck.level === 'ok' ? [await checkNftables(config, edges, engine, image)] : []),
    await checkSubnet(config, engine),
  ]
}

function checkVersion({ apiVersion }: EngineInfo): Check {
  if (Number.parseFloat(apiVersion) >= OLDEST_API || Number(apiVersion.split('.')[1]) >= 41)
    return pass('engine-version', `API ${apiVersion}`)
  return fail('engine-version', `API ${apiVersion} is older than ${OLDEST_API}`, 'upgrade Docker to 20.10 or later')
}

async function checkImage(engine: Engine, image: string): Promise<Check> {
  const found = await engine.inspectImage(image)
  return found === undefined
    ? fail('node-image', `${image} is not on the engine`, 'run "node scripts/ensure.mjs --images node", or load the image there')
    : pass('node-image', image)
}

/** Routers need nftables with NAT in a network namespace of their own: tried in one, since no file says so for sure. */
async function checkNftables(config: Config, edges: DoctorEdges, engine: Engine, image: string): Promise<Check> {
  const cluster = defineCluster({ id: config.cluster, domain: config.domain, subnet: '10.88.0.0/16', nodeImage: image })
  const script =
    "nft add table ip t && nft 'add chain ip t c { type nat hook prerouting priority -100 ; }' && nft 'add rule ip t c tcp dport 80 dnat to 192.0.2.1'"
  const name = `trireme-doctor-${edges.uuid()}`
  // Not labelled as the cluster's: a running daemon would take it for a stranger's copy.
  const { 'trireme.cluster': _cluster, ...labels } = clusterLabels(cluster, 'router')
  const { env: _env, ...base } = baseSpec(cluster)
  const id = await engine.createContainer({
    ...base,
    env: [],
    entrypoint: ['/bin/sh', '-c', script],
    cmd: [],
    name,
    labels,
    networkMode: 'none',
    capDrop: ['ALL'],
    capAdd: ['NET_ADMIN'],
  } as Parameters<Engine['createContainer']>[0])
  try {
    await engine.startContainer(id)
    const code = await exitCode(engine, id, edges)
    if (code === 0) return pass('kernel-nftables', 'network address translation works')
    return fail(
      'kernel-nftables',
      `nft failed with ${code}: ${(await lastLine(engine, id)).slice(0, 200)}`,
      'use a kernel with nf_tables and nft_nat (Debian and Ubuntu kernels have them)',
    )
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return fail('kernel-nftables', error.message, 'see the message of the engine')
  } finally {
    await engine.removeContainer(id)
  }
}

async function exitCode(engine: Engine, id: string, { now, timers, signal }: DoctorEdges): Promise<number> {
  const until = now() + PROBE_TIMEOUT_MS
  while (now() < until) {
    const view = await engine.inspectContainer(id)
    if (view?.state === 'exited') return view.exitCode
    await pause(timers, 50, signal)
  }
  throw new EngineError('timeout', `no answer within ${PROBE_TIMEOUT_MS / 1000} s`)
}

async function lastLine(engine: Engine, id: string): Promise<string> {
  let last = ''
  for await (const { text } of engine.logs(id, { tail: 1 })) last = text
  return last
}

async function checkSubnet(config: Config, engine: Engine): Promise<Check> {
  try {
    return pass('pod-network', await findSubnet(engine, config.cluster, config.podCidr))
  } catch (error) {
    return fail('pod-network', messageOf(error), 'give a free subnet with --pod-cidr')
  }
}

async function checkDataDir({ dataDir }: Config): Promise<Check> {
  try {
    makePrivateFolder(dataDir)
    await access(dataDir, constants.W_OK)
    return pass('data-dir', dataDir)
  } catch (error) {
    return fail('data-dir', messageOf(error), 'give a writable folder with --data-dir')
  }
}

async function checkSource(config: Config, edges: DoctorEdges): Promise<Check[]> {
  if (config.source === null) return []
  const source = makeSource(config, edges)
  try {
    const { revision } = await source.poll(edges.signal)
    return [pass('source', `newest revision ${revision.sha.slice(0, 12)}`)]
  } catch (error) {
    return [fail('source', messageOf(error), 'check the address, the branch, and the credentials')]
  } finally {
    await source.close()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const pass = (name: string, message: string): Check => ({ name, level: 'ok', message, remedy: '' })
const warn = (name: string, message: string, remedy: string): Check => ({ name, level: 'warn', message, remedy })
const fail = (name: string, message: string, remedy: string): Check => ({ name, level: 'fail', message, remedy })
