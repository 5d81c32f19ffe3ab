import { SourceError } from './source.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const forbiddenInRef = /[\u0000-\u0020\u007f~^:?*[\\]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const control = /[\u0000-\u001f\u007f]/

/**
 * The branch, when `git check-ref-format --branch` would accept it and Git could never read it as an option.
 * Errors: `SourceError` of kind `refused`.
 */
export function checkBranch(branch: string): string {
  const reason = branchRefusal(branch)
  if (reason !== undefined) throw new SourceError('refused', `branch ${JSON.stringify(branch)} is refused: ${reason}`)
  return branch
}

function branchRefusal(branch: string): string | undefined {
  if (branch === '') return 'the name is empty'
  if (branch.startsWith('-')) return 'it begins with "-" and would be read as an option'
  if (branch.startsWith('refs/')) return 'give the short name, without refs/heads/'
  if (branch === '@' || branch === 'HEAD') return 'name a branch, not a symbolic reference'
  if (forbiddenInRef.test(branch)) return 'it contains a space, a control character or one of ~ ^ : ? * [ \\'
  if (branch.includes('..') || branch.includes('@{')) return 'it contains ".." or "@{"'
  if (branch.endsWith('.')) return 'it ends with "."'
  for (const part of branch.split('/')) {
    if (part === '') return 'it has an empty part between slashes'
    if (part.startsWith('.')) return 'a part begins with "."'
    if (part.endsWith('.lock')) return 'a part ends with ".lock"'
  }
  return undefined
}

/**
 * The path inside the repository in its one spelling: no `./`, no trailing `/`; `''` is the whole tree.
 * Errors: `SourceError` of kind `refused` for an absolute path, `..`, `.git`, a backslash or a control character.
 */
export function checkPath(path: string): string {
  const refuse = (reason: string) => new SourceError('refused', `path ${JSON.stringify(path)} is refused: ${reason}`)
  if (path.startsWith('/')) throw refuse('it is absolute; give a path inside the repository')
  if (control.test(path) || path.includes('\\')) throw refuse('it contains a control character or a backslash')
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw refuse('".." may lead out of the repository')
  if (parts.some((part) => part.toLowerCase() === '.git')) throw refuse('".git" is not part of the tree')
  return parts.join('/')
}

/** Why an entry of a tree cannot be a file of ours; `undefined` when it can. Git's own checks should leave nothing to find. */
export function entryRefusal(path: string): string | undefined {
  if (control.test(path)) return 'its name contains a control character'
  if (path.includes('\ufffd')) return 'its name is not UTF-8'
  const parts = path.split('/')
  if (path.startsWith('/') || parts.some((part) => part === '' || part === '.' || part === '..'))
    return 'its name leaves the tree'
  if (parts.some((part) => part.toLowerCase() === '.git')) return 'its name is reserved by Git'
  return undefined
}
