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
