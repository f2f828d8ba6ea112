/**
 * Base of the errors that hashgate throws. `code` is for programs, the message for people.
 * @example
 * ```ts
 * import { distance, HashgateError } from 'hashgate/pdq'
 *
 * try {
 *   distance('00', 'ff')
 * } catch (error) {
 *   if (!(error instanceof HashgateError)) throw error
 *   console.log(error.code) // bad-hash
 * }
 * ```
 */
export abstract class HashgateError extends Error {
  /** Tells this kind of error from others. It stays the same across versions. */
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/**
 * The deployment cannot work as configured. `problems` says what is wrong, with the path of each
 * setting.
 * @example
 * ```ts
 * import { BadConfigError, gate } from 'hashgate'
 *
 * const findings: string[] = []
 * try {
 *   gate({ hashLists: () => ({}) as never, listKey: () => '', settings: { body: { maxFiles: 0 } } })
 * } catch (error) {
 *   if (!(error instanceof BadConfigError)) throw error
 *   findings.push(...error.problems) // settings.body.maxFiles must be a whole number from 1 to 1000
 * }
 *
 * export default { fetch: () => Response.json(findings) }
 * ```
 */
export class BadConfigError extends HashgateError {
  readonly code = 'bad-config'
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`bad configuration: ${problems.join('; ')}`)
    this.problems = problems
  }
}

/**
 * An error in words that may be logged. Messages of other errors may contain anything, so only
 * their class is named.
 */
export function describeError(error: unknown): string {
  if (error instanceof HashgateError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.name : 'unknown error'
}
