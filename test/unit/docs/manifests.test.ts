import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { validatePaths } from '../../../src/controller/offline.ts'
import { runWith } from '../../support/cli.ts'
import { load as loadManifests, manifestsIn } from '../../support/manifests.ts'
import { fenced, readText, root } from './pages.ts'

const { verdicts, problems } = await validatePaths(
  [fileURLToPath(new URL('manifests', root))],
  { namespace: 'default', allow: {}, allowRemote: false },
  { now: () => 0, path: '', signal: new AbortController().signal },
)

test('every manifest loads without an error, and is honoured whole', () => {
  expect(problems.filter(({ severity }) => severity !== 'notice')).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'honoured')).toEqual([])
  expect(verdicts.length).toBeGreaterThan(5)
})

test('the files that hold no Kubernetes objects are those of other programs, and our own configuration', () => {
  expect(problems.map(({ file, code }) => `${file.slice(file.lastIndexOf('/manifests/') + 1)} ${code}`).sort()).toEqual([
    'manifests/monitoring/prometheus.yaml NotKubernetes',
    'manifests/monitoring/rules.yaml NotKubernetes',
    'manifests/operator/compose.yaml NotKubernetes',
    'manifests/operator/trireme.yaml NotKubernetes',
  ])
})

test('so does the application in the README', () => {
  const block = /```yaml\n([\s\S]*?)```/.exec(readText('README.md'))?.[1] ?? ''
  const loaded = loadManifests(manifestsIn(block, 'hello.yaml'))
  expect([loaded.problems, loaded.objects.size]).toEqual([[], 3])
})

interface ComposeService {
  readonly image: string
  readonly command: readonly string[]
  readonly restart: string
  readonly network_mode: string
  readonly volumes: readonly string[]
  readonly tmpfs: readonly string[]
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
}

/** The configuration that a command line of the daemon leads to, with files of /etc/trireme from `text`. */
async function configOf(argv: readonly string[], text: string): Promise<Config> {
  let config: Config | undefined
  const run = await runWith(argv, {
    readText: async () => text,
    startDaemon: async (given) => {
      config = given
      return 0
    },
  })
  expect(run.stderr).toBe('')
  return config as Config
}

describe('deployment of the daemon', () => {
  const { version } = JSON.parse(readText('package.json')) as { version: string }
  const compose = (load(readText('manifests/operator/compose.yaml')) as { services: { trireme: ComposeService } }).services
    .trireme
  const shell = readText('manifests/operator/run.sh').replace(/\\\n\s*/g, '')
  const example = readText('manifests/operator/trireme.yaml')
  const want = { kind: 'git', name: 'shop', url: 'https://git.example.org/team/shop.git', branch: 'main', path: 'deploy' }

  test('compose.yaml and its configuration start the daemon', async () => {
    expect((await configOf(compose.command, example)).source).toEqual(want)
    expect(compose.image).toBe(`trireme/trireme:${version}`)
    // The daemon completes pods after a reboot, and reaches pods over the host's network.
    expect([compose.restart, compose.network_mode]).toEqual(['always', 'host'])
  })

  test('run.sh says the same', () => {
    expect(shell).toContain(`${compose.image} ${compose.command.join(' ')}\n`)
    const flags = [
      `--restart ${compose.restart}`,
      `--network ${compose.network_mode}`,
      `--tmpfs ${compose.tmpfs[0]}`,
      `--cap-drop ${compose.cap_drop[0]}`,
      `--security-opt ${compose.security_opt[0]}`,
      '--read-only',
      '--init',
    ]
    expect(flags.filter((flag) => !shell.includes(flag))).toEqual([])
    expect(compose.volumes.filter((volume) => !shell.includes(volume.split(':')[1] ?? ''))).toEqual([])
  })

  test('the systemd unit starts it too', async () => {
    const line = /^ExecStart=\S+\/bin\/trireme (.*)$/m.exec(readText('manifests/operator/trireme.service'))?.[1] ?? ''
    const config = await configOf(line.split(' '), example)
    expect([config.source, config.dataDir]).toEqual([want, '/var/lib/trireme'])
  })

  test('so do the configurations in the documents', async () => {
    const blocks = ['docs/configuration.md', 'docs/installation.md'].flatMap((page) =>
      [...readText(page).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => block ?? ''),
    )
    expect(blocks.length).toBeGreaterThan(1)
    for (const block of blocks) expect((await configOf(['run', '--config', 'x'], block)).source?.kind).toBe('git')
    expect(fenced(readText('docs/security.md'))).toContain('--allow monitoring=hostPort')
  })
})
