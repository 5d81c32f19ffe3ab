/** A Docker Engine that answers: found, or installed from the distribution's package and started. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { findCommand, run } from './command.mjs'
import { installPackages, isDebianLike, knownPackages, osRelease } from './debian.mjs'
import { ping } from './docker-api.mjs'
import { SetupError, step } from './report.mjs'

const LOG = '/var/log/dockerd.log'
const START_LIMIT_MS = 90_000
const RUN = '/var/run'

/** Where Docker Engine comes from on systems whose packages we do not install ourselves. */
const ADVICE = {
  fedora: 'sudo dnf install moby-engine && sudo systemctl enable --now docker',
  rhel: 'follow https://docs.docker.com/engine/install/rhel/ and run sudo systemctl enable --now docker',
  arch: 'sudo pacman -S docker && sudo systemctl enable --now docker',
  alpine: 'sudo apk add docker && sudo rc-update add docker && sudo service docker start',
  suse: 'sudo zypper install docker && sudo systemctl enable --now docker',
}

function adviceFor({ ID = '', ID_LIKE = '' }) {
  if (process.platform === 'darwin')
    return 'install Docker Desktop or colima, start it, and set DOCKER_HOST if its socket is not /var/run/docker.sock'
  const known = `${ID} ${ID_LIKE}`.split(' ').find((id) => ADVICE[id])
  return known ? ADVICE[known] : 'follow https://docs.docker.com/engine/install/ and start the docker service'
}

/** Command name of a live process, `''` when there is none. */
function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

/** Process id that a pid file names, when that process is alive and is `command`; otherwise 0. */
export function livePid(file, command) {
  if (!existsSync(file)) return 0
  const pid = Number(readFileSync(file, 'utf8').trim())
  return commandOf(pid) === command ? pid : 0
}

/** Whether somebody accepts connections on a unix socket. */
function accepts(path) {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/**
 * Removes what a killed engine leaves and what a new one trips over: a pid file whose number now belongs
 * to nobody or to another program, and sockets nobody listens on. What still runs is kept: dockerd takes
 * over the containerd of its predecessor by itself.
 *
 * @param {string} [run] folder of pid files and sockets
 * @returns {Promise<string[]>} the files removed
 */
export async function removeLeftovers(run = RUN) {
  const pidFiles = [
    [`${run}/docker.pid`, 'dockerd'],
    [`${run}/docker/containerd/containerd.pid`, 'containerd'],
  ]
  const sockets = [`${run}/docker.sock`, `${run}/docker/containerd/containerd.sock`, `${run}/containerd/containerd.sock`]
  const stale = pidFiles.filter(([file, command]) => existsSync(file) && livePid(file, command) === 0).map(([file]) => file)
  for (const socket of sockets) {
    if (existsSync(socket) && statSync(socket).isSocket() && !(await accepts(socket))) stale.push(socket)
  }
  for (const file of stale) rmSync(file, { force: true })
  return stale
}

/**
 * Waits until the engine answers.
 *
 * @param {() => string} failure says why waiting is pointless, `''` while it is not
 */
async function waitForAnswer(failure) {
  const deadline = Date.now() + START_LIMIT_MS
  while (!(await ping()).answers) {
    const reason = failure()
    if (reason !== '') throw new SetupError(reason)
    if (Date.now() > deadline) throw new SetupError(`the engine does not answer after ${START_LIMIT_MS / 1000} s`)
    await delay(100)
  }
}

/** What went wrong in the part of the log from `offset` on: its last lines that are more than chatter. */
function complaints(offset) {
  const lines = readFileSync(LOG).subarray(offset).toString().trimEnd().split('\n')
  return lines
    .filter((line) => !/level=(info|debug)/.test(line))
    .slice(-8)
    .join('\n')
}

/** Starts dockerd in a session of its own, so that it outlives this script and its terminal. */
async function startDetached() {
  const dockerd = findCommand('dockerd')
  const log = openSync(LOG, 'a')
  const offset = statSync(LOG).size
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
  const child = spawn(dockerd, [], { detached: true, stdio: ['ignore', log, log], cwd: '/', env })
  closeSync(log)
  let ended = ''
  child.on('error', (error) => {
    ended = error.message
  })
  child.on('exit', (code, signal) => {
    ended = `dockerd ended at once (${signal ?? `exit ${code}`})`
  })
  await waitForAnswer(() => (ended === '' ? '' : `${complaints(offset)}\n${ended}; its whole log is ${LOG}`))
  child.unref()
}

async function startEngine() {
  if (process.getuid?.() !== 0) {
    const command = existsSync('/run/systemd/system')
      ? 'sudo systemctl start docker'
      : 'sudo sh -c "setsid dockerd >/var/log/dockerd.log 2>&1 &"'
    throw new SetupError(`the Docker Engine is installed and does not run; start it with\n  ${command}\nand run this again`)
  }
  if (existsSync('/run/systemd/system')) {
    await step('docker: starting the engine with systemd', async () => {
      await run('systemctl', ['reset-failed', 'docker.service', 'docker.socket']).catch(() => '')
      await run('systemctl', ['start', 'docker'])
      await waitForAnswer(() => '')
    })
    return
  }
  if (livePid(`${RUN}/docker.pid`, 'dockerd') !== 0) {
    await step('docker: waiting for the engine that is starting', () =>
      waitForAnswer(() => (livePid(`${RUN}/docker.pid`, 'dockerd') === 0 ? 'dockerd ended while starting' : '')),
    )
    return
  }
  await step(`docker: starting the engine (log: ${LOG})`, async () => {
    await removeLeftovers()
    await startDetached()
  })
}

/** Leaves an engine that answers, or throws saying what to do. */
export async function ensureEngine() {
  const { answers, code } = await ping()
  if (answers) return
  if (process.env.DOCKER_HOST)
    throw new SetupError(
      `DOCKER_HOST=${process.env.DOCKER_HOST} does not answer (${code}); start that engine or unset DOCKER_HOST`,
    )
  if (code === 'EACCES')
    throw new SetupError(
      'no permission on /var/run/docker.sock; run `sudo usermod -aG docker $USER`, log in again, and run this again',
    )
  if (!findCommand('dockerd')) {
    if (!isDebianLike())
      throw new SetupError(`there is no Docker Engine on this system: ${adviceFor(osRelease())}\nand run this again`)
    const separate = await knownPackages(['docker-cli'])
    await installPackages(['docker.io', 'iptables', ...separate], { startServices: true })
    if ((await ping()).answers) return
  }
  await startEngine()
}
