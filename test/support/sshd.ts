/** A real OpenSSH server on loopback, with keys of its own, that lets in whoever has `clientKey`. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'

export interface Sshd {
  /** `ssh://<user>@127.0.0.1:<port>`; an absolute path follows */
  readonly url: string
  /** private key file that is let in */
  readonly clientKey: string
  /** known hosts file with the server's key */
  readonly knownHosts: string
  /** The same address with another host key: what a machine in the middle would show. */
  impostor(): Promise<void>
  close(): Promise<void>
}

/** @param dir an empty folder, for keys and configuration */
export async function startSshd(dir: string): Promise<Sshd> {
  const port = await freePort()
  const clientKey = makeKey(join(dir, 'client'))
  const hostKey = makeKey(join(dir, 'host'))
  const [type, key] = publicKey(hostKey)
  const knownHosts = join(dir, 'known_hosts')
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${type} ${key}\n`)
  let server = await listen(dir, port, hostKey, `${clientKey}.pub`)
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    clientKey,
    knownHosts,
    async impostor() {
      await server.close()
      server = await listen(dir, port, makeKey(join(dir, 'impostor')), `${clientKey}.pub`)
    },
    close: () => server.close(),
  }
}

async function listen(dir: string, port: number, hostKey: string, authorizedKeys: string): Promise<{ close(): Promise<void> }> {
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PidFile none',
    // The folder is below the system's temporary one, which anybody may write to.
    'StrictModes no',
  ]
  const config = join(dir, 'sshd_config')
  writeFileSync(config, `${settings.join('\n')}\n`)
  // What the server's own package makes when the system starts it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}: ${said}`)
  }
  return {
    close() {
      child.kill()
      return gone
    },
  }
}

function makeKey(file: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file])
  return file
}

function publicKey(file: string): string[] {
  return execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' }).trim().split(' ')
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('data', () => socket.destroy())
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
