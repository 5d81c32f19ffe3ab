/** Annotations of our own that manifests may carry. */

/** Set to `"false"` on a pod template, it keeps changed ConfigMaps and Secrets from rolling it. */
export const ROLL_ON_CONFIG = 'trireme.dev/roll-on-config-change'
