/** What Docker's `local` volume driver is told: it mounts a filesystem of a type, from a device, with options. */
import type { NfsSource } from '../model/types/volume.ts'

export type DriverOptions = Readonly<Record<string, string>>

export function nfsOptions({ server, path, readOnly }: NfsSource, mountOptions: readonly string[] = []): DriverOptions {
  const o = [`addr=${server}`, readOnly ? 'ro' : 'rw', ...mountOptions].join(',')
  return { type: 'nfs', o, device: `:${path}` }
}

/** A folder of the node, which has to be there. */
export function folderOptions(path: string): DriverOptions {
  return { type: 'none', o: 'bind', device: path }
}

/** @param pageSize bytes. @param size bytes of all pages together */
export function hugePagesOptions(pageSize: number, size: number): DriverOptions {
  return { type: 'hugetlbfs', device: 'hugetlbfs', o: `mode=1777,pagesize=${pageSize},size=${size}` }
}

/** @param size bytes; absent means half of the node's memory */
export function memoryOptions(mode: string, size?: number): DriverOptions {
  return { type: 'tmpfs', device: 'tmpfs', o: `mode=${mode}${size === undefined ? '' : `,size=${size}`}` }
}
