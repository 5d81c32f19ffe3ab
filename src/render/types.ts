/** What the render of a tree takes and gives. */
import type { Manifest, Problem } from '../model/types/loaded.ts'

export interface RenderOptions {
  /** folder of the tree to render, `.` unless told; kustomizations in it may take in what is beside it */
  readonly path?: string
  /** name of the source: the release name of a Helm chart at the root */
  readonly name?: string
  /** namespace that Helm renders for; `default` unless told */
  readonly namespace?: string
  /** Helm values files, relative to the tree */
  readonly valuesFiles?: readonly string[]
  /** lets kustomize fetch remote bases; off unless told */
  readonly allowRemote?: boolean
  /** where kustomize and helm work, and what they have built is kept; unless told nothing is kept on disk */
  readonly cacheDir?: string
  /** of one build, 60,000 unless told */
  readonly timeoutMs?: number
  readonly limits?: Partial<Limits>
}

export interface Limits {
  /** of one file */
  readonly fileBytes: number
  /** of all files that are read together, and of one build's output */
  readonly totalBytes: number
  /** nested maps and lists in one document */
  readonly depth: number
  /** `*alias` nodes in one document */
  readonly aliases: number
  /** values of one document once its aliases are written out */
  readonly nodes: number
  /** in one file */
  readonly documents: number
  /** documents of one file that cannot be read, after which the rest of it is not read */
  readonly problems: number
  /** in the tree */
  readonly objects: number
  /** kustomizations and charts of the tree that are built; each is a process over a copy of it */
  readonly builds: number
}

export const defaultLimits: Limits = {
  fileBytes: 16 * 1024 * 1024,
  totalBytes: 64 * 1024 * 1024,
  depth: 100,
  aliases: 20,
  nodes: 1_000_000,
  documents: 20_000,
  problems: 100,
  objects: 50_000,
  builds: 500,
}

export interface Rendered {
  readonly manifests: readonly Manifest[]
  readonly problems: readonly Problem[]
  /** files of which something could not be read; every file of the tree when a build failed */
  readonly brokenFiles: readonly string[]
}

export const nothingRendered: Rendered = { manifests: [], problems: [], brokenFiles: [] }

/** All of several renders, in order. */
export function together(parts: readonly Rendered[]): Rendered {
  return {
    manifests: parts.flatMap(({ manifests }) => manifests),
    problems: parts.flatMap(({ problems }) => problems),
    brokenFiles: [...new Set(parts.flatMap(({ brokenFiles }) => brokenFiles))],
  }
}

/** A render that failed as a whole; nothing of `brokenFiles` may count as deleted. */
export function failed(file: string, code: string, message: string, brokenFiles: readonly string[], line = 1): Rendered {
  return { manifests: [], problems: [{ file, line, field: '', code, message }], brokenFiles }
}
