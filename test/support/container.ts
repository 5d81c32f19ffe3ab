/** Containers for tests: the defaults of every container that Trireme makes, and what a test wants otherwise. */
import { baseSpec } from '../../src/reconcilers/compile.ts'
import type { ContainerConfig } from '../../src/runtime/engine.ts'
import { cluster } from './world.ts'

/** On no network, with an init process and a small log. */
export function containerConfig(change: Partial<ContainerConfig> & Pick<ContainerConfig, 'name' | 'image'>): ContainerConfig {
  const base = { ...baseSpec(cluster()), labels: {}, networkMode: 'none', init: true, logMaxBytes: 1_000_000, logMaxFiles: 1 }
  return { ...base, ...change }
}
