/** From a revision to what is wanted: reads the tree, renders, validates, assesses; and follows it until it is healthy. */

import type { Config } from '../config.ts'
import { same } from '../diff/equal.ts'
import { type Poll, type Revision, type Source, SourceError, type Tree } from '../git/source.ts'
import type { Logger } from '../logging.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { createLoader, loadManifests } from '../model/load.ts'
import type { Loaded, Problem } from '../model/types/loaded.ts'
import type { ObjectKey } from '../model/types/meta.ts'
import { type Assessment, assess } from '../reconcilers/assess.ts'
import { cronJobOf } from '../reconcilers/derived.ts'
import { type SetRecord, secretDigests } from '../reconcilers/memory.ts'
import type { SourceStatus, Unenforced } from '../reconcilers/status.ts'
import { isManifestFile } from '../render/plain.ts'
import { createRenderer } from '../render/render.ts'
import type { Tools } from '../render/tools.ts'
import type { RenderOptions } from '../render/types.ts'
import type { Vault } from '../runtime/vault.ts'
import type { Store } from '../store/store.ts'
import { isService, isWorkload } from './kinds.ts'
import { publicNames } from './publicnames.ts'
import { describeSource, pruneConfig, renderRevision } from './source.ts'
import { createSweep } from './sweep.ts'
import type { World } from './world.ts'

export interface SyncOptions {
  readonly config: Config
  readonly source: Source
  readonly store: Store
  readonly world: World
  readonly vault: Vault
  readonly metrics: Metrics
  readonly log: Logger
  readonly now: () => number
  readonly render: RenderOptions
  readonly tools: Tools
  readonly signal: AbortSignal
  /** what is wanted has changed: these keys may have work */
  readonly wanted: (keys: readonly ObjectKey[]) => void
  readonly note: (reason: string, message: string, warning: boolean) => void
}

export interface Sync {
  /** Takes up the last revision from before a restart, if it can still be read: the source may be out of reach. */
  resume(): Promise<void>
  /** Takes a revision found by a poll; `false`: it failed, what was wanted before is kept, and it is to be tried again. Never rejects. */
  take(poll: Poll): Promise<boolean>
  failed(error: SourceError): void
  /** A poll has ended well. */
  fetched(): void
  /** Looks whether the revision is applied and healthy, and whether pruning may go on. */
  follow(): void
  revision(): string
  status(): SourceStatus
  unenforced(): readonly Unenforced[]
  /** the newest revision is rendered and nothing of it is refused as a whole */
  rendered(): boolean
  /** it is applied, and everything of it is healthy at this moment */
  settled(): boolean
}

export function createSync(options: SyncOptions): Sync {
  const { source, store, world, vault, now, metrics, log } = options
  const prune = pruneConfig(options.config)
  const render = createRenderer(options.tools)
  const loadObjects = createLoader()
  let current: { readonly revision: Revision; readonly loaded: Loaded } | undefined
  let assessment: Assessment | undefined
  /** objects that no planner works on are still to be remembered: the disk was full */
  let unapplied = false
  let error = ''
  let newest = ''
  /** the source has answered since the start */
  let polled = false
  let record = store.source(source.name) ?? { name: source.name, attempted: '', applied: '', healthy: '', lastFetch: 0 }

  function remember(change: Partial<typeof record>): void {
    const next = { ...record, ...change }
    store.setSource(next)
    record = next
  }

  async function take(poll: Poll): Promise<boolean> {
    const { revision } = poll
    newest = revision.sha
    if (poll.forced)
      options.note(
        'HistoryRewritten',
        `the branch was force-pushed: ${short(revision.sha)} does not descend from ${short(record.attempted)}`,
        true,
      )
    const started = performance.now()
    try {
      const { loaded, used } = await load(revision)
      if (newest !== revision.sha) return true
      // Not before: values of a newer revision may have come meanwhile that nothing else refers to yet.
      vault.retain(used)
      if (current !== undefined && record.healthy !== current.revision.sha && current.revision.sha !== revision.sha)
        metrics.sync(source.name, 'superseded')
      metrics.render(source.name, 'ok', (performance.now() - started) / 1000)
      const before = record.attempted
      remember({ attempted: revision.sha })
      current = { revision, loaded }
      error = ''
      if (before !== revision.sha)
        store.addHistory({
          at: now(),
          source: source.name,
          revision: revision.sha,
          result: 'attempted',
          message: firstLine(revision.message),
        })
      log.info(
        { source: source.name, revision: revision.sha, objects: loaded.objects.size, problems: errorsOf(loaded).length },
        `revision ${short(revision.sha)}: ${firstLine(revision.message)}`,
      )
      settle(true)
      // A revision that gives no work to anybody is applied as it comes.
      follow()
      return true
    } catch (caught) {
      metrics.render(source.name, 'failed', (performance.now() - started) / 1000)
      metrics.sync(source.name, 'failed')
      fail(`revision ${short(revision.sha)} cannot be rendered: ${messageOf(caught)}`)
      if (!(caught instanceof SourceError)) log.error({ err: caught, revision: revision.sha }, 'render failed')
      return false
    }
  }

  /** The objects of a revision, and the digests of all values that they or what runs refer to. */
  async function load(revision: Revision): Promise<{ readonly loaded: Loaded; readonly used: ReadonlySet<string> }> {
    const { tree, rendered } = await renderRevision(options.config, source, revision.sha, render, options.render, options.signal)
    const digests = new Set<string>()
    const loaded = loadObjects(rendered.manifests, {
      revision: revision.sha,
      defaultNamespace: options.config.namespace,
      digest: vault.digest,
      vault: (digest, bytes) => {
        digests.add(digest)
        vault.put(digest, bytes)
      },
      allow: options.config.allow,
      brokenFiles: rendered.brokenFiles.filter((file) => mayHaveHeld(file, tree)),
      extraProblems: rendered.problems,
    })
    const used = usedDigests(digests)
    vault.publish(() => publicNames([...loaded.objects.values(), ...store.lastApplied().values()].map(({ object }) => object)))
    await recoverValues(used)
    return { loaded, used }
  }

  /** Values that an old replica set still needs come from the revision that made it; after a restart only Git has them. */
  async function recoverValues(used: ReadonlySet<string>): Promise<void> {
    const missing = new Set([...used].filter((digest) => vault.get(digest) === undefined))
    const makers = new Set(
      [...store.workloads().values()].flatMap(({ sets }) =>
        sets.filter((set) => needs(set, missing)).map(({ sourceRevision }) => sourceRevision),
      ),
    )
    for (const sha of makers) {
      try {
        const { rendered } = await renderRevision(options.config, source, sha, render, options.render, options.signal)
        const rules = {
          revision: sha,
          defaultNamespace: options.config.namespace,
          digest: vault.digest,
          allow: options.config.allow,
        }
        loadManifests(rendered.manifests, {
          ...rules,
          vault: (digest, bytes) => (missing.has(digest) ? vault.put(digest, bytes) : undefined),
        })
      } catch (caught) {
        if (!(caught instanceof SourceError)) throw caught
        log.warn(
          { revision: sha, error: caught.message },
          `secret values of revision ${short(sha)} cannot be read again; its pods run on, and are not replaced`,
        )
      }
    }
  }

  /** A refused link or submodule that nothing ever came from must not keep everything else from being pruned. */
  function mayHaveHeld(file: string, tree: Tree): boolean {
    if (!tree.refused.some(({ path }) => path === file) || isManifestFile(file)) return true
    return [...store.lastApplied().values()].some(({ origin }) => origin.file.startsWith(`${file}/`))
  }

  /** Values that old replica sets still need stay in the vault as long as they were there. */
  function usedDigests(fresh: ReadonlySet<string>): Set<string> {
    const used = new Set(fresh)
    for (const memory of store.workloads().values())
      for (const set of memory.sets) for (const digest of [...secretDigests(set.config), ...(set.retired ?? [])]) used.add(digest)
    return used
  }

  /** Assesses the current revision and hands on what it means. */
  function settle(fresh: boolean): void {
    if (current === undefined) return
    const { loaded } = current
    // No pass has seen a fresh revision yet, so nobody is known to be healthy at it.
    const next = assess({ loaded, lastApplied: store.lastApplied(), config: prune, healthy: fresh ? () => false : healthy })
    assessAnew(next)
    if (next.refusedWhole !== undefined) fail(next.refusedWhole)
    // Orphans are judged like any other prune: only by a revision that was read whole.
    const whole = next.refusedWhole === undefined && loaded.brokenFiles.size === 0 && prune.prune
    // Before anything that may fail: from here on, nobody else would tell of these keys.
    options.wanted(world.setWanted(next.effective, next.prune, whole))
    unapplied = true
    applyData()
    if (fresh)
      for (const problem of loaded.problems)
        log[problem.severity === 'notice' ? 'info' : 'warn'](
          { source: source.name, ...problem },
          `${problem.file}:${problem.line}: ${problem.message}`,
        )
  }

  /** Objects that no planner works on are applied by being known. */
  function applyData(): void {
    if (assessment === undefined) return
    const { effective, prune } = assessment
    const applied = store.lastApplied()
    store.transaction(() => {
      for (const [key, { state, object, origin, unenforced }] of effective) {
        if (state !== 'wanted' || isWorkload(key) || isService(key)) continue
        if (!same(applied.get(key)?.object, object)) store.setLastApplied(key, { object, origin, unenforced })
      }
      for (const key of prune) if (!isWorkload(key) && !isService(key)) store.deleteLastApplied(key)
    })
    unapplied = false
  }

  function healthy(key: ObjectKey): boolean {
    if (world.isDue(key)) return false
    return isWorkload(key) ? world.statuses.get(key)?.healthy === true : world.services.get(key)?.healthy !== false
  }

  function follow(): void {
    if (current === undefined || assessment === undefined || assessment.refusedWhole !== undefined) return
    const { revision } = current
    if (unapplied) applyData()
    if (assessment.held.some(({ kind }) => kind === 'health' || kind === 'occupied') || assessment.prune.length > 0) reassess()
    if (record.applied !== revision.sha && applying.all()) {
      remember({ applied: revision.sha })
      metrics.sync(source.name, 'applied')
      finish('applied', revision)
    }
    if (record.applied === revision.sha && record.healthy !== revision.sha && isHealthy()) {
      remember({ healthy: revision.sha })
      metrics.sync(source.name, 'healthy')
      metrics.commitToHealthy(source.name, Math.max(0, now() - revision.committedAt) / 1000)
      finish('healthy', revision)
    }
  }

  function reassess(): void {
    if (current === undefined || assessment === undefined) return
    const next = assess({ loaded: current.loaded, lastApplied: store.lastApplied(), config: prune, healthy })
    if (next.prune.join() !== assessment.prune.join() || next.held.length !== assessment.held.length) settle(false)
    // Who is waited for may be somebody else now.
    else assessAnew(next)
  }

  function finish(result: 'applied' | 'healthy', revision: Revision): void {
    store.addHistory({ at: now(), source: source.name, revision: revision.sha, result, message: firstLine(revision.message) })
    log.info({ source: source.name, revision: revision.sha }, `revision ${short(revision.sha)} is ${result}`)
    options.note(
      result === 'applied' ? 'RevisionApplied' : 'RevisionHealthy',
      `${short(revision.sha)} ${firstLine(revision.message)}`,
      false,
    )
  }

  /** Looked at after every burst of passes, while one after the other becomes so. */
  const applying = createSweep({
    items: () => assessment?.effective ?? [],
    holds: ([key, { object }]) => same(store.lastApplied().get(key)?.object, object),
  })
  const healing = createSweep({
    items: () => [...(assessment?.effective.keys() ?? [])].filter((key) => isWorkload(key) || isService(key)),
    holds: (key) =>
      !world.isDue(key) && (isWorkload(key) ? world.statuses.get(key)?.healthy : world.services.get(key)?.healthy) === true,
  })

  function assessAnew(next: Assessment): void {
    assessment = next
    applying.restart()
    healing.restart()
  }

  /** Every workload and Service of the revision is healthy, and nothing that left it is still there. */
  function isHealthy(): boolean {
    if (assessment === undefined || assessment.prune.length > 0) return false
    return !assessment.held.some(({ kind }) => kind === 'health') && healing.all() && isCleared(assessment.effective)
  }

  /** Nothing is left of what was taken down. */
  function isCleared(effective: Assessment['effective']): boolean {
    for (const key of store.workloads().keys())
      if (!effective.has(key) && !effective.has(cronJobOf(key)?.owner ?? '')) return false
    for (const key of store.services().keys()) if (!effective.has(key)) return false
    return true
  }

  /** What is known is what the source has now: not only what it had before a restart, or while a newer one is read. */
  function isNewest(): boolean {
    return polled && current?.revision.sha === newest
  }

  function fail(message: string): void {
    if (message !== error) {
      log.warn({ source: source.name, error: message }, message)
      options.note('SourceFailed', message, true)
    }
    error = message
  }

  async function resume(): Promise<void> {
    if (record.attempted === '') return
    try {
      const { revision } = await source.tree(record.attempted, options.signal)
      if (newest === '') await take({ revision, forced: false })
    } catch (caught) {
      if (!(caught instanceof SourceError)) throw caught
      log.info(
        { revision: record.attempted, error: caught.message },
        'the last revision cannot be read again; waiting for a poll',
      )
    }
  }

  return {
    resume,
    take,
    failed: (caught) => fail(caught.message),
    fetched() {
      polled = true
      record = { ...record, lastFetch: now() }
      if (current !== undefined && newest === current.revision.sha && assessment?.refusedWhole === undefined) error = ''
    },
    follow,
    revision: () => current?.revision.sha ?? record.attempted,
    settled: () => isNewest() && record.applied === newest && isHealthy(),
    rendered: () => isNewest() && assessment?.refusedWhole === undefined && error === '',
    status: () => ({
      name: source.name,
      ...describeSource(options.config),
      attempted: record.attempted,
      applied: record.applied,
      healthy: record.healthy,
      message: firstLine(current?.revision.message ?? ''),
      author: current?.revision.author ?? '',
      committedAt: current?.revision.committedAt ?? 0,
      lastFetch: record.lastFetch,
      error,
      problems: errorsOf(current?.loaded).map(
        ({ file, line, field, message, suggestion }) =>
          `${file}:${line}: ${field === '' ? '' : `${field}: `}${message}${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`,
      ),
      pruneHeld: (assessment?.held ?? []).map(({ key, reason }) => `${key}: ${reason}`),
    }),
    unenforced: () =>
      [...(assessment?.effective ?? [])].flatMap(([key, { origin, unenforced }]) =>
        unenforced.length === 0 ? [] : [{ key, file: origin.file, line: origin.line, reasons: unenforced }],
      ),
  }
}

/** A set with pods that refers to one of `digests`. */
function needs(set: SetRecord, digests: ReadonlySet<string>): boolean {
  return (
    set.replicas > 0 &&
    Object.values(set.config.secrets).some(({ data }) => Object.values(data).some((digest) => digests.has(digest)))
  )
}

/** Notices are told in the log alone: they stop nothing, and nothing has to be done about them. */
function errorsOf(loaded: Loaded | undefined): readonly Problem[] {
  return (loaded?.problems ?? []).filter(({ severity }) => severity !== 'notice')
}

function short(sha: string): string {
  return sha.startsWith('folder-') ? sha : sha.slice(0, 8)
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
