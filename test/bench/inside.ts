/**
 * The measurements that need an engine; runs in that engine's network namespace.
 *
 *   node inside.ts <engine> <scratch folder> <file for the rows> <quick|full> <cases>
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type Bench, engineOf, type Row } from './bench.ts'
import { benchCreate } from './cases/create.ts'
import { benchHeal } from './cases/heal.ts'
import { benchIdle } from './cases/idle.ts'
import { benchPush } from './cases/push.ts'
import { benchRoll } from './cases/roll.ts'
import { benchService } from './cases/service.ts'
import { openSwarm } from './network.ts'
import { LAUNCHER, startTrireme, type Trireme } from './trireme.ts'

const clusterOf = (name: string): string => `bench-${name}`
const [host = '', dir = '', results = '', mode = 'full', cases = ''] = process.argv.slice(2)
const quick = mode === 'quick'
const bench: Bench = {
  docker: engineOf({ host }),
  host,
  dir,
  quick,
  runs: quick ? 1 : 5,
  say: (line) => void process.stdout.write(`  ${line}\n`),
}

interface Network {
  readonly name: string
  /** the Service address that answers DNS */
  readonly dns: string
}

const CASES: Readonly<Record<string, (bench: Bench, trireme: Trireme, network: Network) => Promise<Row[]>>> = {
  heal: benchHeal,
  create: benchCreate,
  roll: benchRoll,
  push: benchPush,
  service: benchService,
  idle: benchIdle,
}

// The first start after an update compiles what has changed, which no later one has to.
execFileSync(LAUNCHER, ['--help'], { stdio: 'ignore' })
await openSwarm(bench.docker)
const rows: Row[] = []
for (const [name, measure] of Object.entries(CASES)) {
  if (!cases.split(',').includes(name)) continue
  const trireme = await startTrireme({ ...bench, cluster: clusterOf(name), source: 'repository' })
  rows.push(...(await measure(bench, trireme, await podNetwork(clusterOf(name)))))
  await trireme.stop()
}
writeFileSync(results, JSON.stringify(rows))
process.exit(0)

async function podNetwork(cluster: string): Promise<Network> {
  const name = `trireme-${cluster}`
  const { IPAM } = await bench.docker.getNetwork(name).inspect()
  const [a, b] = (IPAM?.Config?.[0]?.Subnet ?? '').split('.')
  return { name, dns: `${a}.${b}.128.10` }
}
