/** Debian packages: installing them here, and making a root file system out of them. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { findCommand, run } from './command.mjs'
import { SetupError, step } from './report.mjs'

const POLICY = '/usr/sbin/policy-rc.d'

/** The fields of /etc/os-release; `{}` where there is none. */
export function osRelease() {
  if (!existsSync('/etc/os-release')) return {}
  const lines = readFileSync('/etc/os-release', 'utf8').split('\n')
  return Object.fromEntries(
    lines
      .filter((line) => line.includes('='))
      .map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1).replace(/^"|"$/g, '')]),
  )
}

/** Debian or one of its children, with apt. */
export function isDebianLike() {
  const { ID = '', ID_LIKE = '' } = osRelease()
  return `${ID} ${ID_LIKE}`.split(' ').includes('debian') && findCommand('apt-get') !== ''
}

let listsAreFresh = false

async function refreshLists() {
  if (listsAreFresh) return
  await step('apt: refreshing the package lists', () => run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', 'update']))
  listsAreFresh = true
}

/**
 * Installs packages without a question asked.
 *
 * @param {string[]} packages
 * @param {{startServices?: boolean}} [options] services stay stopped, now and after a reboot, unless told
 */
export async function installPackages(packages, { startServices = false } = {}) {
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      `root is needed to install packages; run\n  sudo apt-get update && sudo apt-get install -y ${packages.join(' ')}\nand then this again`,
    )
  }
  await refreshLists()
  const ownPolicy = !startServices && !existsSync(POLICY)
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    NEEDRESTART_SUSPEND: '1',
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
  }
  const args = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=120', 'install', '--no-install-recommends', ...packages]
  try {
    await step(`apt: installing ${packages.join(', ')}`, () => run('apt-get', args, { env }))
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true })
  }
}

/** Of these packages, those that this system's lists know. Some releases split off what others keep together. */
export async function knownPackages(packages) {
  await refreshLists()
  const known = await Promise.all(
    packages.map((name) =>
      run('apt-cache', ['show', '--no-all-versions', name]).then(
        () => true,
        () => false,
      ),
    ),
  )
  return packages.filter((_, i) => known[i])
}

/** One-line sources for this system's own distribution, as apt uses them. */
async function ownSources() {
  await refreshLists()
  const format = '$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)'
  const targets = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const lines = targets.split('\n').filter((line) => /^(Debian|Ubuntu|Raspbian)\|/.test(line))
  const sources = [...new Set(lines.map((line) => line.slice(line.indexOf('|') + 1)))].filter((line) =>
    /\b(main|universe)$/.test(line),
  )
  if (sources.length === 0) throw new SetupError('apt has no Debian or Ubuntu source; add one to /etc/apt/sources.list')
  return sources
}

/**
 * A root file system with `packages` in it, as a tar stream, from the sources this system itself uses.
 *
 * @param {string[]} packages
 * @returns {Promise<{tar: import('node:stream').Readable, finished: Promise<void>}>}
 */
export async function debianRoot(packages) {
  if (!findCommand('mmdebstrap')) await installPackages(['mmdebstrap'])
  const excluded = ['/usr/share/man/*', '/usr/share/info/*', '/usr/share/locale/*'].map(
    (path) => `--dpkgopt=path-exclude=${path}`,
  )
  const suite = osRelease().VERSION_CODENAME ?? 'stable'
  const args = [
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    ...excluded,
    '--format=tar',
    suite,
    '-',
    ...(await ownSources()),
  ]
  const child = spawn('mmdebstrap', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  const finished = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new SetupError(`${log}mmdebstrap failed (exit ${code})`))))
  })
  finished.catch((error) => child.stdout.destroy(error))
  return { tar: child.stdout, finished }
}
