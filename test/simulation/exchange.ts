/** What the script of `src/runtime/inplace.ts` makes of the files of a volume, whether it comes to its end or not. */
import { DATA } from '../../src/runtime/inplace.ts'
import type { Files } from './engine/state.ts'

/** Does the first `most` things that the script does, and says whether that was all. */
export function exchange(files: Files, version: string, most = Number.POSITIVE_INFINITY): boolean {
  const names = new Set(below(files, version).map((path) => topOf(path.slice(version.length + 1))))
  const todo = [
    () => lead(files, DATA, version),
    ...[...names].map((name) => () => lead(files, name, `${DATA}/${name}`)),
    ...[...new Set([...files.keys()].map(topOf))]
      .filter((top) => top !== DATA && top !== version && !names.has(top))
      .map((top) => () => remove(files, top)),
  ]
  for (const act of todo.slice(0, most)) act()
  return most >= todo.length
}

const topOf = (path: string): string => path.split('/')[0] ?? ''

function below(files: Files, folder: string): string[] {
  return [...files.keys()].filter((path) => path.startsWith(`${folder}/`))
}

function remove(files: Files, top: string): void {
  for (const path of [top, ...below(files, top)]) files.delete(path)
}

function lead(files: Files, name: string, link: string): void {
  remove(files, name)
  files.set(name, { mode: 0o777, bytes: new Uint8Array(), link })
}
