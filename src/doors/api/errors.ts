import { HashgateError } from '../../util/errors.ts'

/** A request that cannot be answered as it asks; its caller gets the message. */
export class ApiError extends HashgateError {
  readonly code = 'api'
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** Not let in: unknown caller (401), not for this (403), or it cannot be told now who it is (503). */
export class DeniedError extends ApiError {}
