/**
 * The images Trireme and its tests run from. Each carries the version of its content as a label; an image
 * whose label still fits is left alone.
 *
 * With a registry their Dockerfiles start from the usual bases. Without one, a base is made of this
 * system's Debian packages and handed to the same Dockerfiles.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { contentVersion } from '../../images/version.mjs'
import { run } from './command.mjs'
import { debianRoot, isDebianLike, osRelease } from './debian.mjs'
import { buildImage, imageLabels, importImage, registryHas } from './docker-api.mjs'
import { SetupError, step } from './report.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CONTENT_LABEL = 'trireme.content'
const NODE_PACKAGES = ['busybox-static', 'nftables', 'unbound', 'iproute2', 'conntrack', 'libstdc++6']
const DAEMON_PACKAGES = ['git', 'openssh-client', 'ca-certificates', 'libstdc++6']

const folder = (name) => join(ROOT, 'images', name)
const nodeImage = () => `trireme/node:${contentVersion(folder('node'))}`
const nodeBinary = () => realpathSync(join(ROOT, 'node_modules/.bin/node'))
const nodeVersion = () => JSON.parse(readFileSync(join(ROOT, 'node_modules/node/package.json'), 'utf8')).version

/** A tar stream; `args` are tar's own: `-C folder file…`, as often as needed. */
function tarOf(args) {
  const child = spawn('tar', ['--owner=0', '--group=0', '--numeric-owner', '-c', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.on('error', (error) => child.stdout.destroy(error))
  child.on('close', (code) => code !== 0 && child.stdout.destroy(new SetupError(`tar failed (exit ${code})`)))
  return child.stdout
}

const isCurrent = async (image, content) => (await imageLabels(image))?.[CONTENT_LABEL] === content

/** Builds `tag` from a tar context unless an image of that content is there. */
async function ensureImage(tag, content, context, args = {}) {
  if (await isCurrent(tag, content)) return
  await step(`image ${tag}: building`, () => buildImage(tag, context(), { args, labels: { [CONTENT_LABEL]: content } }))
}

/** Whether `image` is here or can be pulled; asked once per image. */
const reachable = new Map()
function canUse(image) {
  if (!reachable.has(image))
    reachable.set(
      image,
      imageLabels(image).then((labels) => labels !== undefined || registryHas(image)),
    )
  return reachable.get(image)
}

/** A Debian root of these packages as a local image, made once per release and package list. */
async function ensureDebianBase(name, packages) {
  const { VERSION_CODENAME: suite = 'stable' } = osRelease()
  const tag = `trireme/base-${name}:${suite}-${createHash('sha256').update(packages.join()).digest('hex').slice(0, 12)}`
  if ((await imageLabels(tag)) !== undefined) return tag
  if (!isDebianLike()) {
    throw new SetupError(`no image registry is reachable from the engine, and building images without one needs Debian packages (apt, mmdebstrap).
Make registry-1.docker.io reachable for the engine, or load debian:bookworm-slim and node:24-slim with docker load, and run this again.`)
  }
  await step(`image ${tag}: making it from Debian packages, for no registry is reachable`, async () => {
    const { tar, finished } = await debianRoot(packages)
    await Promise.all([importImage(tag, tar), finished])
  })
  return tag
}

async function ensureNodeImage() {
  const tag = nodeImage()
  const content = tag.split(':')[1]
  if (await isCurrent(tag, content)) return tag
  const args = (await canUse('debian:bookworm-slim')) ? {} : { BASE: await ensureDebianBase('node', NODE_PACKAGES) }
  await ensureImage(tag, content, () => tarOf(['-C', folder('node'), '.']), args)
  return tag
}

/** The stand-in for node:24-slim: `base` with the Node binary of this project. */
async function ensureRuntimeBase(name, base) {
  const content = contentVersion(folder('runtime'), [base, nodeVersion(), arch()])
  const tag = `trireme/runtime-${name}:${content}`
  await ensureImage(tag, content, () => tarOf(['-C', folder('runtime'), '.', '-C', join(nodeBinary(), '..'), 'node']), {
    BASE: base,
  })
  return tag
}

async function runtimeBuildArgs(name, base) {
  if (await canUse('node:24-slim')) return {}
  if (!existsSync(join(ROOT, 'node_modules/.bin/node'))) throw new SetupError('the npm packages are missing; run npm ci')
  return { BASE: await ensureRuntimeBase(name, await base()) }
}

async function ensureDemoImages() {
  for (const version of ['v1', 'v2', 'crash']) {
    const tag = `trireme/demo:${version}`
    const content = contentVersion(folder('demo'), [version])
    if (await isCurrent(tag, content)) continue
    const args = { ...(await runtimeBuildArgs('demo', ensureNodeImage)), VERSION: version }
    await ensureImage(tag, content, () => tarOf(['-C', folder('demo'), '.']), args)
  }
}

async function ensureStubImage() {
  const content = contentVersion(folder('stub'))
  if (await isCurrent('trireme/stub:1', content)) return
  const args = { BASE: await ensureNodeImage() }
  await ensureImage('trireme/stub:1', content, () => tarOf(['-C', folder('stub'), '.']), args)
}

/** The packages the daemon runs on, without Node itself, into a folder of their own. */
async function installProductionPackages(into) {
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(ROOT, file), join(into, file))
  await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: into })
}

/** Always handed to the engine, whose build cache knows better than we do whether anything changed. */
async function ensureDaemonImage() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const tag = `trireme/trireme:${version}`
  const args = await runtimeBuildArgs('daemon', () => ensureDebianBase('daemon', DAEMON_PACKAGES))
  const files = ['Dockerfile', 'package.json', 'package-lock.json', 'LICENSE', 'bin', 'src', 'images']
  await step(`image ${tag}: building`, async () => {
    if (args.BASE === undefined) return buildImage(tag, tarOf(['-C', ROOT, ...files]))
    const packages = mkdtempSync(join(tmpdir(), 'trireme-daemon-'))
    try {
      await installProductionPackages(packages)
      await buildImage(tag, tarOf(['-C', ROOT, ...files, '-C', packages, 'node_modules']), { args })
    } finally {
      rmSync(packages, { recursive: true })
    }
  })
}

/** What `--images` may name, in the order they are made. */
export const IMAGES = { node: ensureNodeImage, stub: ensureStubImage, demo: ensureDemoImages, daemon: ensureDaemonImage }
