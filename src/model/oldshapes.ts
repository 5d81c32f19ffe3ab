/** Kinds whose fields have changed between versions, apart from workloads: as the current version writes them. */
import { field, has, isMap, listAt, mapAt, mapsAt, type Raw, textAt } from './raw.ts'
import { each, renamed, said, withDefaults, within, without } from './rewrite.ts'

/** @see Kubernetes v1.21 pkg/apis/networking/v1beta1/conversion.go, defaults.go */
export function ingress(body: Raw): Raw {
  return within(body, 'spec', (spec) =>
    each(within(renamed(spec, 'backend', 'defaultBackend'), 'defaultBackend', ingressBackend), 'rules', (rule) =>
      within(rule, 'http', (http) =>
        each(http, 'paths', (path) =>
          withDefaults(within(path, 'backend', ingressBackend), { pathType: 'ImplementationSpecific' }),
        ),
      ),
    ),
  )
}

/** A port that is a text is a name, whatever it looks like. */
function ingressBackend(backend: Raw): Raw {
  const { serviceName, servicePort, ...rest } = said(backend)
  if (serviceName === undefined && servicePort === undefined) return rest
  const port = servicePort === undefined ? undefined : { [typeof servicePort === 'string' ? 'name' : 'number']: servicePort }
  return { ...rest, service: said({ name: serviceName, port }) }
}

/** @see Kubernetes v1.24 pkg/apis/autoscaling/v2beta1/conversion.go */
export function autoscaler(body: Raw): Raw {
  return within(body, 'spec', (spec) =>
    each(spec, 'metrics', (metric) =>
      // Whatever is a map there is where the metric comes from.
      Object.keys(metric).reduce((all, source) => within(all, source, metricSource), metric),
    ),
  )
}

function metricSource(source: Raw): Raw {
  const { metricName, selector, metricSelector, target, ...values } = said(source)
  const { targetValue, averageValue, targetAverageValue, targetAverageUtilization, ...rest } = values
  const average = targetAverageValue ?? averageValue
  const perPod = average === undefined ? 'Value' : 'AverageValue'
  return said({
    ...rest,
    describedObject: target,
    metric: metricName === undefined ? undefined : said({ name: metricName, selector: selector ?? metricSelector }),
    target: said({
      type: targetAverageUtilization === undefined ? perPod : 'Utilization',
      value: targetValue,
      averageValue: average,
      averageUtilization: targetAverageUtilization,
    }),
  })
}

/**
 * What was said of all versions is said of each.
 * @see Kubernetes v1.21 staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1/defaults.go
 */
export function customResourceDefinition(body: Raw): Raw {
  return within(body, 'spec', (spec) => {
    const { version, versions: listed, validation, subresources, additionalPrinterColumns, ...rest } = said(spec)
    const shared = said({ schema: validation, subresources, additionalPrinterColumns })
    const only = version === undefined ? undefined : [{ name: version, served: true, storage: true }]
    const none = listed === undefined || (Array.isArray(listed) && listed.length === 0)
    const versioned = said({ ...rest, versions: none ? only : listed })
    const versions = each(versioned, 'versions', (one) =>
      each({ ...shared, ...one }, 'additionalPrinterColumns', (column) => renamed(column, 'JSONPath', 'jsonPath')),
    )
    return withDefaults(within(versions, 'conversion', conversion), { scope: 'Namespaced', preserveUnknownFields: true })
  })
}

function conversion(given: Raw): Raw {
  const { webhookClientConfig: clientConfig, conversionReviewVersions = ['v1beta1'], ...rest } = said(given)
  return clientConfig === undefined ? rest : { ...rest, webhook: { clientConfig, conversionReviewVersions } }
}

const ZONE = 'topology.kubernetes.io/zone'
const HOST = 'kubernetes.io/hostname'

/** @see Kubernetes v1.24 pkg/apis/discovery/v1beta1/conversion.go */
export function endpointSlice(body: Raw): Raw {
  return each(body, 'endpoints', (endpoint) => {
    const topology = field(endpoint, 'topology') ?? {}
    if (!isMap(topology)) return endpoint
    return withDefaults(without(endpoint, 'topology'), said({ zone: field(topology, ZONE), nodeName: field(topology, HOST) }))
  })
}

/** A topology that no field of `discovery.k8s.io/v1` can be given. */
export function topologyLost(body: Raw): string | undefined {
  for (const endpoint of mapsAt(body, 'endpoints')) {
    const topology = mapAt(endpoint, 'topology')
    const lost = Object.keys(topology).find((key) => key !== ZONE && key !== HOST)
    if (lost !== undefined) return `it has no field for ${JSON.stringify(lost)} in the topology of an endpoint`
    const node = textAt(endpoint, 'nodeName')
    if (node !== undefined && has(topology, HOST) && field(topology, HOST) !== node)
      return `an endpoint has one node, and here nodeName and ${HOST} in its topology differ`
  }
  return undefined
}

/** An empty selector is one without any requirement. */
export function emptySelector(body: Raw): string | undefined {
  const spec = mapAt(body, 'spec')
  const selector = mapAt(spec, 'selector')
  const asks = Object.keys(mapAt(selector, 'matchLabels')).length + listAt(selector, 'matchExpressions').length
  return has(spec, 'selector') && asks === 0
    ? 'an empty selector was for no pod and is for every pod now; leave the selector out for none'
    : undefined
}
