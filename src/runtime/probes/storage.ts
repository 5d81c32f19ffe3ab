/** What a container has written to its own file system, against its limit. */
import { formatQuantity } from '../../model/quantity.ts'
import { failure, ownError, type ProbeAnswer, type ProbeSite, success } from './answer.ts'

const MEBI = 2n ** 20n

/**
 * What cannot be counted says nothing of the container: an engine that is slow or out of reach evicts nobody.
 *
 * @see Kubernetes pkg/kubelet/eviction, containerEphemeralStorageLimitEviction
 */
export async function probeStorage(
  { limitBytes }: { readonly limitBytes: number },
  { engine, containerId }: ProbeSite,
): Promise<ProbeAnswer> {
  try {
    const bytes = await engine.writtenBytes(containerId)
    if (bytes <= limitBytes) return success('within its limit')
    // Rounded up to what people count in.
    const used = ((BigInt(bytes) + MEBI - 1n) / MEBI) * MEBI
    const text = (amount: bigint): string => formatQuantity({ nanos: amount * 1_000_000_000n, format: 'BinarySI' })
    return failure(`has written ${text(used)} to its own file system, and its limit is ${text(BigInt(limitBytes))}`)
  } catch (error) {
    return ownError(error instanceof Error ? error.message : String(error))
  }
}
