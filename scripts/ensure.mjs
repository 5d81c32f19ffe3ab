#!/usr/bin/env node
/**
 * Makes this checkout ready to run, installing only what is missing. Runs on any Node from 18 on, with no
 * npm package installed yet. With nothing to do it says nothing and takes a moment.
 *
 *   node scripts/ensure.mjs [--only npm,engine,images,tools] [--images node,stub,demo,daemon] [--with prometheus,wrk,iproute2,openssh-server,openssl]
 *
 * `--images` and `--with` choose within their step; without `--only` every step runs, tools only with `--with`.
 */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensureEngine } from './ensure/engine.mjs'
import { IMAGES } from './ensure/images.mjs'
import { ensurePackages } from './ensure/npm.mjs'
import { SetupError } from './ensure/report.mjs'
import { ensureTools, TOOLS } from './ensure/tools.mjs'

const STEPS = ['npm', 'engine', 'images', 'tools']
const DEFAULT_IMAGES = ['node', 'stub', 'demo']

/**
 * @param {{steps?: string[], images?: string[], tools?: string[]}} [want]
 * @throws {SetupError} whose message says what to do
 */
export async function ensure({ steps = STEPS, images = DEFAULT_IMAGES, tools = [] } = {}) {
  if (steps.includes('npm')) await ensurePackages()
  if (steps.includes('engine')) await ensureEngine()
  if (steps.includes('images')) for (const name of images) await IMAGES[name]()
  if (steps.includes('tools')) await ensureTools(tools)
}

function parseList(flag, value, allowed) {
  const names = (value ?? '').split(',').filter((name) => name !== '')
  const wrong = names.filter((name) => !allowed.includes(name))
  if (names.length === 0 || wrong.length > 0) throw new SetupError(`${flag} ${value ?? ''}: choose from ${allowed.join(', ')}`)
  return names
}

/** What the command line asks for, in the shape `ensure` takes. */
export function parseArguments(args) {
  const want = {}
  for (let i = 0; i < args.length; i += 2) {
    if (args[i] === '--only') want.steps = parseList('--only', args[i + 1], STEPS)
    else if (args[i] === '--images') want.images = parseList('--images', args[i + 1], Object.keys(IMAGES))
    else if (args[i] === '--with') want.tools = parseList('--with', args[i + 1], Object.keys(TOOLS))
    else throw new SetupError(`unknown argument ${args[i]}; known are --only, --images and --with, each with a list`)
  }
  return want
}

/** Ends the process with 1 and the remedy when the setup cannot go on by itself. */
export async function orExplain(work) {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    process.stderr.write(`setup: ${error.message}\n`)
    process.exit(1)
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await orExplain(() => ensure(parseArguments(process.argv.slice(2))))
}
