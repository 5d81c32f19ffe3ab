/** A request that is answered with something else than success; the message is meant for the caller. */
export class ApiError extends Error {
  /** HTTP status */
  readonly status: number
  /** stable word, such as `NotFound` */
  readonly reason: string
  constructor(status: number, reason: string, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
  }
}
