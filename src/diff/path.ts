/** Where a difference is, as text: `spec.template.spec.containers[name=app].image`. */

/** One step into keyed form: `.field` into a map, `[name=app]` to an item of a keyed list, `[order]` to the order of its items. */
export type Segment = string

const plain = /^[A-Za-z_][\w-]*$/
const bare = /^[\w./:-]+$/

/** Keys that are no plain words are quoted: `metadata.labels["app.kubernetes.io/name"]`. The root is `''`. */
export function pathText(segments: readonly Segment[]): string {
  return segments.reduce((path, segment) => (segment.startsWith('[') ? path + segment : childPath(path, segment.slice(1))), '')
}

/** The path of a field of the map at `path`. */
export function childPath(path: string, field: string): string {
  if (!plain.test(field)) return `${path}[${JSON.stringify(field)}]`
  return path === '' ? field : `${path}.${field}`
}

/** The segment of an item of a keyed list, from its identifying fields: `[containerPort=80,protocol=TCP]`. */
export function itemSegment(identity: readonly (readonly [field: string, value: string | number | boolean])[]): Segment {
  return `[${identity.map(([field, value]) => `${field}=${valueText(value)}`).join(',')}]`
}

function valueText(value: string | number | boolean): string {
  return typeof value === 'string' && !bare.test(value) ? JSON.stringify(value) : String(value)
}
