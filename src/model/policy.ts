/**
 * What the baseline Pod Security Standard refuses. Only the operator's own configuration allows more, by namespace.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */

/** One thing the operator can allow. */
export const policies = [
  'privileged',
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'hostPath',
  'hostPort',
  'capabilities',
  'seccomp',
  'appArmor',
  'seLinux',
  'procMount',
  'sysctls',
] as const

export type Policy = (typeof policies)[number]

/** What the operator allows, by namespace; `*` stands for every namespace. */
export type Allowance = Readonly<Record<string, readonly Policy[]>>

export function isAllowed(policy: Policy, namespace: string, allow: Allowance): boolean {
  const lists = [namespace, '*'].map((name) => (Object.hasOwn(allow, name) ? (allow[name] ?? []) : []))
  return lists.some((list) => list.includes(policy))
}

/** Capabilities that a container may add. */
export const baselineCapabilities: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

/** Sysctls that belong to the pod alone. */
export const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_syncookies',
])
