#!/usr/bin/env node
/**
 * Runs one of the project's scripts on Node 24, with everything it needs made ready first. Works right
 * after `git clone`, on any Node from 18 on.
 *
 *   node scripts/run.mjs [options of scripts/ensure.mjs] <file> [arguments of the file]
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensure, orExplain, parseArguments } from './ensure.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
const at = args.findIndex((arg) => /\.m?[tj]s$/.test(arg))
if (at < 0) throw new Error('usage: node scripts/run.mjs [--only ...] [--with ...] <file.ts> [arguments]')

await orExplain(() => ensure(parseArguments(args.slice(0, at))))

const node = join(ROOT, 'node_modules/.bin/node')
const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...args.slice(at)], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}:/usr/sbin:/sbin` },
})
// A terminal signals the whole group; the script decides how it ends, and its exit code is ours.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  if (signal) process.removeAllListeners(signal)
  signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)
})
