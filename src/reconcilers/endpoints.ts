/** Pods as Services see them. @see Kubernetes pkg/controller/endpointslice */

import { isSidecar } from '../model/podresources.ts'
import type { Labels } from '../model/types/meta.ts'
import type { Service } from '../model/types/service.ts'
import type { PodNow } from './podstate.ts'

export interface PodEndpoint {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly ip: string
  readonly node: string
  readonly labels: Labels
  readonly ready: boolean
  readonly terminating: boolean
  readonly hostname: string
  /** `''` for none */
  readonly subdomain: string
  /** by Git, not by a selector: its ports go by the names of the Service's ports */
  readonly given?: true
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[]
}

/** `[]` for a pod that can have no traffic: without a sandbox, lost, or coming to its end. */
export function podEndpoint(pod: PodNow): PodEndpoint[] {
  const { record, compiled, namespace } = pod.context
  if (!record.bound || pod.sandbox === 'lost' || pod.ending !== undefined || record.outcome !== undefined) return []
  const { spec, metadata } = compiled.template
  return [
    {
      uid: record.uid,
      name: record.name,
      namespace,
      ip: record.ip,
      node: record.node,
      labels: metadata.labels,
      ready: pod.ready,
      terminating: record.deletion !== undefined,
      hostname: spec.hostname ?? '',
      subdomain: spec.subdomain ?? '',
      ports: [...spec.containers, ...spec.initContainers.filter(isSidecar)].flatMap(({ ports }) =>
        ports.flatMap(({ name, protocol, containerPort }) =>
          name === undefined ? [] : [{ name, protocol, port: containerPort }],
        ),
      ),
    },
  ]
}

/** The addresses that Git gives for a Service without a selector. */
export function givenAddresses({ metadata: { namespace, name }, spec }: Service): PodEndpoint[] {
  return (spec.endpoints ?? []).map(({ ip, ready, hostname, ports }) => ({
    uid: `given/${namespace}/${name}/${ip}`,
    name: '',
    namespace,
    ip,
    node: '',
    labels: {},
    ready,
    terminating: false,
    hostname,
    subdomain: hostname === '' ? '' : name,
    given: true,
    ports,
  }))
}
