/**
 * The syntax of names, labels, paths and encodings.
 * @see Kubernetes apimachinery pkg/util/validation/validation.go
 */

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const serviceName = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

/** RFC 1123 label: the names of containers, namespaces and most parts. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && label.test(text)
}

/** RFC 1035 label: the names of Services. */
export function isServiceName(text: string): boolean {
  return text.length <= 63 && serviceName.test(text)
}

/** RFC 1123 subdomain: the names of most objects. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && subdomain.test(text)
}

/** The key of a label or annotation: `name` or `prefix.example/name`. */
export function isLabelKey(text: string): boolean {
  const parts = text.split('/')
  if (parts.length > 2) return false
  const name = parts.at(-1) ?? ''
  if (name.length > 63 || !qualifiedName.test(name)) return false
  return parts.length === 1 || isDnsSubdomain(parts[0] ?? '')
}

export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= 63 && qualifiedName.test(text))
}

/** IANA service name, the name of a container port: at most 15 of `a-z0-9-`, with at least one letter. */
export function isPortName(text: string): boolean {
  return text.length <= 15 && label.test(text) && /[a-z]/.test(text) && !text.includes('--')
}

/** The key of a ConfigMap or Secret, which becomes a file name. */
export function isConfigKey(text: string): boolean {
  return /^[-._a-zA-Z0-9]+$/.test(text) && text.length <= 253 && text !== '.' && !text.startsWith('..')
}

/** A variable's name: any printable ASCII but `=`. */
export function isVariableName(text: string): boolean {
  return /^[ -<>-~]+$/.test(text)
}

export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535
}

export function isPercent(text: string): boolean {
  return /^\d{1,9}%$/.test(text)
}

/** Standard base64 with its padding; line breaks inside are allowed, as Go's decoder allows them. */
export function isBase64(text: string): boolean {
  const bare = text.replace(/[\r\n]/g, '')
  // Not one pattern of groups of four: on megabytes it would exhaust the stack.
  return bare.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(bare.replace(/={1,2}$/, ''))
}

/** A name made fit for DNS, or `undefined` when nothing is left of it. */
export function dnsSuggestion(text: string, longest = 253): string | undefined {
  const fit = text
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, longest)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
  return fit === '' || fit === text ? undefined : fit
}
