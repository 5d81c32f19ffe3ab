/**
 * Workloads written for API versions that Kubernetes has removed, as the version it has now would say the same.
 *
 * Defaults have changed between versions: those of the old one are written out, so nothing about the workload changes.
 * @see Kubernetes v1.15 pkg/apis/extensions/v1beta1/defaults.go, pkg/apis/apps/v1beta1/defaults.go
 */
import { field, has, isMap, mapAt, type Raw, textAt } from './raw.ts'

/** What an old version leaves out of a spec, as the current one has to say it. */
type Rewrite = (spec: Raw) => Raw

/** `int32` max: Kubernetes' way to say without a limit. */
const noLimit = 2_147_483_647

const same: Rewrite = (spec) => spec

const rewrites: Readonly<Record<string, Rewrite>> = {
  'extensions/v1beta1/Deployment': (spec) =>
    ownSelector(
      strategyOf(withDefaults(without(spec, 'rollbackTo'), { revisionHistoryLimit: noLimit, progressDeadlineSeconds: noLimit }), {
        maxSurge: 1,
        maxUnavailable: 1,
      }),
    ),
  'extensions/v1beta1/ReplicaSet': ownSelector,
  'extensions/v1beta1/DaemonSet': (spec) => ownSelector(onDelete(without(spec, 'templateGeneration'))),
  'apps/v1beta1/Deployment': (spec) => ownSelector(withDefaults(without(spec, 'rollbackTo'), { revisionHistoryLimit: 2 })),
  'apps/v1beta1/StatefulSet': (spec) => ownSelector(onDelete(spec)),
  'apps/v1beta2/Deployment': same,
  'apps/v1beta2/ReplicaSet': same,
  'apps/v1beta2/DaemonSet': same,
  'apps/v1beta2/StatefulSet': same,
  'batch/v1beta1/CronJob': same,
}

/** @returns the document as `apps/v1` or `batch/v1` has it, and the version it was written for; `undefined` for any other document */
export function modernized(body: Raw): { readonly body: Raw; readonly from: string } | undefined {
  const from = textAt(body, 'apiVersion') ?? ''
  const rewrite = Object.hasOwn(rewrites, `${from}/${textAt(body, 'kind')}`)
    ? rewrites[`${from}/${textAt(body, 'kind')}`]
    : undefined
  if (rewrite === undefined) return undefined
  const spec = field(body, 'spec')
  return {
    body: {
      ...body,
      apiVersion: from.startsWith('batch/') ? 'batch/v1' : 'apps/v1',
      ...(isMap(spec) ? { spec: rewrite(spec) } : {}),
    },
    from,
  }
}

/** A selector that is left out is the labels of the template. */
function ownSelector(spec: Raw): Raw {
  return withDefaults(spec, { selector: { matchLabels: mapAt(spec, 'template', 'metadata', 'labels') } })
}

function onDelete(spec: Raw): Raw {
  return textAt(mapAt(spec, 'updateStrategy'), 'type') ? spec : { ...spec, updateStrategy: { type: 'OnDelete' } }
}

function strategyOf(spec: Raw, bounds: Raw): Raw {
  const strategy = mapAt(spec, 'strategy')
  if (textAt(strategy, 'type') === 'Recreate') return spec
  return { ...spec, strategy: { ...strategy, rollingUpdate: withDefaults(mapAt(strategy, 'rollingUpdate'), bounds) } }
}

function withDefaults(map: Raw, defaults: Raw): Raw {
  const missing = Object.entries(defaults).filter(([key]) => !has(map, key))
  return missing.length === 0 ? map : { ...map, ...Object.fromEntries(missing) }
}

function without(map: Raw, key: string): Raw {
  return Object.hasOwn(map, key) ? Object.fromEntries(Object.entries(map).filter(([other]) => other !== key)) : map
}
