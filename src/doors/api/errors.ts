import { HashgateError } from '../../util/errors.ts'

/** A request that cannot be answered. The caller gets the message. */
export class ApiError extends HashgateError {
  readonly code: string = 'api'
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** The caller is unknown (401), lacks a scope (403), or cannot be verified right now (503). */
export class DeniedError extends ApiError {
  override readonly code = 'denied'
}
