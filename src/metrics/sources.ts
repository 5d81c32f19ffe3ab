/** What the status says of the cluster itself: sources, engines, routers, and what is not as asked. */
import type { ClusterStatus, SourceStatus } from '../reconcilers/status.ts'
import { type Families, gauge, type Sample, sample } from './family.ts'

export const sourceFamilies: Families = {
  trireme_engine_up: gauge('Whether the Docker Engine of the node answers.', ['node']),
  trireme_prune_held_objects: gauge('Objects that left the source and are kept, waiting for confirmation or health.', ['source']),
  trireme_router_connected: gauge('Whether the router of the node has acknowledged its table.', ['node']),
  trireme_service_healthy: gauge('Whether the Service is served as asked for.', ['namespace', 'service']),
  trireme_source_error: gauge('Whether the last poll or render of the source failed.', ['source']),
  trireme_source_healthy: gauge('Whether the newest revision seen is applied and every object of it healthy.', ['source']),
  trireme_source_last_fetch_timestamp_seconds: gauge('When the source was last read, as a unix timestamp.', ['source']),
  trireme_source_problems: gauge('Problems found in the manifests of the source.', ['source']),
  trireme_source_revision_info: gauge('Revisions attempted, applied and healthy.', ['source', 'state', 'revision']),
  trireme_unenforced_objects: gauge('Objects of which a part is accepted and has no effect.'),
  trireme_workload_healthy: gauge('Whether every replica carries the revision asked for, is ready and routed.', [
    'namespace',
    'kind',
    'name',
  ]),
}

export function collectSources(status: ClusterStatus): Sample[] {
  return [
    ...status.sources.flatMap(collectSource),
    ...status.nodes.flatMap(({ name, reachable, router }) => [
      sample('trireme_engine_up', { node: name }, reachable),
      sample('trireme_router_connected', { node: name }, router.connected),
    ]),
    ...status.workloads.map(({ namespace, kind, name, healthy }) =>
      sample('trireme_workload_healthy', { namespace, kind, name }, healthy),
    ),
    ...status.services.map(({ namespace, name, healthy }) =>
      sample('trireme_service_healthy', { namespace, service: name }, healthy),
    ),
    sample('trireme_unenforced_objects', {}, status.unenforced.length),
  ]
}

function collectSource(status: SourceStatus): Sample[] {
  const source = status.name
  const isHealthy = status.attempted !== '' && status.attempted === status.healthy && status.error === ''
  const states = { attempted: status.attempted, applied: status.applied, healthy: status.healthy }
  return [
    sample('trireme_prune_held_objects', { source }, status.pruneHeld.length),
    sample('trireme_source_error', { source }, status.error !== ''),
    sample('trireme_source_healthy', { source }, isHealthy),
    sample('trireme_source_last_fetch_timestamp_seconds', { source }, status.lastFetch / 1_000),
    sample('trireme_source_problems', { source }, status.problems.length),
    ...Object.entries(states)
      .filter(([, revision]) => revision !== '')
      .map(([state, revision]) => sample('trireme_source_revision_info', { source, state, revision }, 1)),
  ]
}
