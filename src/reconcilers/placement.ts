/** Services with their addresses, and the ports behind theirs. */
import type { Service, ServicePort } from '../model/types/service.ts'
import type { PodEndpoint } from './endpoints.ts'

/** A Service that has been given its address. */
export interface PlacedService {
  readonly service: Service
  /** `''` for headless and ExternalName */
  readonly clusterIP: string
}

/** The port a pod listens on for a Service port; named ports differ from pod to pod. `undefined` when it has none of that name. */
export function targetPort(port: ServicePort, pod: PodEndpoint): number | undefined {
  if (typeof port.targetPort === 'number' && pod.given === undefined) return port.targetPort
  const wanted = pod.given === undefined ? port.targetPort : port.name
  return pod.ports.find(({ name, protocol }) => name === wanted && protocol === port.protocol)?.port
}
