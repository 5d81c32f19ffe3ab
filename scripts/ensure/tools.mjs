/** Programs that only tests and benchmarks need. */
import { existsSync } from 'node:fs'
import { findCommand, run } from './command.mjs'
import { installPackages, isDebianLike } from './debian.mjs'
import { SetupError } from './report.mjs'

/** By package: the commands it brings and the services it would enable. */
export const TOOLS = {
  prometheus: { commands: ['prometheus', 'promtool'], services: ['prometheus', 'prometheus-node-exporter'] },
  wrk: { commands: ['wrk'], services: [] },
  iproute2: { commands: ['ip'], services: [] },
  openssl: { commands: ['openssl'], services: [] },
  'openssh-server': { commands: ['sshd'], services: ['ssh'] },
}

/** @param {string[]} names keys of TOOLS */
export async function ensureTools(names) {
  const missing = names.filter((name) => TOOLS[name].commands.some((command) => findCommand(command) === ''))
  if (missing.length === 0) return
  const commands = missing.flatMap((name) => TOOLS[name].commands)
  if (!isDebianLike())
    throw new SetupError(`${commands.join(', ')} must be on PATH; install ${missing.join(', ')} and run this again`)
  await installPackages(missing)
  if (!existsSync('/run/systemd/system')) return
  for (const service of missing.flatMap((name) => TOOLS[name].services)) {
    await run('systemctl', ['disable', '--now', service]).catch(() => '')
  }
}
