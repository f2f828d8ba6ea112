import { HashgateError } from '../errors.ts'

/** A request that is not answered as it wants to be; the message is told to its caller. */
export class ApiError extends HashgateError {
  readonly code = 'api'
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** Nobody that is known here, or without what was asked for: 401 or 403. */
export class DeniedError extends ApiError {}
