/**
 * Extended resources: whatever a node has a number of, and a container has to itself.
 * @see Kubernetes pkg/apis/core/v1/helper IsExtendedResourceName
 */

/** A domain that is not Kubernetes' own, and a name in it: `example.com/licence`. */
export function isExtendedResource(name: string): boolean {
  const [domain = '', own = '', ...more] = name.split('/')
  if (more.length > 0 || domain.includes('kubernetes.io') || domain.startsWith('requests.')) return false
  return domain.length <= 253 && DOMAIN.test(domain) && own.length <= 63 && NAME.test(own)
}

const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

/** One unit: a device of the node, a GPU by the number or the id that NVIDIA's driver gives it, or the number of one that is only counted. */
export function isUnit(text: string): boolean {
  return /^(\d+|gpu:[\w-]+)$/.test(text) || isDevice(text)
}

/** Written in one way only, so that no device is taken for two. */
function isDevice(path: string): boolean {
  return /^\/dev(\/[\w.:-]+)+$/.test(path) && !path.split('/').some((part) => part === '.' || part === '..')
}
