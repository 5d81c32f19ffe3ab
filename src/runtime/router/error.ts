export type RouterErrorKind =
  | 'locked' /** another daemon serves this router; wait or stop it */
  | 'rejected' /** the router refused the table and keeps what it had; plan again */
  | 'lost' /** the stream ended; connect again */
  | 'timeout' /** no answer in time; the stream is closed, connect again */

export class RouterError extends Error {
  readonly kind: RouterErrorKind
  constructor(kind: RouterErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RouterError'
    this.kind = kind
  }
}
