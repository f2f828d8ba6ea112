/** Base of the errors that hashgate throws. `code` is for programs, the message for people. */
export abstract class HashgateError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** The deployment cannot work as it is set up. */
export class BadConfigError extends HashgateError {
  readonly code = 'bad-config'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`bad configuration: ${problems.join('; ')}`)
    this.problems = problems
  }
}

/** An error in words that may be logged. Messages of other errors may hold anything, so only their class is told. */
export function describeError(error: unknown): string {
  if (error instanceof HashgateError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.name : 'unknown error'
}
