/** Base of the errors that hashgate throws. `code` is for programs, the message for people. */
export abstract class HashgateError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}
