/** The port to where desired state comes from: a Git branch or a folder, and a path in it. */

export interface Revision {
  /** full commit id; for a folder `folder-<first 12 hex digits of the content's SHA-256>` */
  readonly sha: string
  readonly author: string
  readonly message: string
  /** ms since the epoch; for a folder, when the content was read */
  readonly committedAt: number
}

/** What a poll found. A failed poll throws `SourceError` and changes nothing. */
export interface Poll {
  readonly revision: Revision
  /** the previous revision is not an ancestor of this one: history was rewritten */
  readonly forced: boolean
}

export type SourceErrorKind = 'unreachable' | 'denied' | 'branchNotFound' | 'pathNotFound' | 'refused' | 'timeout' | 'failed'

export class SourceError extends Error {
  readonly kind: SourceErrorKind
  constructor(kind: SourceErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SourceError'
    this.kind = kind
  }
}

/** A file of a tree: `path` relative to the source's path, with `/`, sorted, never leaving the tree. */
export interface TreeFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** The files below the source's path at one revision. */
export interface Tree {
  readonly revision: Revision
  /** changes if and only if the files do; renders are cached by it */
  readonly hash: string
  readonly files: readonly TreeFile[]
  /** entries left out and why: symlinks, submodules, too large */
  readonly refused: readonly { readonly path: string; readonly reason: string }[]
}

export type TreeScope = 'path' | 'whole'

export interface Source {
  readonly name: string
  /** Looks for the newest revision. Errors: `SourceError` by kind. */
  poll(signal: AbortSignal): Promise<Poll>
  /**
   * Reads the tree of a revision that a poll has returned, also after a restart.
   *
   * @param scope `path` (the default) for the files below the source's path, `whole` for everything around it too:
   *   what an overlay needs that takes in a base beside itself
   */
  tree(sha: string, signal: AbortSignal, scope?: TreeScope): Promise<Tree>
  /** Calls back when something may have changed (a folder was saved); polling goes on regardless. Returns the way to stop. */
  watch(changed: () => void): () => void
  close(): Promise<void>
}
