/** Base of the errors that hashgate throws. `code` is for programs, the message for people. */
export abstract class HashgateError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** A setting that cannot be used. */
export class BadConfigError extends HashgateError {
  readonly code = 'bad-config'

  constructor(problems: readonly string[]) {
    super(`bad configuration: ${problems.join('; ')}`)
  }
}

/** An error in words that may be logged. Messages of other errors may hold anything, so only their class is told. */
export function describeError(error: unknown): string {
  if (error instanceof HashgateError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.name : 'unknown error'
}
