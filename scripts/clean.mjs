#!/usr/bin/env node
/**
 * Removes what Trireme and its tests made on this engine: every container, network and volume that carries
 * a `trireme.cluster` or `trireme.test` label. With --images, its images too. Anything else is not touched.
 */
import { ping, request } from './ensure/docker-api.mjs'
import { say } from './ensure/report.mjs'

const LABELS = ['trireme.cluster', 'trireme.test']

async function list(path, filters) {
  const { status, text } = await request(
    'GET',
    `${path}${path.includes('?') ? '&' : '?'}filters=${encodeURIComponent(JSON.stringify(filters))}`,
  )
  if (status !== 200) throw new Error(`${path}: the engine answered ${status}: ${text}`)
  return JSON.parse(text)
}

/** Paths of all objects with one of our labels, each once. */
async function labelled(path, items, toPath) {
  const lists = await Promise.all(LABELS.map((label) => list(path, { label: [label] })))
  return [...new Set(lists.flatMap((answer) => items(answer) ?? []).map(toPath))]
}

/** A handful at a time; what is already gone is no failure. Resolves to the failures. */
async function removeAll(what, paths) {
  const failures = []
  const queue = [...paths]
  const remover = async () => {
    for (let path = queue.shift(); path; path = queue.shift()) {
      const { status, text } = await request('DELETE', path)
      if (status >= 300 && status !== 404) failures.push(`${path}: ${status} ${text.trim()}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, remover))
  say(`${what}: ${paths.length - failures.length} removed`)
  return failures
}

const containers = () =>
  labelled(
    '/containers/json?all=1',
    (all) => all,
    ({ Id }) => `/containers/${Id}?force=1&v=1`,
  )
const networks = () =>
  labelled(
    '/networks',
    (all) => all,
    ({ Id }) => `/networks/${Id}`,
  )
const volumes = () =>
  labelled(
    '/volumes',
    ({ Volumes }) => Volumes,
    ({ Name }) => `/volumes/${encodeURIComponent(Name)}?force=1`,
  )
/** By tag, and what their builds left behind without one. */
async function images() {
  const [tagged, stages] = await Promise.all([
    list('/images/json', { reference: ['trireme/*'] }),
    list('/images/json', { label: ['trireme.stage'], dangling: ['true'] }),
  ])
  const names = [...tagged.flatMap(({ RepoTags }) => RepoTags ?? []), ...stages.map(({ Id }) => Id)]
  return names.map((name) => `/images/${name}`)
}

if (!(await ping()).answers) {
  process.stderr.write(
    `clean: no Docker Engine answers on ${process.env.DOCKER_HOST || '/var/run/docker.sock'}, so there is nothing to reach\n`,
  )
  process.exit(1)
}
const failures = []
failures.push(...(await removeAll('containers', await containers())))
failures.push(...(await removeAll('networks', await networks())))
failures.push(...(await removeAll('volumes', await volumes())))
if (process.argv.includes('--images')) failures.push(...(await removeAll('images', await images())))
for (const failure of failures) process.stderr.write(`clean: ${failure}\n`)
process.exit(failures.length > 0 ? 1 : 0)
