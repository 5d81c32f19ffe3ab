/** Services in canonical form. */
import type { KubeObject, Labels, Protocol } from './meta.ts'

export interface ServicePort {
  /** `''` when the Service has one unnamed port. */
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
  readonly targetPort: number | string
  readonly nodePort?: number
  readonly appProtocol?: string
}

/** An address that Git gives for a Service without a selector. */
export interface GivenEndpoint {
  readonly ip: string
  readonly ready: boolean
  /** `''` for none */
  readonly hostname: string
  /** by the name of the Service's port, `''` for the only one */
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[]
}

export interface ServiceSpec {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  /** `'None'` is headless; absent means that Trireme chooses. */
  readonly clusterIP?: string
  /** `null` when the Service has no selector. */
  readonly selector: Labels | null
  /** of a Service without a selector, from the Endpoints and EndpointSlices of the same revision */
  readonly endpoints?: readonly GivenEndpoint[]
  readonly ports: readonly ServicePort[]
  readonly externalName?: string
  readonly externalIPs: readonly string[]
  readonly sessionAffinity: 'None' | 'ClientIP'
  readonly sessionAffinityTimeoutSeconds: number
  readonly publishNotReadyAddresses: boolean
  /** Whether a LoadBalancer gets node ports that it does not name; those that it names it gets. */
  readonly allocateLoadBalancerNodePorts: boolean
  readonly externalTrafficPolicy: 'Cluster' | 'Local'
  readonly internalTrafficPolicy: 'Cluster' | 'Local'
}

export interface Service extends KubeObject {
  readonly kind: 'Service'
  readonly spec: ServiceSpec
}
