import { fileURLToPath } from 'node:url'
import { contentVersion } from '../../images/version.mjs'

/**
 * The image of sandboxes, routers and edges, on every node.
 *
 * Its tag is the hash of images/node, so a changed file there is another image, never an old one under a
 * current name. `node scripts/ensure.mjs --images node` builds it.
 */
export const NODE_IMAGE = `trireme/node:${contentVersion(fileURLToPath(new URL('../../images/node', import.meta.url)))}`
