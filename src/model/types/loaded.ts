/** From a document to an object, with what was said of it. */
import type { FieldPath, ObjectKey, Origin } from './meta.ts'
import type { ModelObject } from './object.ts'

/** One YAML document as it was rendered, before validation. `body` is plain JSON data. */
export interface Manifest {
  readonly origin: Origin
  readonly body: unknown
  /** 1-based line of a field in `origin.file`; that of its nearest known parent when the field has none of its own. */
  readonly lineOf?: (path: FieldPath) => number
}

/** Something wrong with, or said about, one place in the source. */
export interface Problem {
  readonly file: string
  readonly line: number
  /** JSON-path-like, such as `spec.template.spec.containers[0].imagePullPolicy`; `''` for the whole document. */
  readonly field: string
  /** Stable code listed in docs/errors.md, such as `UnknownField`. */
  readonly code: string
  readonly message: string
  /** The nearest supported spelling, when there is one. */
  readonly suggestion?: string
  /** Absent means `error`; a notice stops nothing. */
  readonly severity?: 'error' | 'notice'
}

export type Verdict = 'honoured' | 'partly' | 'refused'

/** What Trireme makes of one document. */
export interface DocumentVerdict {
  readonly file: string
  readonly line: number
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly verdict: Verdict
  readonly reasons: readonly string[]
}

export interface LoadedObject {
  readonly object: ModelObject
  readonly origin: Origin
  /** Fields or kinds that are accepted but have no effect, each as `field: why`. */
  readonly unenforced: readonly string[]
}

/** The whole of a rendered revision after validation. Broken documents are in `problems`, never in `objects`. */
export interface Loaded {
  readonly revision: string
  readonly objects: ReadonlyMap<ObjectKey, LoadedObject>
  readonly problems: readonly Problem[]
  readonly verdicts: readonly DocumentVerdict[]
  /** Files from which at least one document could not be read or was refused. */
  readonly brokenFiles: ReadonlySet<string>
}
