import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Twelve hex digits that stand for the files of one image folder and for what it is built upon: another
 * name or another byte in any of them is another version.
 *
 * Plain JavaScript, for the setup runs on whatever Node a machine has.
 *
 * @param {string} folder path of a flat folder: Dockerfile and what it copies
 * @param {string[]} [inputs] whatever else decides the content, such as the version of the base
 * @returns {string}
 */
export function contentVersion(folder, inputs = []) {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).sort()) {
    const content = readFileSync(join(folder, name))
    hash.update(`${name}\0${content.length}\0`).update(content)
  }
  for (const input of inputs) hash.update(`\0${input}`)
  return hash.digest('hex').slice(0, 12)
}
