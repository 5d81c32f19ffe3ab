/** Swarm's side of the engine: one node, one overlay network that plain containers may join. */
import type Docker from 'dockerode'
import { OWN_ADDRESS } from '../support/ownengine.ts'

export const OVERLAY = 'bench-overlay'

export async function openSwarm(docker: Docker): Promise<void> {
  await docker.swarmInit({ ListenAddr: `${OWN_ADDRESS}:2377`, AdvertiseAddr: OWN_ADDRESS, ForceNewCluster: false })
  await docker.createNetwork({ Name: OVERLAY, Driver: 'overlay', Attachable: true })
}
