/** What exists on the engine, on disk and among processes, against what should. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import type { ClusterStatus } from '../../src/reconcilers/status.ts'
import type { Theatre } from './theatre.ts'

/** Of the data directory, and no more: the store, the key, the lock, mirrors of the one source, and what is built from it. */
const OWN_FILES = [
  /^trireme\.(db|db-wal|db-shm|lock|lock-journal|lock\.json)$/,
  /^digest\.key$/,
  /^mirrors(\/known_hosts)?$/,
  /^mirrors\/[^/]+\.git(\/.*)?$/,
  /^(tools|renders)(\/unfinished)?$/,
  /^tools\/kubectl-[0-9a-z]+-[0-9a-z]+$/,
  /^renders\/[0-9a-f]{64}\.yaml$/,
]
/** What Git leaves when it is killed: a lock would be in the way of the next one. */
const LEFT_BY_GIT = /^mirrors\/.*(\.lock$|\/tmp_|\.git\.)/
/** Of each revision one is kept, for as long as it may be wanted again. */
const MOST_RENDERS = 2

/**
 * A line for everything that exists and should not, or the other way round; empty when all is as it should be.
 * @param fresh whether the daemon has just been started: what a killed Git has left is cleared then
 */
export async function leaks(theatre: Theatre, fresh: boolean): Promise<readonly string[]> {
  const status = await theatre.lab.status()
  const found = await Promise.all([containers(theatre, status), networks(theatre), volumes(theatre, status), execs(theatre)])
  return [...found.flat(), ...files(theatre, fresh), ...temporary(theatre), ...processes(theatre), ...(await shims(theatre))]
}

async function list(theatre: Theatre, ...words: readonly string[]): Promise<string[]> {
  return (await theatre.engine.docker(...words)).split('\n').filter((word) => word !== '')
}

/** Everything on this engine, labelled or not: for each pod its sandbox, its containers, and of each the last that has ended. */
async function containers(theatre: Theatre, { workloads }: ClusterStatus): Promise<string[]> {
  const labels = ['trireme.role', 'io.kubernetes.pod.uid', 'io.kubernetes.container.name']
  const format = ['{{.Names}}', '{{.State}}', ...labels.map((label) => `{{.Label "${label}"}}`)].join('|')
  const wanted = new Map<string, number>([
    ['router||', 1],
    ['edge||', 1],
  ])
  for (const { uid, containers: apps } of workloads.flatMap(({ pods }) => pods))
    for (const name of ['POD', ...apps.map((one) => one.name)]) wanted.set(`pod|${uid}|${name}`, 1)
  const kept = new Set<string>()
  const extra: string[] = []
  for (const line of await list(theatre, 'ps', '-a', '--format', format)) {
    const [name = '', state = '', role = '', uid = '', container = ''] = line.split('|')
    const what = `${role}|${uid}|${container}`
    const left = wanted.get(what) ?? 0
    if (state === 'running' && left > 0) wanted.set(what, left - 1)
    else if (state === 'exited' && role === 'pod' && container !== 'POD' && wanted.has(what) && !kept.has(what)) kept.add(what)
    else extra.push(`container ${name} (${state})`)
  }
  const missing = [...wanted].filter(([, left]) => left > 0).map(([what]) => `no running container ${what}`)
  return [...extra, ...missing]
}

async function networks(theatre: Theatre): Promise<string[]> {
  const own = `trireme-${theatre.lab.cluster}`
  const found = await list(theatre, 'network', 'ls', '--format', '{{.Name}}')
  return compare('network', found, ['bridge', 'host', 'none', own])
}

async function volumes(theatre: Theatre, { workloads }: ClusterStatus): Promise<string[]> {
  const cluster = `trireme-${theatre.lab.cluster}`
  const ofPods = workloads.flatMap(({ name, pods }) =>
    pods.flatMap(({ uid }) => (name === 'web' ? ['conf', 'work'] : ['keys']).map((volume) => `${cluster}-${uid}-${volume}`)),
  )
  const found = await list(theatre, 'volume', 'ls', '-q')
  const kept = found.filter((name) => theatre.keptByEngine.has(name) && !ofPods.includes(name))
  return compare('volume', found, [...ofPods, ...kept, `${cluster}-router`])
}

/** One agent runs in the router, and nothing else that somebody has begun by exec. What was never started Docker itself forgets last. */
async function execs(theatre: Theatre): Promise<string[]> {
  const ids = await list(theatre, 'ps', '-q')
  const lines = await list(theatre, 'inspect', '--format', '{{.Name}} {{json .ExecIDs}}', ...ids)
  const counted = lines.map(async (line) => {
    const [name = '', known = 'null'] = line.split(' ')
    const begun = (JSON.parse(known) as string[] | null) ?? []
    const running = (await Promise.all(begun.map((id) => execRuns(theatre, id)))).filter(Boolean).length
    return running > (name.endsWith('-router') ? 1 : 0) ? [`${running} programs begun by exec in ${name}`] : []
  })
  return (await Promise.all(counted)).flat()
}

/** The docker command line does not tell. */
async function execRuns({ engine }: Theatre, id: string): Promise<boolean> {
  const socketPath = engine.host.slice('unix://'.length)
  const body = await new Promise<string>((resolve, reject) => {
    get({ socketPath, path: `/exec/${id}/json` }, async (answer) => {
      resolve((await answer.setEncoding('utf8').toArray()).join(''))
    }).on('error', reject)
  })
  return (JSON.parse(body) as { Running?: boolean }).Running === true
}

function files(theatre: Theatre, fresh: boolean): string[] {
  const { data } = theatre.lab
  const found = readdirSync(data, { recursive: true }).map(String)
  const odd = found.filter((path) => !OWN_FILES.some((own) => own.test(path)) || (fresh && LEFT_BY_GIT.test(path)))
  const mirrors = readdirSync(join(data, 'mirrors')).filter((name) => name.endsWith('.git'))
  const renders = readdirSync(join(data, 'renders')).filter((name) => name.endsWith('.yaml'))
  return [
    ...odd.map((path) => `file ${path} in the data directory`),
    ...mirrors.slice(1).map((name) => `mirror ${name}`),
    ...renders.slice(MOST_RENDERS).map((name) => `render ${name}`),
  ]
}

/** Nobody else uses this folder for temporary files. */
function temporary({ engine }: Theatre): string[] {
  return readdirSync(join(engine.dir, 'tmp')).map((name) => `temporary file ${name}`)
}

/** Programs of daemons that are gone, by what they have in their environment, on their command line or as their folder. */
function processes({ lab, engine }: Theatre): string[] {
  const marks = [lab.folder, join(engine.dir, 'tmp')]
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && !descendsFrom(pid, lab.pid))
    .filter((pid) => {
      const said = ['cmdline', 'environ'].map((file) => read(`/proc/${pid}/${file}`)).join('\0')
      return marks.some((mark) => said.includes(mark) || folderOf(pid).startsWith(mark))
    })
    .flatMap((pid) => {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
      // Without a command line it is dead, and waits to be collected by who runs this.
      return command === '' ? [] : [`process ${pid}: ${command.slice(0, 120)}`]
    })
}

/**
 * The engine's own: one for each container that runs. One that runs nothing is left by an engine that was killed while it started a
 * container, and none of its commands takes it away.
 */
async function shims(theatre: Theatre): Promise<string[]> {
  const running = (await list(theatre, 'ps', '-q')).length
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid))
  const busy = new Set(pids.filter((pid) => !read(`/proc/${pid}/cmdline`).startsWith('runc\0init')).map(parentOf))
  const found = pids.filter((pid) => {
    const words = read(`/proc/${pid}/cmdline`)
    return busy.has(pid) && words.includes('containerd-shim') && words.includes(theatre.engine.name)
  }).length
  return found === running ? [] : [`${found} shims of the engine for ${running} containers`]
}

function compare(what: string, found: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...found.filter((name) => !wanted.includes(name)).map((name) => `${what} ${name}`),
    ...wanted.filter((name) => !found.includes(name)).map((name) => `no ${what} ${name}`),
  ]
}

function descendsFrom(pid: string, ancestor: number): boolean {
  for (let at = pid; at !== '' && at !== '0'; at = parentOf(at)) if (Number(at) === ancestor) return true
  return false
}

function parentOf(pid: string): string {
  return /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A process that has ended meanwhile.
    return ''
  }
}

function folderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}
